"""The network between a process and what is outside of it: slow, lossy, and sometimes deadly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from google.api_core import exceptions
from google.api_core.exceptions import GoogleAPICallError

from simulation.faults import Fault, Faults
from simulation.world import ProcessDied, Task, World

Result = TypeVar("Result")

TOLD = {
    Fault.REFUSED: "fails, and nothing is done",
    Fault.REPLY_LOST: "is done, and the reply is lost",
    Fault.RESENT: "is done, and sent again by the client library",
    Fault.REPEATED: "is done, and arrives once more later",
    Fault.DELAYED: "fails, and is done later",
    Fault.CRASH_BEFORE: "is not sent, as the process dies",
    Fault.CRASH_AFTER: "is done, but the process has died",
}


class Network:
    """Carries calls of the current task to the other side, and answers back."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self.when_delayed: Sequence[Callable[[Task], None]] = ()  # what else happens then

    def call(
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

        fault = self.fault(kinds, task, about)
        there, back = faults.travel_seconds(), faults.travel_seconds()
        for seconds in self._arrivals(fault, there):
            world.after(seconds, arrive)
        if fault in (Fault.CRASH_BEFORE, Fault.CRASH_AFTER):
            world.kill(task.process)
            raise ProcessDied
        if fault in (Fault.REFUSED, Fault.DELAYED):
            world.pause(min(there, timeout_seconds))
            raise faults.error(kinds)
        if there + back > timeout_seconds:
            task.call.troubles += 1
            world.pause(timeout_seconds)
            raise exceptions.DeadlineExceeded("by the slow network")
        world.pause(there + back)
        if fault is Fault.REPLY_LOST:
            raise faults.error(kinds)
        answer = answers[0] if fault is Fault.REPEATED else answers[-1]
        if isinstance(answer, GoogleAPICallError):
            raise answer
        return answer

    def fault(self, kinds: tuple[Fault, ...], task: Task, about: str) -> Fault | None:
        """What goes wrong with a call that `task` is about to make."""
        fault = self._faults.draw(kinds, self._world.seconds)
        if fault is not None and not self._world.happens():
            fault = None
        self._world.note(task, f"{about}{f' → {fault.name}' if fault else ''}")
        if fault is not None:
            self._world.tell(f"    {task.call}: {about} {TOLD[fault]}")
            task.call.troubles += 1
            self._world.maybe_jump(task.process, chance=0.5)
        if fault is Fault.DELAYED:
            for happen in self.when_delayed:
                happen(task.call)
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
