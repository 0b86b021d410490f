"""The worker of the asynchronous road: lease, generate, settle.

Cloud Tasks delivers a task at least once, sometimes twice at the same time, and again after a
worker has died. The lease makes all of that one piece of work: it is a transaction that moves the
request to `processing` under a fresh attempt id, for a limited time. Who does not get it comes back
later; who loses it (too slow, and taken over) can no longer settle.
"""

import uuid
from datetime import timedelta

from firebase_functions import https_fn
from pydantic import ValidationError

from imagegen import clock, config, db, logger
from imagegen.catalogue import catalogue
from imagegen.firestore.store import Document
from imagegen.generation.endpoints import NamedRequest
from imagegen.generation.settle import OPEN, Ending, generate, settle
from imagegen.providers.base import GeneratorError

LEASE_MARGIN_SECONDS = 15  # beyond the generator's time: for settling


class ComeBackLater(https_fn.HttpsError):
    """Makes Cloud Tasks deliver the task again, after its backoff."""

    def __init__(self, why: str) -> None:
        super().__init__(https_fn.FunctionsErrorCode.UNAVAILABLE, why)


def process(data: object) -> None:
    """Do one delivery of a task, whose `data` names the generation request.

    Raises ComeBackLater when another attempt holds the lease, or a retryable failure leaves
    attempts; BackendUnavailable when Firestore is out of reach. Both are delivered again.
    """
    try:
        named = NamedRequest.model_validate(data, by_alias=True, by_name=False)
    except ValidationError:
        logger.error("task without a generation request")  # no delivery will be better
        return
    lease = _take_lease(named.generation_request_id)
    if lease is None:
        return
    timeout_seconds = config.ASYNC_ATTEMPT_SECONDS.value
    try:
        url = generate(lease, catalogue.current(), timeout_seconds=timeout_seconds)
    except GeneratorError as error:
        if error.retryable and lease["attempts"] < config.ASYNC_MAX_ATTEMPTS.value:
            _give_back(lease)
            raise ComeBackLater(error.reason) from error
        settle(lease, Ending.failed(error))
    else:
        settle(lease, Ending.completed(url))


def _take_lease(generation_request_id: str) -> Document | None:
    """The request, leased to this attempt, or None when there is nothing left to do."""
    path, attempt_id = db.generation_request(generation_request_id), uuid.uuid4().hex
    moment = clock.now()

    def decide(transaction: db.Transaction) -> None:
        # As in a charge: an attempt before this one may still be on its way, and a clock that has
        # jumped back must not give up the lease that it may take.
        nonlocal moment
        moment = max(moment, clock.now())
        request = transaction[path]
        if not _is_open(request):
            return
        if request["attemptId"] == attempt_id:
            return  # ours: an earlier commit went through, only its reply was lost
        if request["status"] == "processing" and request["leasedUntil"] > moment:
            raise ComeBackLater("another attempt is at work")
        lease_seconds = config.ASYNC_ATTEMPT_SECONDS.value + LEASE_MARGIN_SECONDS
        leased_until = moment + timedelta(seconds=lease_seconds)
        alive = moment + timedelta(seconds=config.ASYNC_DEADLINE_SECONDS.value)
        transaction.update(
            path,
            {
                "status": "processing",
                "attempts": request["attempts"] + 1,
                "attemptId": attempt_id,
                "leasedUntil": leased_until,
                "startedAt": request["startedAt"] or moment,
                "expiresAt": max(alive, leased_until),
                "updatedAt": moment,
            },
        )

    request = db.transact(decide, path)[path]
    if not _is_open(request):
        return None
    if request["attempts"] > config.ASYNC_MAX_ATTEMPTS.value:  # workers died, one after another
        error = GeneratorError("ATTEMPTS_EXHAUSTED", "The model gave no image.", retryable=True)
        settle(request, Ending.failed(error))
        return None
    return request


def _is_open(request: Document) -> bool:
    return request.exists and request["mode"] == "async" and request["status"] in OPEN


def _give_back(lease: Document) -> None:
    """End the lease early, so that the next delivery need not wait for it."""

    def decide(transaction: db.Transaction) -> None:
        current = transaction[lease.path]
        if current["attemptId"] == lease["attemptId"] and current["status"] == "processing":
            moment = clock.now()
            transaction.update(lease.path, {"leasedUntil": moment, "updatedAt": moment})

    db.transact(decide, lease)
