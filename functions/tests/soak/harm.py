"""What goes wrong in the soak: RPCs that fail, and servers that are killed."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import grpc
import psutil
from support.paths import FUNCTIONS
from support.proxy import Fault
from support.servers import free_port, kill, wait_for

FAULTS = (
    Fault(grpc.StatusCode.UNAVAILABLE),
    Fault(grpc.StatusCode.UNAVAILABLE, reply_lost=True),
    Fault(grpc.StatusCode.ABORTED),
    Fault(grpc.StatusCode.DEADLINE_EXCEEDED),
    Fault(grpc.StatusCode.DEADLINE_EXCEEDED, reply_lost=True, delay_seconds=0.3),
    Fault(grpc.StatusCode.INTERNAL, reply_lost=True),
    Fault(grpc.StatusCode.RESOURCE_EXHAUSTED),
)


class Misfortune:
    """Draws a fault, or none, for an RPC; the proxy asks from many threads."""

    def __init__(self, share: float) -> None:
        self._share = share  # of all RPCs
        self._chance = random.Random(11)
        self._deck: list[Fault] = []  # so that even a short run has every kind
        self._lock = threading.Lock()
        self.drawn: Counter[Fault] = Counter()
        self.asked = 0

    def __call__(self, rpc: str) -> Fault | None:
        with self._lock:
            self.asked += 1
            if self._chance.random() >= self._share:
                return None
            self._deck = self._deck or self._chance.sample(FAULTS, k=len(FAULTS))
            fault = self._deck.pop()
            self.drawn[fault] += 1
            return fault


class Server:
    """All functions behind functions-framework, always on the same port."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment, self._port = environment, free_port()
        self.url = f"http://127.0.0.1:{self._port}/"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "functions_framework", "--target", "everything"]
        source = ["--source", str(Path(__file__).with_name("everything.py"))]
        where = ["--host", "127.0.0.1", "--port", str(self._port)]
        self._process = psutil.Popen(
            [*command, *source, *where],
            cwd=FUNCTIONS,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for(f"{self.url}listModels")

    def kill(self) -> None:
        kill(self._process)
