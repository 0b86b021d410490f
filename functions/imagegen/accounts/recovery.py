"""Recovery of accounts that leave: lost tasks are enqueued again."""

from datetime import datetime

from imagegen import clock, db, logger, tasks
from imagegen.accounts import closing
from imagegen.credits.closures import ClosureDocument
from imagegen.firestore.store import Query

PAGE_SIZE = 100


def recover() -> int:
    """Enqueue the closings that are due; how many.

    However far behind the queue is, it gets one task for a closing in ten minutes. Raises
    BackendUnavailable when Firestore or the queue cannot be reached.
    """
    page = db.query(due_query(clock.now()))
    for document in page:
        closing.postpone(ClosureDocument(document))
        tasks.enqueue_account("closureId", document.id)
    if page:
        logger.info("closures enqueued again", closures=len(page))
    return len(page)


def due_query(moment: datetime) -> Query:
    """A page of the closings that are due, the longest waiting first: only those have `dueAt`."""
    return Query(
        "accountClosures",
        where=[("dueAt", "<=", moment)],
        order_by=("dueAt", "ASCENDING"),
        limit=PAGE_SIZE,
    )
