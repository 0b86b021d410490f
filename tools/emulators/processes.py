"""The processes of one emulator suite: started together, stopped together.

firebase-tools leaves the Python processes of the functions running when it stops, and runs Java in
a separate process group. So it is started in a session of its own, the process groups of everything
it starts are recorded while it runs, and whatever is left of them afterwards is killed.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from emulators.problem import Problem

READY = "All emulators ready!"
NOT_LOADED = "Failed to load function definition from source"
START_TIMEOUT_SECONDS = 600  # a cold start on a slow machine takes a minute
STOP_TIMEOUT_SECONDS = 20
# firebase-tools reports every step. Only lines that are not known to be routine are shown.
ROUTINE = re.compile(
    r"""^\s*$ | ^[i✔] | [│┌├└] | Emulator\ Hub\ host | Other\ reserved\ ports | ^Issues\?
    | Env\ variable\ override | MOTD | multiple\ instances | not\ currently\ authenticated
    | UI\ is\ not\ starting | Tip:\ There\ are | Serving\ Flask | Debug\ mode | development\ server
    | Running\ on\ http | Press\ CTRL | GET\ /__/ | ^Terminated$""",
    re.VERBOSE,
)
ALWAYS_SHOWN = re.compile("downloading|Loaded functions definitions")


class SuiteProcesses:
    """firebase-tools and everything it starts.

    Its output goes to `log`; with `follow`, what is not routine is printed as well.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path, *, follow: bool
    ) -> None:
        self.log = log
        self._follow = follow
        self._ready = threading.Event()
        self._firebase = subprocess.Popen(
            command,
            cwd=log.parent,  # the emulators write their own logs here
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C reaches this process only, which stops the others
        )
        self._groups = {self._firebase.pid}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self._ready.wait(timeout=0.2):
            if self._firebase.poll() is not None or time.monotonic() > deadline:
                self._fail("The emulators did not start")
        self._record_groups()
        if NOT_LOADED in self.log.read_text():
            self._fail("The functions did not load")

    def wait(self) -> None:
        """Wait until the suite ends by itself, which raises Problem."""
        self._firebase.wait()
        self._fail("The emulators have stopped")

    def stop(self) -> None:
        """Stop every process. A second Ctrl-C does not interrupt this."""
        self._follow = False
        with _ignoring_signals():
            self._record_groups()
            with suppress(subprocess.TimeoutExpired):
                self._firebase.send_signal(signal.SIGINT)
                self._firebase.wait(STOP_TIMEOUT_SECONDS)
            for group in self._groups:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(group, signal.SIGKILL)
            self._firebase.wait()
            self._reader.join()

    def _read(self) -> None:
        assert self._firebase.stdout is not None  # noqa: S101 - for the type checker
        with self.log.open("w") as log:
            for line in self._firebase.stdout:
                log.write(line)
                log.flush()
                if self._follow and is_worth_showing(line):
                    print(line, end="", flush=True)
                if READY in line:
                    self._ready.set()

    def _record_groups(self) -> None:
        self._groups |= groups_below(self._firebase.pid, _process_table())

    def _fail(self, what: str) -> None:
        if not self._follow:
            lines = self.log.read_text().splitlines(keepends=True)
            print("".join(filter(is_worth_showing, lines)), end="", file=sys.stderr)
        raise Problem(f"{what}: correct what is reported above (the whole log is in {self.log}).")


def is_worth_showing(line: str) -> bool:
    return bool(ALWAYS_SHOWN.search(line)) or not ROUTINE.search(line)


def groups_below(root: int, table: str) -> set[int]:
    """The process groups of the descendants of `root`.

    Each line of `table` holds the ids of a process, its parent and its group.
    """
    children: dict[int, list[tuple[int, int]]] = {}
    for line in table.splitlines():
        process, parent, group = map(int, line.split())
        children.setdefault(parent, []).append((process, group))
    groups, unseen = set[int](), [root]
    while unseen:
        for process, group in children.get(unseen.pop(), []):
            groups.add(group)
            unseen.append(process)
    return groups


def _process_table() -> str:
    if not shutil.which("ps"):  # a minimal container: firebase-tools' own clean-up has to do
        return ""
    command = ["ps", "-A", "-o", "pid=", "-o", "ppid=", "-o", "pgid="]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


@contextmanager
def _ignoring_signals() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
