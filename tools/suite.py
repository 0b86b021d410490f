"""One running emulator suite, from its configuration to its end.

firebase-tools takes ports from a configuration file alone, and reads that file's paths relative to
it. So every suite gets a file of its own in the repository's root, derived from firebase.json and
removed when the suite has ended.
"""

from __future__ import annotations

import json
import os
import shutil
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import toolchain
from processes import SuiteProcesses
from toolchain import CACHE, ROOT, FirebaseTools

PROJECT = "demo-imagegen"  # a project whose id begins with demo- needs no login
REGION = "us-central1"
HOST = "127.0.0.1"
# Both carry the id of the process that runs the suite. The logs stay until another suite starts.
CONFIG_FILES = ".emulators-{}.json"
LOG_DIRECTORIES = "emulators-{}"
# What listens although firebase.json gives it no port: firebase-tools looks for free ones itself,
# but two suites that look at the same moment find the same.
WEBSOCKET = "firestore.websocket"
UNLISTED = ("hub", "logging", "eventarc", WEBSOCKET)

Config = dict[str, Any]


class Suite:
    """The emulators, up and answering."""

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
        """This process's environment, with what leads Google's client libraries to the suite."""
        return os.environ | {
            "GCLOUD_PROJECT": PROJECT,
            "FIRESTORE_EMULATOR_HOST": self.address("firestore"),
            "FIREBASE_AUTH_EMULATOR_HOST": self.address("auth"),
            "CLOUD_TASKS_EMULATOR_HOST": self.address("tasks"),
            "FUNCTIONS_BASE_URL": self.functions_url,
            "HOSTING_URL": self.hosting_url,
        }

    def export(self, directory: Path) -> None:
        """Replace `directory` with what the emulators hold. For suites whose hub has a port."""
        request = urllib.request.Request(
            f"http://{self.address('hub')}/_admin/export",
            data=json.dumps({"path": str(directory)}).encode(),
            headers={"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=60).close()


@contextmanager
def running(
    config: Config,
    tools: FirebaseTools,
    *,
    only: Sequence[str] = (),
    import_from: Path | None = None,
    follow_log: bool = False,
    workers: int,
) -> Iterator[Suite]:
    """Start the emulators that `config` names, or `only` some of them; end them at the exit.

    `workers` is how many Python processes may serve functions at the same time.
    """
    _sweep()
    config_file = ROOT / CONFIG_FILES.format(os.getpid())
    directory = CACHE / LOG_DIRECTORIES.format(os.getpid())
    command = [*tools.command, "emulators:start", "--project", PROJECT, f"--config={config_file}"]
    if only:
        command.append(f"--only={','.join(only)}")
    if import_from and import_from.exists():
        command.append(f"--import={import_from}")
    environment = base_environment() | _java_environment(tools)
    environment.setdefault("FUNCTIONS_EMULATOR_PARALLEL", str(workers))

    directory.mkdir(parents=True)
    config_file.write_text(json.dumps(config, indent=2))
    log = directory / "emulators.log"
    processes = SuiteProcesses(command, environment, log, follow=follow_log)
    try:
        processes.wait_until_ready()
        yield Suite(ports_of(config), processes)
    finally:
        processes.stop()
        config_file.unlink()


# --- configuration ----------------------------------------------------------------------------


def read_config() -> Config:
    config: Config = json.loads((ROOT / "firebase.json").read_text())
    if "storage" not in config["emulators"]:
        # For rules alone, firebase-tools would start the Storage emulator and download its parts.
        config.pop("storage", None)
    return config


def ports_of(config: Config) -> dict[str, int]:
    """The port of every emulator that `config` starts."""
    return {
        name: service["port"]
        for name, service in config["emulators"].items()
        if isinstance(service, dict) and "port" in service and service.get("enabled", True)
    }


def without_ui(config: Config) -> Config:
    derived = deepcopy(config)
    derived["emulators"]["ui"] = {"enabled": False}
    return derived


def with_ports(config: Config, ports: Mapping[str, int]) -> Config:
    derived = deepcopy(config)
    emulators = derived["emulators"]
    for name, port in ports.items():
        if name == WEBSOCKET:
            emulators["firestore"]["websocketPort"] = port
        else:
            emulators.setdefault(name, {})["port"] = port
    return derived


# --- surroundings -----------------------------------------------------------------------------


def base_environment() -> dict[str, str]:
    """What firebase-tools needs to load the functions, to run and to deploy them."""
    return {"FUNCTIONS_DISCOVERY_TIMEOUT": "120", "NO_COLOR": "1"} | os.environ


def _java_environment(tools: FirebaseTools) -> dict[str, str]:
    java = toolchain.java_directory()
    found = {"PATH": f"{java}{os.pathsep}{os.environ['PATH']}"}
    if jar := toolchain.firestore_emulator(tools):
        found["FIRESTORE_EMULATOR_BINARY_PATH"] = str(jar)
    return found


def _sweep() -> None:
    """Remove the logs of suites that have ended, and what those that were killed left behind."""
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
