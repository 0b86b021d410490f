"""Recovery: a request whose process died after the charge is failed and refunded."""

from datetime import datetime

from imagegen import clock, db, logger
from imagegen.errors import ImagegenError
from imagegen.firestore.store import Document, Query
from imagegen.generation.settle import OPEN, Ending, settle
from imagegen.providers.base import GeneratorError

PAGE_SIZE = 100


def recover() -> int:
    """Settle every open request whose `expiresAt` is past; how many were.

    Runs in pages, logs each, and is safe to run twice at once, beside a worker that is late after
    all, and again after it died half-way: each request is settled by the one transaction that every
    road uses, and only if it is still open and still expired then.

    Raises ImagegenError, after the last page, when some requests could not be settled.
    """
    horizon, settled, failures = clock.now(), 0, 0
    after: tuple[datetime, str] | None = None
    while True:
        page = db.query(expired_query(horizon, after))
        for request in page:
            try:
                settled += _recover_one(request, horizon)
            except ImagegenError as error:
                failures += 1
                logger.error("not recovered", generationRequestId=request.id, error=repr(error))
        if page:
            logger.info("recovery", settled=settled, failures=failures)
        if len(page) < PAGE_SIZE:
            break
        after = (page[-1]["expiresAt"], page[-1].id)
    if failures:
        raise ImagegenError(f"{failures} requests could not be settled")
    return settled


def expired_query(horizon: datetime, after: tuple[datetime, str] | None = None) -> Query:
    """A page of the open requests that have expired, the longest waiting first."""
    return Query(
        "generationRequests",
        where=[("status", "in", list(OPEN)), ("expiresAt", "<=", horizon)],
        order_by=("expiresAt", "ASCENDING"),
        limit=PAGE_SIZE,
        start_after=after,
    )


def _recover_one(request: Document, horizon: datetime) -> bool:
    lost = GeneratorError("GENERATION_LOST", "The generation was interrupted.", retryable=True)
    ended = settle(
        request, Ending.failed(lost), only_if=lambda current: bool(current["expiresAt"] <= horizon)
    )
    return bool(ended["status"] == "failed" and ended["error"]["reason"] == lost.reason)
