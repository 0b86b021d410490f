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


class RemoteQueue:
    """A queue that delivers each task at least once, sometimes twice, until it is told "done"."""

    def __init__(
        self,
        world: World,
        faults: Faults,
        network: Network,
        work: Callable[[str], Any],
        *,
        max_deliveries: int,
        twice_rate: float,
        slow_rate: float,
        delivering: Callable[[str], None],
        delivered: Callable[[Task], None],
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
        request_id = task["data"]["generationRequestId"]
        fault = self._network.fault(ON_ENQUEUE, running, f"enqueue {request_id[:6]}")
        if fault is Fault.CRASH_BEFORE:
            world.kill(running.process)
            raise ProcessDied
        world.pause(self._travel_seconds())
        if fault is not Fault.REFUSED:
            running.call.enqueued.append(request_id)
            seconds = (options.schedule_delay_seconds or 0) + self._faults.travel_seconds()
            self._deliver_later(request_id, 1, seconds)
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
