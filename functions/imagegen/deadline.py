"""A deadline for code that has none of its own."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

Result = TypeVar("Result")


class NoThread(Exception):
    """As many calls are running as may run at the same time."""


class Threads:
    """Runs calls with a deadline, each in a thread of its own, at most `limit()` at a time.

    Python cannot stop a thread, so a call that takes longer runs on in the background, and what it
    does then must be harmless. It counts until it ends: calls that hang cannot fill the instance.
    """

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._running = 0

    @property
    def is_full(self) -> bool:
        return self._running >= self._limit()

    def call(self, function: Callable[[], Result], *, seconds: float, name: str) -> Result:
        """What `function` returns or raises, if that takes at most `seconds`; `name` is the thread.

        Raises TimeoutError, and NoThread when `function` was not called.
        """
        results: SimpleQueue[tuple[Result, None] | tuple[None, BaseException]] = SimpleQueue()

        def run() -> None:
            result: tuple[Result, None] | tuple[None, BaseException]
            try:
                result = (function(), None)
            except BaseException as error:  # noqa: BLE001 - raised in the caller's thread instead
                result = (None, error)
            self._leave()
            results.put(result)

        self._enter()
        try:
            threading.Thread(target=run, name=name, daemon=True).start()
        except RuntimeError as none_left:  # the system has no more threads
            self._leave()
            raise NoThread(name) from none_left
        try:
            value, error = results.get(timeout=max(0.0, seconds))
        except Empty:
            raise TimeoutError(f"{name} took longer than {seconds} seconds") from None
        if error is not None:
            raise error
        return value  # type: ignore[return-value] # there is a result where there is no error

    def _enter(self) -> None:
        with self._lock:
            if self.is_full:
                raise NoThread(f"{self._running} calls are running")
            self._running += 1

    def _leave(self) -> None:
        with self._lock:
            self._running -= 1
