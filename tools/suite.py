"""One running emulator suite: its configuration, its processes, its end.

firebase-tools takes ports from a configuration file alone, and reads that file's paths relative to
it. So every suite gets a file of its own in the repository's root, derived from firebase.json and
removed when the suite has ended.

firebase-tools leaves the Python processes of the functions running when it stops, and Java runs in
a process group of its own. Therefore the groups of all its descendants are noted while it lives,
and ended after it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import toolchain
from toolchain import CACHE, ROOT, FirebaseTools, Problem

PROJECT = "demo-imagegen"  # a project whose id begins with demo- needs no login
REGION = "us-central1"
HOST = "127.0.0.1"
WEBSOCKET = "firestore.websocket"

READY_LINE = "All emulators ready!"
BROKEN_LINE = "Failed to load function definition from source"
# firebase-tools reports every step it takes. What is not known to be routine is shown.
ROUTINE = re.compile(
    r"""^\s*$ | ^[i✔] | [│┌├└] | Emulator\ Hub\ host | Other\ reserved\ ports | ^Issues\?
    | Env\ variable\ override | MOTD | not\ currently\ authenticated | UI\ is\ not\ starting
    | Tip:\ There\ are | Serving\ Flask | Debug\ mode | development\ server | Running\ on\ http
    | Press\ CTRL | GET\ /__/ | ^Terminated$""",
    re.VERBOSE,
)
SHOWN_NEVERTHELESS = re.compile("downloading|Loaded functions definitions")
LONGEST_START_SECONDS = 900  # a first start may download the Firestore emulator
LONGEST_STOP_SECONDS = 20
# Both carry the id of the process that runs the suite. The logs stay until another suite starts.
CONFIG_FILES = ".emulators-{}.json"
LOG_DIRECTORIES = "emulators-{}"

Config = dict[str, Any]


# --- configuration ----------------------------------------------------------------------------


def read_config() -> Config:
    config: Config = json.loads((ROOT / "firebase.json").read_text())
    return config


def ports_of(config: Config) -> dict[str, int]:
    """The port of every emulator that `config` starts."""
    services = config["emulators"].items()
    return {
        name: service["port"]
        for name, service in services
        if isinstance(service, dict) and "port" in service and service.get("enabled", True)
    }


def without_ui(config: Config) -> Config:
    derived = deepcopy(config)
    derived["emulators"]["ui"] = {"enabled": False}
    return derived


def with_ports(config: Config, ports: Mapping[str, int]) -> Config:
    """`config` on other ports; WEBSOCKET names the second port of the Firestore emulator."""
    derived = deepcopy(config)
    emulators = derived["emulators"]
    for name, port in ports.items():
        if name == WEBSOCKET:
            emulators["firestore"]["websocketPort"] = port
        else:
            emulators.setdefault(name, {})["port"] = port
    return derived


# --- a suite while it runs --------------------------------------------------------------------


class Suite:
    """The emulators, up and answering."""

    def __init__(self, ports: Mapping[str, int], process: _Process) -> None:
        self.ports = ports
        self._process = process

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
        """Replace `directory` with what the emulators hold. For suites with a port for the hub."""
        request = urllib.request.Request(
            f"http://{self.address('hub')}/_admin/export",
            data=json.dumps({"path": str(directory)}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60):
            pass

    def wait(self) -> None:
        """Return only when the emulators end by themselves, which is a problem."""
        self._process.wait()
        raise Problem(f"The emulators have stopped: {self._process.log} tells why.")


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
    # The debug logs of firebase-tools and its emulators go to the working directory.
    directory = CACHE / LOG_DIRECTORIES.format(os.getpid())
    directory.mkdir(parents=True)
    command = [*tools.command, "emulators:start", "--project", PROJECT, f"--config={config_file}"]
    if only:
        command.append(f"--only={','.join(only)}")
    if import_from and import_from.exists():
        command.append(f"--import={import_from}")
    environment = base_environment() | _java_environment(tools)
    environment.setdefault("FUNCTIONS_EMULATOR_PARALLEL", str(workers))

    config_file.write_text(json.dumps(config, indent=2))
    process = _Process(command, environment, directory, follow=follow_log)
    try:
        process.wait_until_ready()
        yield Suite(ports_of(config), process)
    finally:
        process.stop()
        config_file.unlink(missing_ok=True)


def _sweep() -> None:
    """Remove the logs of suites that have ended, and what those that were killed left behind."""
    for left in [*CACHE.glob(LOG_DIRECTORIES.format("*")), *ROOT.glob(CONFIG_FILES.format("*"))]:
        owner = int(left.stem.rpartition("-")[2])
        if owner == os.getpid() or not _is_alive(owner):
            shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)


def base_environment() -> dict[str, str]:
    """What firebase-tools needs to know to load the functions, here and when it deploys."""
    return {"FUNCTIONS_DISCOVERY_TIMEOUT": "120", "NO_COLOR": "1"} | os.environ


def _java_environment(tools: FirebaseTools) -> dict[str, str]:
    java = toolchain.java_directory()
    found = {"PATH": f"{java}{os.pathsep}{os.environ['PATH']}"}
    if jar := toolchain.firestore_emulator(tools):
        found["FIRESTORE_EMULATOR_BINARY_PATH"] = str(jar)
    return found


# --- the processes ----------------------------------------------------------------------------


class _Process:
    """firebase-tools and all that it starts. Its output goes to a log; what matters is shown."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        directory: Path,
        *,
        follow: bool,
    ) -> None:
        self.log = directory / "emulators.log"
        self._follow = follow
        self._ready = threading.Event()
        self._process = subprocess.Popen(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C reaches us alone, and we end the others in order
        )
        self._groups = {self._process.pid}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + LONGEST_START_SECONDS
        while not self._ready.wait(timeout=0.2):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise Problem(f"The emulators did not start: {self.log} tells why.")
        if BROKEN_LINE in self.log.read_text():
            raise Problem(f"The functions did not load: {self.log} tells why.")
        self._note_groups()

    def wait(self) -> None:
        self._process.wait()

    def stop(self) -> None:
        """End every process. Nothing interrupts this: an impatient second Ctrl-C is ignored."""
        with _undisturbed():
            self._follow = False  # its farewell is of no interest
            self._note_groups()
            with suppress(subprocess.TimeoutExpired):
                self._process.send_signal(signal.SIGINT)
                self._process.wait(LONGEST_STOP_SECONDS)
            for group in self._groups:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(group, signal.SIGKILL)
            self._process.wait()
            self._reader.join()

    def _note_groups(self) -> None:
        self._groups |= groups_below(self._process.pid, _process_table())

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - for the type checker
        with self.log.open("w") as log:
            for line in self._process.stdout:
                log.write(line)
                log.flush()
                if self._follow and is_worth_showing(line):
                    print(line, end="", flush=True)
                if READY_LINE in line:
                    self._ready.set()


def is_worth_showing(line: str) -> bool:
    return bool(SHOWN_NEVERTHELESS.search(line)) or not ROUTINE.search(line)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def groups_below(root: int, table: str) -> set[int]:
    """The process groups of `root`'s descendants; a line of `table`: process, parent, group."""
    rows = [[int(word) for word in line.split()] for line in table.splitlines()]
    family, groups = {root}, set[int]()
    grew = True
    while grew:
        grew = False
        for process, parent, group in rows:
            if parent in family and process not in family:
                family.add(process)
                groups.add(group)
                grew = True
    return groups


def _process_table() -> str:
    if not shutil.which("ps"):  # a bare container: firebase-tools' own clean-up has to do
        return ""
    command = ["ps", "-A", "-o", "pid=", "-o", "ppid=", "-o", "pgid="]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


@contextmanager
def _undisturbed() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
