"""The worker of background requests: lease, generate, settle.

Cloud Tasks delivers a task at least once, sometimes twice at the same time, and again after a
worker has died. The lease makes all of that one piece of work: a transaction moves the request to
`processing` under a fresh attempt id, for a limited time. An attempt that does not get the lease
comes back later; one that loses it (too slow, and taken over) can no longer settle.
"""

import uuid
from datetime import datetime, timedelta

from firebase_functions import https_fn
from pydantic import ValidationError

from imagegen import clock, config, db, logger, tasks
from imagegen.api.schema import DocumentId, WireModel
from imagegen.catalogue import catalogue
from imagegen.catalogue.catalogue import Catalogue
from imagegen.errors import BackendUnavailable
from imagegen.generation import job
from imagegen.generation.generate import generate_image, is_paid
from imagegen.generation.request import Mode, RequestDocument, Status
from imagegen.generation.settle import Outcome, settle
from imagegen.notifications import outbox
from imagegen.providers import run
from imagegen.providers.base import GeneratorError
from imagegen.providers.failures import Reason, failure

LEASE_MARGIN_SECONDS = 15  # added to the generator's time, for settling


class RetryLater(https_fn.HttpsError):
    """Makes Cloud Tasks deliver the task again, after its backoff.

    It answers 409: after 429 or 503, Cloud Tasks would slow down the whole queue for one request.
    """

    def __init__(self, why: str) -> None:
        super().__init__(https_fn.FunctionsErrorCode.ABORTED, why)


class GenerationTask(WireModel):
    """What a task says: which generation request to work on."""

    generation_request_id: DocumentId


def process(data: object) -> None:
    """Do one delivery of a task, whose `data` names the generation request.

    After a retryable failure, while attempts are left, the next attempt is a new task that waits as
    long as the provider asked. That a model is busy is no failure of this delivery: a queue slows
    down when many of its deliveries fail.

    Raises RetryLater when another attempt holds the lease, when this instance has no thread for a
    provider, or when the queue does not take the next attempt; BackendUnavailable when Firestore
    cannot be reached. Cloud Tasks then delivers the task again.
    """
    try:
        task = GenerationTask.model_validate(data, by_alias=True, by_name=False)
    except ValidationError:
        logger.error("task without a generation request")  # delivering it again would not help
        return
    offer = catalogue.current()  # before the lease: no attempt is lost when it cannot be read
    if run.threads.is_full:  # nor when it could not begin
        logger.error("no thread for a provider", generationRequestId=task.generation_request_id)
        raise RetryLater("too many generations are running")
    outbox.subscriptions()  # before the lease, too: the settle needs them
    lease = _take_lease(task.generation_request_id, offer)
    if lease is None:
        return
    timeout_seconds = config.ASYNC_ATTEMPT_SECONDS.value
    outcome = generate_image(lease, offer, timeout_seconds=timeout_seconds)
    if (delay_seconds := _delay_before_retry(lease, outcome)) is None:
        settle(lease, outcome)
        return
    _release_lease(lease)
    try:
        tasks.enqueue(lease.id, delay_seconds=delay_seconds)
    except BackendUnavailable as error:
        raise RetryLater("the queue did not take the next attempt") from error


def _delay_before_retry(lease: RequestDocument, outcome: Outcome) -> float | None:
    """Seconds until the next attempt, or None when there is to be none."""
    error = outcome.error
    if error is None or not error.retryable or lease.attempts >= config.ASYNC_MAX_ATTEMPTS.value:
        return None
    # Another attempt would be paid for again, or try a fallback model a second time.
    if (error.billed or outcome.fallback_model) and not _has_job(lease):
        return None
    backoff: float = config.ASYNC_MIN_BACKOFF_SECONDS.value * 2 ** (lease.attempts - 1)
    delay = max(min(backoff, config.ASYNC_MAX_BACKOFF_SECONDS.value), error.retry_after or 0)
    # A request that would expire while it waits is refunded now.
    left = (lease.expires_at - clock.now()).total_seconds()
    return delay if delay < left else None


def _has_job(lease: RequestDocument) -> bool:
    """Whether the vendor's job is stored by now, so that the next attempt resumes it."""
    (document,) = db.read(lease.path)
    current = RequestDocument(document)
    return current.exists and current.provider_job is not None


def _take_lease(generation_request_id: str, offer: Catalogue) -> RequestDocument | None:
    """The request, leased to this attempt, or None when there is nothing left to do."""
    path, attempt_id = db.generation_request(generation_request_id), uuid.uuid4().hex
    moment, was_paid_for = clock.now(), False

    def decide(transaction: db.Transaction) -> None:
        # As in a charge: an earlier commit may still arrive, so a clock that has jumped back must
        # not give up a lease that this call may already hold.
        nonlocal moment, was_paid_for
        moment = max(moment, clock.now())
        request = RequestDocument(transaction[path])
        if not _is_open(request):
            return
        if request.attempt_id == attempt_id:
            return  # an earlier commit of this call succeeded and only its reply was lost
        if request.status is Status.PROCESSING and _leased_until(request) > moment:
            raise RetryLater("another attempt is at work")
        was_paid_for = request.provider_call is not None and request.provider_job is None
        fields = _lease_fields(request, attempt_id, moment)
        if is_paid(request, offer):
            # Stored before the paid call, so that a crash during it is not answered by another.
            call = {"attemptId": attempt_id, "state": "sent"}
            fields |= RequestDocument.fields(provider_call=call)
        transaction.update(path, fields)

    request = RequestDocument(db.transact(decide, path)[path])
    if not _is_open(request):
        return None
    if request.attempts > config.ASYNC_MAX_ATTEMPTS.value:  # workers died, one after another
        error = GeneratorError("ATTEMPTS_EXHAUSTED", "The model gave no image.", retryable=True)
        settle(request, Outcome.failed(error))
        job.discard_images(request)
        return None
    if was_paid_for:  # by an attempt that died before it could store what it had paid for
        settle(request, Outcome.failed(failure(Reason.OUTCOME_UNKNOWN)))
        job.discard_images(request)
        return None
    return request


def _lease_fields(request: RequestDocument, attempt_id: str, moment: datetime) -> dict[str, object]:
    lease_seconds = config.ASYNC_ATTEMPT_SECONDS.value + LEASE_MARGIN_SECONDS
    leased_until = moment + timedelta(seconds=lease_seconds)
    deadline = moment + timedelta(seconds=config.ASYNC_DEADLINE_SECONDS.value)
    return RequestDocument.fields(
        status=Status.PROCESSING,
        attempts=request.attempts + 1,
        attempt_id=attempt_id,
        leased_until=leased_until,
        started_at=request.started_at or moment,
        expires_at=max(deadline, leased_until),
        updated_at=moment,
    )


def _leased_until(request: RequestDocument) -> datetime:
    return request.leased_until or request.created_at


def _is_open(request: RequestDocument) -> bool:
    return request.exists and request.mode is Mode.ASYNC and request.is_open


def _release_lease(lease: RequestDocument) -> None:
    """End the lease early, so that the next delivery need not wait for it."""

    def decide(transaction: db.Transaction) -> None:
        current = RequestDocument(transaction[lease.path])
        if not current.exists:
            return  # deleted meanwhile
        if current.attempt_id == lease.attempt_id and current.status is Status.PROCESSING:
            moment = clock.now()
            # Only an attempt that cost nothing, or one whose job can be resumed, comes here.
            released = RequestDocument.fields(
                leased_until=moment, updated_at=moment, provider_call=None
            )
            transaction.update(lease.path, released)

    db.transact(decide, lease.document)
