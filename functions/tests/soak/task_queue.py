"""A queue that does as Cloud Tasks: it delivers at least once, and again after a failure."""

from __future__ import annotations

import heapq
import itertools
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
from support.task_api import TaskApi

DELIVERERS = 8
TWICE = 0.05  # of all tasks
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 2.0


class TaskQueue:
    """Takes tasks from firebase_admin at `address`; delivers them to functions below `url`."""

    def __init__(self) -> None:
        self.url = ""
        self.delivered = 0
        self._chance = random.Random(3)
        self._waiting: list[tuple[float, int, str, bytes, float]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._at_work, self._stopped = 0, False
        self._api = TaskApi(self._take)
        self.address = self._api.address
        self._deliverers = ThreadPoolExecutor(DELIVERERS)
        for _ in range(DELIVERERS):
            self._deliverers.submit(self._deliver)

    def drain(self, timeout_seconds: float) -> None:
        """Return when every task has been done."""
        with self._changed:
            is_done = self._changed.wait_for(
                lambda: not self._waiting and not self._at_work, timeout_seconds
            )
        assert is_done, f"{len(self._waiting)} tasks are left"

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._deliverers.shutdown()
        self._api.stop()

    def _take(self, function: str, body: bytes) -> None:
        with self._changed:
            times = 2 if self._chance.random() < TWICE else 1
            for _ in range(times):
                self._put(function, body, FIRST_PAUSE_SECONDS, time.monotonic())

    def _put(self, function: str, body: bytes, pause_seconds: float, at: float) -> None:
        heapq.heappush(self._waiting, (at, next(self._order), function, body, pause_seconds))
        self._changed.notify_all()

    def _deliver(self) -> None:
        with httpx.Client(timeout=60, trust_env=False) as client:
            while (task := self._next()) is not None:
                _, _, function, body, pause_seconds = task
                is_done = self._is_done(client, function, body)
                with self._changed:
                    self._at_work -= 1
                    self.delivered += 1
                    if not is_done:
                        longer = min(LONGEST_PAUSE_SECONDS, 2 * pause_seconds)
                        self._put(function, body, longer, time.monotonic() + pause_seconds)
                    self._changed.notify_all()

    def _next(self) -> tuple[float, int, str, bytes, float] | None:
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                if self._waiting and self._waiting[0][0] <= now:
                    self._at_work += 1
                    return heapq.heappop(self._waiting)
                self._changed.wait(self._waiting[0][0] - now if self._waiting else None)
        return None

    def _is_done(self, client: httpx.Client, function: str, body: bytes) -> bool:
        headers = {"Content-Type": "application/json"}
        try:
            return client.post(f"{self.url}{function}", content=body, headers=headers).is_success
        except httpx.TransportError:
            return False  # killed, or not there again yet
