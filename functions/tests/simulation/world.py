"""One thread, many processes: a scheduler whose every choice follows from one seed.

A task (one call of a function) runs as a greenlet until it waits for something outside its process:
a reply, a timer. Then the next event in time runs. Nothing else interleaves, so a seed is a
schedule, and the same seed is the same schedule.

What need not happen (a step of the plan, a fault, a duplicate) has a name, and can be left out.
"""

from __future__ import annotations

import contextlib
import heapq
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from greenlet import greenlet

from simulation.strands import CurrentRandom, Strand

# Ten minutes before a new day, a new week and a new month.
EPOCH = datetime(2027, 1, 31, 23, 50, tzinfo=UTC)
MOST_EVENTS = 200_000


class Violation(AssertionError):
    """What must never happen has happened."""


class ProcessDied(BaseException):
    """Ends a task whose process is gone; nobody may act on it."""


@dataclass
class Process:
    """An instance of the service: its own clock, its own caches, and a sudden end."""

    name: str
    clock_offset: timedelta = timedelta(0)
    alive: bool = True
    caches: dict[str, Any] = field(default_factory=dict)
    threads: dict[str, Any] = field(default_factory=dict)  # by what they are for
    waiting: list[Task] = field(default_factory=list)  # for what another loads


@dataclass(eq=False)
class Task:
    """One call of one function, and what came of it."""

    number: int
    kind: str
    about: str
    process: Process
    body: Callable[[], Any]
    asked: Any = None
    done: Callable[[Task], None] | None = None
    started: float = 0.0
    ended: float | None = None
    reply: Any = None
    error: BaseException | None = None
    latest_clock: datetime = EPOCH - timedelta(days=365)  # the latest time it has read
    applied: int = 0  # commits
    charges: list[str] = field(default_factory=list)  # requests it has charged for
    enqueued: list[str] = field(default_factory=list)  # requests it has put on the queue
    troubles: int = 0  # faults it has met
    parent: Task | None = None  # whose thread this is
    coroutine: Any = None
    strand: Strand = field(default_factory=lambda: Strand(""))
    told: Told | None = None  # its line of the story

    @property
    def call(self) -> Task:
        """The call on whose behalf this runs: itself, or the one that started the thread."""
        return self if self.parent is None else self.parent.call

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.ended or self.started) - self.started

    @property
    def died(self) -> bool:
        return isinstance(self.error, ProcessDied)

    def __str__(self) -> str:
        return f"{self.process.name} {self.kind}#{self.number}"


@dataclass
class Told:
    """One line of the story of a seed."""

    seconds: float
    text: str


class World:
    """Time, processes, tasks, and the trace of all that happened."""

    def __init__(
        self,
        seed: int,
        *,
        tracing: bool = False,
        processes: int = 3,
        left_out: Set[str] = frozenset(),
    ) -> None:
        self.strand = Strand(str(seed))
        self.random = CurrentRandom(lambda: self.strand)
        self._left_out = left_out
        self.happened: list[str] = []  # the names of what could have been left out
        self.story: list[Told] = []  # in plain words, for people
        self.seconds = 0.0
        self.current: Task | None = None
        self.tasks: list[Task] = []
        self.trace: list[str] | None = [] if tracing else None
        self.log: list[Mapping[str, Any]] = []  # what the code under test has logged
        self.clocks_wrong_by: Callable[[], timedelta] = lambda: timedelta(0)
        self.clocks_jump = False
        self._processes_started = 0
        self.processes = [self._new_process() for _ in range(processes)]
        self._events: list[tuple[float, int, Strand, Callable[[], None]]] = []
        self._events_made = 0
        self._hub = greenlet.getcurrent()

    def _new_process(self) -> Process:
        self._processes_started += 1
        return Process(f"p{self._processes_started}", self.clocks_wrong_by())

    def moment(self) -> datetime:
        """The true time."""
        return EPOCH + timedelta(seconds=self.seconds)

    def process_time(self) -> datetime:
        """What the clock of the current process says."""
        task = self.running().call
        moment = self.moment() + task.process.clock_offset
        task.latest_clock = max(task.latest_clock, moment)
        return moment

    def maybe_jump(self, process: Process, chance: float) -> None:
        """Where clocks are not to be trusted: have that of `process` jump, forward or back."""
        if self.clocks_jump and self.random.random() < chance and self.happens():
            process.clock_offset = self.clocks_wrong_by()
            seconds = process.clock_offset.total_seconds()
            self.tell(f"the clock of {process.name} jumps, and is wrong by {seconds:.0f} s")

    def accuse(self, what: str) -> None:
        """Raise a Violation from where no code under test can catch it."""

        def found() -> None:
            raise Violation(what)

        self.after(0, found)

    def running(self) -> Task:
        if self.current is None:
            raise Violation("code under test ran outside a task")
        return self.current

    def happens(self) -> bool:
        """Whether something happens that need not: a run may leave it out."""
        name = self.strand.next_happening()
        if name in self._left_out:
            return False
        self.happened.append(name)
        return True

    @contextlib.contextmanager
    def new_strand(self, name: str = "") -> Iterator[None]:
        """What begins here has a strand of its own; with a name, it does not change the others."""
        outer = self.strand
        self.strand = Strand(f"{outer.key}/{name}") if name else outer.child()
        try:
            yield
        finally:
            self.strand = outer

    def tell(self, text: str) -> None:
        """Add a line to the story, and to the trace."""
        self.note("", text)
        if self.trace is not None:
            self.story.append(Told(self.seconds, text))

    def note(self, who: object, what: str) -> None:
        if self.trace is not None:
            self.trace.append(f"{self.seconds:11.4f}  {who!s:18} {what}")

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        self._events_made += 1
        event = (self.seconds + seconds, self._events_made, self.strand, action)
        heapq.heappush(self._events, event)

    def spawn(
        self,
        kind: str,
        about: str,
        body: Callable[[], Any],
        *,
        asked: Any = None,
        done: Callable[[Task], None] | None = None,
        parent: Task | None = None,
    ) -> Task:
        """Start a call in some process, or a thread of the call `parent` in the same one."""
        strand = self.strand.child()
        process = parent.process if parent else strand.random.choice(self.processes)
        task = Task(len(self.tasks) + 1, kind, about, process, body, asked, done, self.seconds)
        task.parent, task.strand = parent, strand
        self.tasks.append(task)
        self.note(task, f"starts: {about}")
        if parent is None and self.trace is not None:
            task.told = Told(self.seconds, f"{task}: {about}")
            self.story.append(task.told)
        task.coroutine = greenlet(lambda: self._live(task), parent=self._hub)
        self.after(0, lambda: self.resume(task))
        return task

    def _live(self, task: Task) -> None:
        try:
            if not task.process.alive:
                raise ProcessDied
            task.reply = task.body()
        except BaseException as error:  # noqa: BLE001 - all of it is an answer, or a finding
            task.error = error

    def pause(self, seconds: float) -> None:
        """Let others go on; the current task comes back after `seconds`, if its process lives."""
        task = self.running()
        if not task.process.alive:
            raise ProcessDied
        self.after(seconds, lambda: self.resume(task))
        self.suspend(task)

    def wait(self) -> None:
        """Let others go on until another task of the process calls `wake`."""
        task = self.running()
        task.process.waiting.append(task)
        self.suspend(task)

    def wake(self, process: Process) -> None:
        """Have all go on that wait in `process`; if it is dead, they find out."""
        for task in process.waiting:
            self.after(0, lambda task=task: self.resume(task))  # type: ignore[misc]
        process.waiting.clear()

    def suspend(self, task: Task) -> None:
        self._hub.switch()
        if not task.process.alive:
            raise ProcessDied

    def resume(self, task: Task) -> None:
        self.current, self.strand = task, task.strand
        task.coroutine.switch()
        self.current = None
        if task.coroutine.dead:
            task.ended = self.seconds
            self.note(task, f"ends: {describe(task)}")
            if task.told is not None:
                task.told.text += f" → {outcome(task)}"
            if task.done is not None:
                task.done(task)

    def kill(self, process: Process) -> None:
        """End a process and all its tasks, and start another in its place."""
        if process.alive:
            self.tell(f"{process.name} dies, and another process takes its place")
            process.alive = False
            self.wake(process)
            self.processes[self.processes.index(process)] = self._new_process()

    def run(self, until: float = float("inf")) -> None:
        """Run the events up to the second `until`."""
        while self._events and self._events[0][0] <= until:
            self.seconds, number, self.strand, action = heapq.heappop(self._events)
            if number > MOST_EVENTS:
                raise Violation("it does not come to rest")
            action()
        self.seconds = max(self.seconds, until) if until != float("inf") else self.seconds


def outcome(task: Task) -> str:
    """How a call has ended, in a few words."""
    if task.died:
        return "no answer"
    if task.error is not None:
        return str(getattr(task.error, "reason", None) or type(task.error).__name__)
    if not hasattr(task.reply, "get_json"):
        return "done"
    said = task.reply.get_json()
    reason = said["error"]["details"]["reason"] if "error" in said else said["outcome"]
    return f"{task.reply.status_code} {reason}"


def describe(task: Task) -> str:
    if task.died:
        return "process died"
    if task.error is not None:
        details = getattr(task.error, "details", "")
        return f"{type(task.error).__name__}({task.error}) {details or ''}".rstrip()
    return f"{task.reply}"
