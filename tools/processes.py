"""The processes of one emulator suite: started together, ended together.

firebase-tools leaves the Python processes of the functions running when it stops, and runs Java in
a process group of its own. So it gets a session of its own, the process groups of all it started
are noted while it lives, and what is left of them is ended after it.
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

from toolchain import Problem

READY = "All emulators ready!"
BROKEN = "Failed to load function definition from source"
LONGEST_START_SECONDS = 900  # a first start may download the Firestore emulator
LONGEST_STOP_SECONDS = 20
# firebase-tools reports every step it takes. What is not known to be routine is shown.
ROUTINE = re.compile(
    r"""^\s*$ | ^[i✔] | [│┌├└] | Emulator\ Hub\ host | Other\ reserved\ ports | ^Issues\?
    | Env\ variable\ override | MOTD | multiple\ instances | not\ currently\ authenticated
    | UI\ is\ not\ starting | Tip:\ There\ are | Serving\ Flask | Debug\ mode | development\ server
    | Running\ on\ http | Press\ CTRL | GET\ /__/ | ^Terminated$""",
    re.VERBOSE,
)
SHOWN_NEVERTHELESS = re.compile("downloading|Loaded functions definitions")


class SuiteProcesses:
    """firebase-tools and all that it starts; `log` gets its output, `follow` shows what matters."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path, *, follow: bool
    ) -> None:
        self.log = log
        self._follow = follow
        self._ready = threading.Event()
        self._firebase = subprocess.Popen(
            command,
            cwd=log.parent,  # where the emulators put logs of their own
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C reaches us alone, and we end the others in order
        )
        self._groups = {self._firebase.pid}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + LONGEST_START_SECONDS
        while not self._ready.wait(timeout=0.2):
            if self._firebase.poll() is not None or time.monotonic() > deadline:
                self._fail("The emulators did not start")
        self._note_groups()
        if BROKEN in self.log.read_text():
            self._fail("The functions did not load")

    def wait(self) -> None:
        """Return only when the suite ends by itself, which is a problem."""
        self._firebase.wait()
        self._fail("The emulators have stopped")

    def stop(self) -> None:
        """End every process. An impatient second Ctrl-C does not interrupt this."""
        self._follow = False
        with _undisturbed():
            self._note_groups()
            with suppress(subprocess.TimeoutExpired):
                self._firebase.send_signal(signal.SIGINT)
                self._firebase.wait(LONGEST_STOP_SECONDS)
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

    def _note_groups(self) -> None:
        self._groups |= groups_below(self._firebase.pid, _process_table())

    def _fail(self, what: str) -> None:
        if not self._follow:
            lines = self.log.read_text().splitlines(keepends=True)
            print("".join(filter(is_worth_showing, lines)), end="", file=sys.stderr)
        raise Problem(f"{what}: correct what is reported above (all of it is in {self.log}).")


def is_worth_showing(line: str) -> bool:
    return bool(SHOWN_NEVERTHELESS.search(line)) or not ROUTINE.search(line)


def groups_below(root: int, table: str) -> set[int]:
    """The process groups of `root`'s descendants; a line of `table`: process, parent, group."""
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
