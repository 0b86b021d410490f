"""A closed loop of clients over keep-alive connections: what they got, and how long it took."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]


@dataclass
class Sample:
    """Answers by status, latencies in seconds, and the time it all took."""

    codes: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def throughput(self, code: int) -> float:
        return self.codes[code] / self.seconds

    def percentile(self, share: float) -> float:
        """In milliseconds, by nearest rank."""
        ranked = sorted(self.latencies)
        return 1000 * ranked[min(len(ranked) - 1, int(share * len(ranked)))]

    def __add__(self, other: Sample) -> Sample:
        return Sample(
            self.codes + other.codes,
            self.latencies + other.latencies,
            self.seconds + other.seconds,
        )


def run(port: int, clients: int, seconds: float, body_for: Callable[[int, int], Body]) -> Sample:
    """Each client sends `body_for(client, its how-manieth)` as soon as it has its last answer."""
    sample, lock, begin = Sample(), threading.Lock(), threading.Barrier(clients + 1)
    end = [0.0]

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        codes: Counter[int] = Counter()
        latencies: list[float] = []
        begin.wait()
        while (started := time.perf_counter()) < end[0]:
            body = json.dumps(body_for(number, len(latencies)))
            codes[_post(connection, body)] += 1
            latencies.append(time.perf_counter() - started)
        connection.close()
        with lock:
            sample.codes += codes
            sample.latencies += latencies

    threads = [threading.Thread(target=client, args=[each], daemon=True) for each in range(clients)]
    for thread in threads:
        thread.start()
    started = time.perf_counter()
    end[0] = started + seconds
    begin.wait()
    for thread in threads:
        thread.join()
    sample.seconds = time.perf_counter() - started
    return sample


def _post(connection: http.client.HTTPConnection, body: str) -> int:
    try:
        connection.request("POST", "/", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        response.read()
    except (http.client.HTTPException, OSError):  # the server closes idle connections
        connection.close()
        return 0
    return response.status
