"""A deadline for code that has none of its own."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

Result = TypeVar("Result")


def call(function: Callable[[], Result], *, seconds: float, name: str) -> Result:
    """What `function` returns or raises, if that takes at most `seconds`.

    It runs in a thread of its own called `name`. Python cannot stop a thread, so a function that
    takes longer runs on in the background and what it does then must be harmless.

    Raises TimeoutError.
    """
    results: SimpleQueue[tuple[Result, None] | tuple[None, BaseException]] = SimpleQueue()

    def run() -> None:
        try:
            results.put((function(), None))
        except BaseException as error:  # noqa: BLE001 - raised in the caller's thread instead
            results.put((None, error))

    threading.Thread(target=run, name=name, daemon=True).start()
    try:
        result, error = results.get(timeout=max(0.0, seconds))
    except Empty:
        raise TimeoutError(f"{name} took longer than {seconds} seconds") from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value] # there is a result where there is no error
