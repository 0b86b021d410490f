"""Recovery: fail and refund the requests whose process died after the charge."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from imagegen import clock, db, logger
from imagegen.errors import GenerationRequestNotFound, ImagegenError
from imagegen.firestore.store import Query
from imagegen.generation import job
from imagegen.generation.request import OPEN, RequestDocument, Status
from imagegen.generation.settle import Outcome, settle
from imagegen.providers.base import GeneratorError

PAGE_SIZE = 100
# Requests that use up their deadline must not keep the others waiting until the run times out.
THREADS = 16
DEADLINE_SECONDS = 5.0


def recover() -> int:
    """What `recover_all` does; how many requests were settled.

    Raises ImagegenError, after the last page, when some requests could not be settled.
    """
    settled, failures = recover_all()
    if failures:
        raise ImagegenError(f"{failures} requests could not be settled")
    return settled


def recover_all() -> tuple[int, int]:
    """Settle every open request whose `expiresAt` has passed; how many, and how many failed.

    Safe to run twice at once, beside a worker that is late, and again after it died half-way: a
    request is ended by `settle`, like everywhere else, and only if it is still open and expired.
    A request that cannot be settled, for whatever reason, is logged and the others go on.
    """
    horizon, settled, failures = clock.now(), 0, 0
    after: tuple[datetime, str] | None = None
    while True:
        page = [RequestDocument(document) for document in db.query(expired_query(horizon, after))]
        results = list(_map(lambda request: _recover_one(request, horizon), page))
        settled += results.count(True)
        failures += results.count(None)
        if page:
            logger.info("recovery", settled=settled, failures=failures)
        if len(page) < PAGE_SIZE:
            break
        after = (page[-1].expires_at, page[-1].id)
    return settled, failures


def expired_query(horizon: datetime, after: tuple[datetime, str] | None = None) -> Query:
    """A page of the open requests that have expired, the longest waiting first."""
    return Query(
        "generationRequests",
        where=[("status", "in", list(OPEN)), ("expiresAt", "<=", horizon)],
        order_by=("expiresAt", "ASCENDING"),
        limit=PAGE_SIZE,
        start_after=after,
    )


def _map(
    function: Callable[[RequestDocument], bool | None], page: list[RequestDocument]
) -> Iterable[bool | None]:
    with ThreadPoolExecutor(THREADS) as pool:
        return pool.map(function, page)


def _recover_one(request: RequestDocument, horizon: datetime) -> bool | None:
    """Whether it was settled here; None if that failed."""
    lost = GeneratorError("GENERATION_LOST", "The generation was interrupted.", retryable=True)
    try:
        settled = settle(
            request,
            Outcome.failed(lost),
            only_if=lambda current: current.expires_at <= horizon,
            deadline_seconds=DEADLINE_SECONDS,
        )
    except GenerationRequestNotFound:
        return False  # deleted since the query
    except Exception as error:  # noqa: BLE001 - one bad document must not stop the others
        logger.error("not recovered", path=request.path, error=repr(error))
        return None
    is_lost = settled.status is Status.FAILED and (settled.error or {}).get("reason") == lost.reason
    if is_lost:
        job.discard_images(settled)
    return is_lost
