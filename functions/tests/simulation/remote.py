"""Firestore and the queue as a process sees them: far away, over a network that fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from google.api_core import exceptions
from google.api_core.exceptions import GoogleAPICallError

from imagegen.errors import BackendUnavailable
from imagegen.firestore.store import Create, Document, Query, Update
from simulation.faults import ON_COMMIT, ON_ENQUEUE, ON_READ, Fault, Faults
from simulation.memory_store import MemoryStore
from simulation.world import ProcessDied, Task, World

Result = TypeVar("Result")
Committed = Callable[[Task, dict[str, Document | None], Sequence[Create | Update]], None]


class RemoteStore:
    """`Store` behind the network; `committed` is told of every commit that is applied."""

    def __init__(
        self, world: World, memory: MemoryStore, faults: Faults, committed: Committed
    ) -> None:
        self._world = world
        self._memory = memory
        self._faults = faults
        self._committed = committed

    def read(self, paths: Sequence[str], timeout_seconds: float) -> list[Document]:
        return self._call(
            ON_READ, f"read {_short(paths)}", lambda: self._memory.read(paths, 0), timeout_seconds
        )

    def query(self, query: Query, timeout_seconds: float) -> list[Document]:
        about = f"query {query.collection}"
        return self._call(ON_READ, about, lambda: self._memory.query(query, 0), timeout_seconds)

    def commit(self, writes: Sequence[Create | Update], timeout_seconds: float) -> list[datetime]:
        task = self._world.running()

        def apply() -> list[datetime]:
            before = {write.path: self._memory.documents.get(write.path) for write in writes}
            try:
                times = self._memory.commit(writes, 0)
            except GoogleAPICallError as error:
                self._world.note(task, f"  not applied: {error.message}")
                raise
            task.applied += 1
            self._world.note(task, f"  applied: {_short([write.path for write in writes])}")
            self._committed(task, before, writes)
            return times

        about = f"commit {_short([write.path for write in writes])}"
        return self._call(ON_COMMIT, about, apply, timeout_seconds)

    def _call(
        self,
        kinds: tuple[Fault, ...],
        about: str,
        perform: Callable[[], Result],
        timeout_seconds: float,
    ) -> Result:
        """The answer to one call, which is carried out when and as often as the network brings it.

        Carried out or not is the other side's affair: it happens whether or not the caller lives.
        """
        world, faults, task = self._world, self._faults, self._world.running()
        if not task.process.alive:
            raise ProcessDied
        answers: list[Result | GoogleAPICallError] = []

        def arrive() -> None:
            try:
                answers.append(perform())
            except GoogleAPICallError as error:
                answers.append(error)

        fault = self._fault(kinds, task, about)
        there, back = faults.travel_seconds(), faults.travel_seconds()
        for seconds in self._arrivals(fault, there):
            world.after(seconds, arrive)
        if fault in (Fault.CRASH_BEFORE, Fault.CRASH_AFTER):
            world.kill(task.process)
            raise ProcessDied
        if fault in (Fault.REFUSED, Fault.DELAYED):
            world.pause(min(there, timeout_seconds))
            raise faults.error()
        if there + back > timeout_seconds:
            world.pause(timeout_seconds)
            raise exceptions.DeadlineExceeded("by the slow network")
        world.pause(there + back)
        if fault is Fault.REPLY_LOST:
            raise faults.error()
        answer = answers[0] if fault is Fault.REPEATED else answers[-1]
        if isinstance(answer, GoogleAPICallError):
            raise answer
        return answer

    def _fault(self, kinds: tuple[Fault, ...], task: Task, about: str) -> Fault | None:
        fault = self._faults.draw(kinds, self._world.seconds)
        self._world.note(task, f"{about}{f' → {fault.name}' if fault else ''}")
        if fault is not None:
            self._world.maybe_jump(task.process, chance=0.5)
        return fault

    def _arrivals(self, fault: Fault | None, there: float) -> list[float]:
        """When the call reaches the other side, if ever, and whether a second time."""
        match fault:
            case Fault.REFUSED | Fault.CRASH_BEFORE:
                return []
            case Fault.DELAYED:
                return [there + self._faults.delay_seconds()]
            case Fault.RESENT:
                return [there / 2, there]
            case Fault.REPEATED:
                return [there, there + self._faults.delay_seconds()]
            case _:
                return [there]


class RemoteQueue:
    """A queue that delivers each task at least once, sometimes twice, until it is told "done"."""

    def __init__(
        self,
        world: World,
        faults: Faults,
        work: Callable[[str], Any],
        *,
        max_deliveries: int,
        twice_rate: float,
        delivering: Callable[[str], None],
        delivered: Callable[[Task], None],
    ) -> None:
        self._world = world
        self._faults = faults
        self._work = work
        self._max_deliveries = max_deliveries
        self._twice_rate = twice_rate
        self._delivering = delivering
        self._delivered = delivered

    def enqueue(self, generation_request_id: str, *, delay_seconds: float = 0) -> None:
        world, task = self._world, self._world.running()
        fault = self._faults.draw(ON_ENQUEUE, world.seconds)
        world.note(
            task, f"enqueue {generation_request_id[:6]}{f' → {fault.name}' if fault else ''}"
        )
        if fault is Fault.CRASH_BEFORE:
            world.kill(task.process)
            raise ProcessDied
        world.pause(self._faults.travel_seconds())
        if fault is not Fault.REFUSED:
            task.enqueued.append(generation_request_id)
            seconds = delay_seconds + self._faults.travel_seconds()
            self._deliver_later(generation_request_id, 1, seconds)
        if fault is Fault.CRASH_AFTER:
            world.kill(task.process)
            raise ProcessDied
        if fault is not None:
            raise BackendUnavailable("The queue is out of reach.")

    def _deliver_later(self, request_id: str, number: int, seconds: float) -> None:
        self._world.after(seconds, lambda: self._deliver(request_id, number))
        if self._world.random.random() < self._twice_rate and not self._faults.over:
            again = (
                seconds
                + self._world.random.choice((0.001, 1, 150, 600)) * self._world.random.random()
            )
            self._world.after(again, lambda: self._deliver(request_id, number + 1))

    def _deliver(self, request_id: str, number: int) -> None:
        def done(task: Task) -> None:
            self._delivered(task)
            if task.error is not None and number < self._max_deliveries:
                backoff = min(60.0, 5.0 * 2 ** (number - 1))
                self._deliver_later(request_id, number + 1, backoff)

        about = f"delivery {number} of {request_id[:6]}"
        self._delivering(request_id)
        self._world.spawn(
            "worker", about, lambda: self._work(request_id), asked=request_id, done=done
        )


def _short(paths: Sequence[str]) -> str:
    return ", ".join(
        path
        if len(path) < 16
        else f"{path.split('/')[0][:4]}…/{path.rpartition('/')[2][:6]}…"
        + (path[path.rindex("-") :] if path.endswith(("-deduction", "-refund", "-grant")) else "")
        for path in paths
    )
