"""Recovery of events: put on the queue again what is due and was not delivered.

That is every later attempt of the schedule, and whatever a lost task or a dead process has left.
"""

import time
from collections.abc import Iterator
from datetime import datetime

from imagegen import clock, db, logger, tasks
from imagegen.firestore.store import Document, Query

PAGE_SIZE = 100
MAX_PAGES = 50  # 5,000 events in a run; the next run takes the rest
RUN_SECONDS = 180.0  # or those of so much time: the function has 280, also for closing accounts


def recover() -> int:
    """Enqueue the events that are due; how many.

    Raises BackendUnavailable when Firestore or the queue cannot be reached.
    """
    enqueued, end = 0, time.monotonic() + RUN_SECONDS
    for document in _due(clock.now()):
        if time.monotonic() > end:
            break
        tasks.enqueue_event(document.id)
        enqueued += 1
    if enqueued:
        logger.info("events enqueued again", events=enqueued)
    return enqueued


def _due(horizon: datetime) -> Iterator[Document]:
    """The events of MAX_PAGES; a page is read when the one before is done."""
    after: tuple[datetime, str] | None = None
    for _ in range(MAX_PAGES):
        page = db.query(due_query(horizon, after))
        yield from page
        if len(page) < PAGE_SIZE:
            break
        after = (page[-1]["nextAttemptAt"], page[-1].id)


def due_query(horizon: datetime, after: tuple[datetime, str] | None = None) -> Query:
    """A page of the events of which an attempt is due, the longest waiting first."""
    return Query(
        "events",
        where=[("nextAttemptAt", "<=", horizon)],
        order_by=("nextAttemptAt", "ASCENDING"),
        limit=PAGE_SIZE,
        start_after=after,
        select=("nextAttemptAt",),
    )
