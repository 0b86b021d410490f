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

AT_ONCE = {"processGeneration": 8, "deliverEvent": 8, "processAccount": 4}
TWICE = 0.05  # of all tasks
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 2.0
LONGEST_TASK_SECONDS = 540
Task = tuple[float, int, bytes, float]  # when it is due, its number, its body, the next pause


class TaskQueue:
    """Takes tasks from firebase_admin at `address`; delivers them to functions below `url`."""

    def __init__(self) -> None:
        self.url = ""
        self.delivered = 0
        self._chance = random.Random(3)
        self._waiting: dict[str, list[Task]] = {f: [] for f in AT_ONCE}
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._at_work, self._stopped = 0, False
        self._api = TaskApi(self._take)
        self.address = self._api.address
        self._deliverers = ThreadPoolExecutor(sum(AT_ONCE.values()))
        for function, number in AT_ONCE.items():
            for _ in range(number):
                self._deliverers.submit(self._deliver, function)

    def drain(self, timeout_seconds: float) -> None:
        """Return when every task has been done."""
        with self._changed:
            is_done = self._changed.wait_for(
                lambda: not any(self._waiting.values()) and not self._at_work, timeout_seconds
            )
        left = {function: len(waiting) for function, waiting in self._waiting.items()}
        assert is_done, f"tasks are left: {left}"

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
        heapq.heappush(self._waiting[function], (at, next(self._order), body, pause_seconds))
        self._changed.notify_all()

    def _deliver(self, function: str) -> None:
        with httpx.Client(timeout=LONGEST_TASK_SECONDS, trust_env=False) as client:
            while (task := self._next(self._waiting[function])) is not None:
                _, _, body, pause_seconds = task
                is_done = self._is_done(client, function, body)
                with self._changed:
                    self._at_work -= 1
                    self.delivered += 1
                    if not is_done:
                        longer = min(LONGEST_PAUSE_SECONDS, 2 * pause_seconds)
                        self._put(function, body, longer, time.monotonic() + pause_seconds)
                    self._changed.notify_all()

    def _next(self, waiting: list[Task]) -> Task | None:
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                if waiting and waiting[0][0] <= now:
                    self._at_work += 1
                    return heapq.heappop(waiting)
                self._changed.wait(waiting[0][0] - now if waiting else None)
        return None

    def _is_done(self, client: httpx.Client, function: str, body: bytes) -> bool:
        headers = {"Content-Type": "application/json"}
        try:
            return client.post(f"{self.url}{function}", content=body, headers=headers).is_success
        except httpx.TransportError:
            return False  # killed, or not there again yet
