"""The threads of imagegen, as tasks of the simulated world.

Takes the place of `Pool`, `Thread` and `SimpleQueue` and of nothing else, so that whatever runs
under a deadline is the real code: it is abandoned when its time is over, and runs on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from queue import Empty
from typing import Any

from simulation.world import Task, World


class Threads:
    """Makes threads and mailboxes; a caller may go on late, though its result is there."""

    def __init__(self, world: World, *, stall_rate: float) -> None:
        self._world = world
        self._stall_rate = stall_rate
        self.over = False

    def start(self, function: Callable[[], None], name: str) -> None:
        """Takes the place of `Pool.start`."""
        self.thread(target=function, name=name, daemon=True).start()

    def thread(self, *, target: Callable[[], None], name: str, daemon: bool) -> Thread:
        return Thread(self._world, target, name)

    def mailbox(self) -> Mailbox:
        return Mailbox(self._world, self._stall)

    def _stall(self) -> None:
        """The process, and not what it waits for, takes its time."""
        random = self._world.random
        if not self.over and random.random() < self._stall_rate:
            self._world.pause(random.choice((1, 30, 100, 400)))


class Thread:
    """A thread of the current call: it dies with the process, and not with the call."""

    def __init__(self, world: World, target: Callable[[], None], name: str) -> None:
        self._world = world
        self._target = target
        self._name = name
        self._ended = Mailbox(world, lambda: None)

    def start(self) -> None:
        self._world.spawn("thread", self._name, self._run, parent=self._world.running())

    def _run(self) -> None:
        self._target()
        self._ended.put(None)

    def join(self, timeout: float) -> None:
        with contextlib.suppress(Empty):
            self._ended.get(timeout)


class Mailbox:
    """Holds one result for one caller."""

    def __init__(self, world: World, stall: Callable[[], None]) -> None:
        self._world = world
        self._stall = stall
        self._items: list[Any] = []
        self._waiting: Task | None = None

    def put(self, item: Any) -> None:
        self._items.append(item)
        self._world.after(0, self._wake)

    def get(self, timeout: float) -> Any:
        if not self._items:
            self._waiting = self._world.running()
            self._world.after(timeout, self._wake)
            self._world.suspend(self._waiting)
        if not self._items:
            raise Empty
        self._stall()
        return self._items[0]

    def _wake(self) -> None:
        task, self._waiting = self._waiting, None
        if task is not None:
            self._world.resume(task)
