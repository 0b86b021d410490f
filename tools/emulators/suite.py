"""One running emulator suite, from its configuration to its end.

firebase-tools takes ports from a configuration file only, and resolves that file's paths relative
to it. So every suite gets a configuration file of its own in the repository's root, derived from
firebase.json and removed when the suite has ended.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from emulators import config, environment, firebase_tools, java, ports
from emulators.config import Config
from emulators.firebase_tools import FirebaseTools
from emulators.paths import CACHE, DATA, ROOT
from emulators.processes import SuiteProcesses

PROJECT = "demo-imagegen"  # a project whose id begins with demo- needs no login
REGION = "us-central1"
HOST = "127.0.0.1"
# Both carry the id of the process that runs the suite. The logs stay until another suite starts.
CONFIG_FILES = ".emulators-{}.json"
LOG_DIRECTORIES = "emulators-{}"


class Suite:
    """The emulators, ready to be called."""

    def __init__(self, ports: Mapping[str, int], processes: SuiteProcesses) -> None:
        self.ports = ports
        self.processes = processes

    def address(self, service: str) -> str:
        return f"{HOST}:{self.ports[service]}"

    @property
    def functions_url(self) -> str:
        return f"http://{self.address('functions')}/{PROJECT}/{REGION}"

    @property
    def hosting_url(self) -> str:
        return f"http://{self.address('hosting')}"

    def environment(self) -> dict[str, str]:
        """This process's environment, changed so that Google's client libraries use the suite."""
        return environment.current() | {
            "GCLOUD_PROJECT": PROJECT,
            "FIRESTORE_EMULATOR_HOST": self.address("firestore"),
            "FIREBASE_AUTH_EMULATOR_HOST": self.address("auth"),
            "CLOUD_TASKS_EMULATOR_HOST": self.address("tasks"),
            "STORAGE_EMULATOR_HOST": f"http://{self.address('storage')}",
            "FUNCTIONS_BASE_URL": self.functions_url,
            "HOSTING_URL": self.hosting_url,
        }

    def export(self, directory: Path) -> None:
        """Replace `directory` with what the emulators hold. The suite's hub must have a port."""
        request = urllib.request.Request(
            f"http://{self.address('hub')}/_admin/export",
            data=json.dumps({"path": str(directory)}).encode(),
            headers={"Content-Type": "application/json"},
        )
        without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        without_proxy.open(request, timeout=60).close()


@contextmanager
def private(only: Sequence[str] = (), *, import_data: bool = True) -> Iterator[Suite]:
    """A suite on free ports, which does not disturb any other."""
    wanted = config.without_ui(config.read())
    names = [*config.ports_of(wanted), *config.UNLISTED]
    free = dict(zip(names, ports.free_ports(len(names)), strict=True))
    with running(
        config.with_ports(wanted, free),
        firebase_tools.find(),
        only=only,
        import_from=DATA if import_data else None,
        workers=4,
    ) as suite:
        yield suite


@contextmanager
def running(
    wanted: Config,
    tools: FirebaseTools,
    *,
    only: Sequence[str] = (),
    import_from: Path | None = None,
    follow_log: bool = False,
    workers: int,
) -> Iterator[Suite]:
    """Start the emulators of a configuration, or `only` some of them; stop them at the exit.

    `workers` is how many Python processes may serve functions at the same time.
    """
    _remove_leftovers()
    config_file = ROOT / CONFIG_FILES.format(os.getpid())
    directory = CACHE / LOG_DIRECTORIES.format(os.getpid())
    command = [*tools.command, "emulators:start", "--project", PROJECT, f"--config={config_file}"]
    if only:
        command.append(f"--only={','.join(only)}")
    if import_from and import_from.exists():
        command.append(f"--import={import_from}")
    directory.mkdir(parents=True)
    log = directory / "emulators.log"
    with tempfile.TemporaryDirectory(prefix="emulators-", ignore_cleanup_errors=True) as scratch:
        variables = environment.for_emulators() | java.environment(tools, Path(scratch))
        variables.setdefault("FUNCTIONS_EMULATOR_PARALLEL", str(workers))
        # The Storage emulator keeps its files in a fixed place below, and empties it when it stops,
        # whoever else is using it.
        variables["TMPDIR"] = scratch
        config_file.write_text(json.dumps(wanted, indent=2))
        processes = SuiteProcesses(command, variables, log, follow=follow_log)
        try:
            processes.wait_until_ready()
            yield Suite(config.ports_of(wanted), processes)
        finally:
            processes.stop()
            config_file.unlink()


def _remove_leftovers() -> None:
    """Remove the logs of suites that have ended, and the files of those that were killed."""
    for left in [*CACHE.glob(LOG_DIRECTORIES.format("*")), *ROOT.glob(CONFIG_FILES.format("*"))]:
        owner = int(left.stem.rpartition("-")[2])
        if owner == os.getpid() or not _is_alive(owner):
            shutil.rmtree(left) if left.is_dir() else left.unlink()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
