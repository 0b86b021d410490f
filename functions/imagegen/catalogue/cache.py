"""A value that one thread loads for all, and that outlives a failure to load it again."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from imagegen import logger
from imagegen.errors import BackendUnavailable

Value = TypeVar("Value")

STALE_SECONDS = 600.0  # how long an expired value is served while no other can be loaded
RETRY_SECONDS = 5.0  # how long it is served before the next try


class Cache(Generic[Value]):
    """Keeps what `load` returns. One thread loads; the others wait for it and share its failure."""

    def __init__(
        self,
        load: Callable[[], Value],
        condition: threading.Condition | None = None,
        *,
        name: str = "catalogue",
    ) -> None:
        self._load = load
        self._name = name
        self._changed = condition or threading.Condition()
        self._value: Value | None = None
        self._loaded_at = 0.0
        self._retry_at = 0.0
        self._is_loading = False
        self._is_outdated = False  # what is being loaded
        self._failures = 0
        self._failure: BackendUnavailable | None = None

    def get(self, max_age_seconds: float) -> Value:
        """The value, at most `max_age_seconds` old, or 10 minutes more while loading fails.

        Raises BackendUnavailable when it cannot be loaded and there is no such value.
        """
        with self._changed:
            failures = self._failures
            while True:
                if (value := self._usable(max_age_seconds)) is not None:
                    return value
                if self._failures > failures and self._failure is not None:
                    # An error of its own for each: whoever catches it adds to its details.
                    raise BackendUnavailable from self._failure
                if not self._is_loading:
                    break
                self._changed.wait()
            self._is_loading, self._is_outdated = True, False
        try:
            value = self._load()
        except BackendUnavailable as error:
            return self._failed(error, max_age_seconds)
        except BaseException:
            self._finish()
            raise
        self._finish(value)
        return value

    def clear(self) -> None:
        """Load the value at the next call."""
        with self._changed:
            self._value, self._is_outdated = None, True

    def _usable(self, max_age_seconds: float) -> Value | None:
        now = time.monotonic()
        is_fresh = now - self._loaded_at < max_age_seconds or now < self._retry_at
        return self._value if is_fresh else None

    def _finish(self, value: Value | None = None) -> None:
        with self._changed:
            if value is not None and not self._is_outdated:
                self._value, self._loaded_at, self._retry_at = value, time.monotonic(), 0.0
            self._is_loading = False
            self._changed.notify_all()

    def _failed(self, error: BackendUnavailable, max_age_seconds: float) -> Value:
        with self._changed:
            self._is_loading = False
            self._failures += 1
            self._failure = error
            now = time.monotonic()
            too_old = now - self._loaded_at >= max_age_seconds + STALE_SECONDS
            if self._value is not None and not too_old:
                self._retry_at = now + RETRY_SECONDS
            self._changed.notify_all()
            if self._value is None or too_old:
                raise error
            logger.error(f"{self._name} is stale", seconds=round(now - self._loaded_at))
            return self._value
