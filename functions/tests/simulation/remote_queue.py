"""Cloud Tasks as a process sees it, behind the real client code of `imagegen.tasks`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from firebase_admin import exceptions
from google.auth.exceptions import TransportError

from simulation.faults import ON_ENQUEUE, Fault, Faults
from simulation.network import Network
from simulation.world import ProcessDied, Task, World

# What the SDK raises when the queue refuses or cannot be reached.
ERRORS: tuple[Callable[[str], Exception], ...] = (
    exceptions.UnavailableError,
    exceptions.PermissionDeniedError,
    exceptions.UnknownError,
    TransportError,
)

EVENT_DELIVERIES = 3
# The kind of call that does a task.
DONE_BY = {"generationRequestId": "worker", "eventId": "deliverer", "closureId": "closer"}


class RemoteQueue:
    """A queue that delivers each task at least once, sometimes twice, until it is told "done"."""

    def __init__(
        self,
        world: World,
        faults: Faults,
        network: Network,
        work: Mapping[str, Callable[[str], Any]],
        *,
        max_deliveries: int,
        twice_rate: float,
        slow_rate: float,
        delivering: Callable[[str], None],
        delivered: Mapping[str, Callable[[Task], None]],
    ) -> None:
        self._world = world
        self._faults = faults
        self._network = network
        self._work = work
        self._max_deliveries = max_deliveries
        self._twice_rate = twice_rate
        self._slow_rate = slow_rate
        self._delivering = delivering
        self._delivered = delivered

    def enqueue(self, task: Mapping[str, Any], options: Any) -> None:
        """As `firebase_admin.functions.TaskQueue.enqueue`; a slow queue takes minutes."""
        world, running = self._world, self._world.running()
        ((kind, task_id),) = task["data"].items()
        fault = self._network.fault(ON_ENQUEUE, running, f"enqueue {kind[:5]} {task_id[:6]}")
        if fault is Fault.CRASH_BEFORE:
            world.kill(running.process)
            raise ProcessDied
        world.pause(self._travel_seconds())
        if fault is not Fault.REFUSED:
            if kind == "generationRequestId":
                running.call.enqueued.append(task_id)
            seconds = (options.schedule_delay_seconds or 0) + self._faults.travel_seconds()
            self._deliver_later(kind, task_id, 1, seconds)
        if fault is Fault.CRASH_AFTER:
            world.kill(running.process)
            raise ProcessDied
        world.pause(self._travel_seconds())
        if fault is not None:
            raise world.random.choice(ERRORS)("by schedule")

    def _travel_seconds(self) -> float:
        if not self._faults.over and self._world.random.random() < self._slow_rate:
            return self._world.random.choice((9.0, 20.0, 300.0)) * self._world.random.random()
        return self._faults.travel_seconds()

    def _deliver_later(self, kind: str, task_id: str, number: int, seconds: float) -> None:
        self._world.after(seconds, lambda: self._deliver(kind, task_id, number))
        if (
            self._world.random.random() < self._twice_rate
            and not self._faults.over
            and self._world.happens()
        ):
            again = (
                seconds
                + self._world.random.choice((0.001, 1, 150, 600)) * self._world.random.random()
            )
            self._world.after(again, lambda: self._deliver(kind, task_id, number + 1))

    def _deliver(self, kind: str, task_id: str, number: int) -> None:
        is_generation = kind == "generationRequestId"
        most = self._max_deliveries if is_generation else EVENT_DELIVERIES

        def done(task: Task) -> None:
            if kind in self._delivered:
                self._delivered[kind](task)
            if task.error is not None and number < most:
                backoff = min(60.0, 5.0 * 2 ** (number - 1))
                self._deliver_later(kind, task_id, number + 1, backoff)

        if is_generation:
            self._delivering(task_id)
        self._world.spawn(
            DONE_BY[kind],
            f"the queue delivers {task_id[:6]}, time number {number}",
            lambda: self._work[kind](task_id),
            asked=task_id,
            done=done,
        )
