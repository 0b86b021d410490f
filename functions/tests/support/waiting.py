"""Waiting for what another thread does."""

import time
from collections.abc import Callable


def wait_until(is_so: Callable[[], bool], *, seconds: float = 10.0) -> None:
    """Return when `is_so`; raise AssertionError when it is not so in time."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"not so after {seconds} seconds"
        time.sleep(0.01)
