"""Delivers what is in the outbox until it is killed, by a schedule that takes seconds, not days.

It is recovery and the queue in one process: what is due is delivered by a few threads.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from imagegen import event_data, tasks
from imagegen.notifications import delivery, event, recovery, sender

ATTEMPTS = 14


def main() -> None:
    settings: list[tuple[Any, str, Any]] = [
        (event, "LEASE", timedelta(seconds=2)),
        (event, "SCHEDULE", (timedelta(seconds=0.2),) * ATTEMPTS),
        (sender, "TIMEOUT_SECONDS", 0.5),
    ]
    for module, name, value in settings:
        setattr(module, name, value)
    at_work: set[str] = set()

    def deliver(event_id: str) -> None:
        try:
            delivery.deliver({"eventId": event_id}, event_data.of)
        finally:
            at_work.discard(event_id)

    with ThreadPoolExecutor(24) as pool:

        def enqueue(event_id: str, **_: Any) -> None:
            if event_id not in at_work:
                at_work.add(event_id)
                pool.submit(deliver, event_id)

        setattr(tasks, "enqueue_event", enqueue)  # noqa: B010 - mypy knows functions do not change
        while True:
            recovery.recover()
            time.sleep(0.1)


if __name__ == "__main__":
    main()
