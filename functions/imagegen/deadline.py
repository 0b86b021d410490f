"""A deadline for code that has none of its own, and the threads in which it runs."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

IDLE_SECONDS = 60.0  # after which a thread without work ends

Result = TypeVar("Result")


class NoThread(Exception):
    """As many calls are running as may run at the same time."""


class Threads:
    """Runs calls with a deadline, each in another thread, at most `limit()` at a time.

    Python cannot stop a thread, so a call that takes longer runs on in the background, and what it
    does then must be harmless. It counts until it ends: calls that hang cannot fill the instance.
    """

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._pool = Pool()
        self._lock = threading.Lock()
        self._running = 0

    @property
    def is_full(self) -> bool:
        return self._running >= self._limit()

    def call(self, function: Callable[[], Result], *, seconds: float, name: str) -> Result:
        """What `function` returns or raises, if that takes at most `seconds`.

        The thread is called `name` meanwhile.

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
            self._pool.start(run, name)
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


class Pool:
    """Threads that run one function after another: to start one takes longer than to wake one.

    The threads of `ThreadPoolExecutor` would keep a process from ending while one of them hangs.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[SimpleQueue[tuple[Callable[[], None], str]]] = []  # their inboxes

    def start(self, function: Callable[[], None], name: str) -> None:
        """Run `function`, which must not raise, in a thread called `name`.

        Raises RuntimeError when the system has no more threads.
        """
        with self._lock:
            inbox = self._idle.pop() if self._idle else None
        if inbox is None:
            inbox = SimpleQueue()
            threading.Thread(target=self._work, args=[inbox], daemon=True).start()
        inbox.put((function, name))

    def _work(self, inbox: SimpleQueue[tuple[Callable[[], None], str]]) -> None:
        thread = threading.current_thread()
        while True:
            try:
                function, thread.name = inbox.get(timeout=IDLE_SECONDS)
            except Empty:
                if self._is_left(inbox):
                    return
                continue
            function()
            del function  # with all that it holds, such as an image
            with self._lock:
                self._idle.append(inbox)

    def _is_left(self, inbox: SimpleQueue[tuple[Callable[[], None], str]]) -> bool:
        """Whether nobody will put anything into `inbox`; else something is on its way."""
        with self._lock:
            if inbox not in self._idle:
                return False
            self._idle.remove(inbox)
            return True
