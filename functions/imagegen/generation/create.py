"""The life of a generation request: charge, generate, settle.

    create ── charge ──▶ pending ─────────── generate ──▶ completed
                            │  └ async ▶ processing ──┘      or
                            │                            failed, refunded
                            └── cancel ──▶ canceled, refunded

The process may die between any two of the three steps. The charge is one transaction: balance,
ledger entry and request are written together or not at all. The provider runs outside any
transaction. The settle is one transaction too, and only an open request can be settled, so a
request ends once: completed and paid, or refunded. What a dead process leaves open, recovery ends.
"""

import uuid
from typing import Any, Literal

from pydantic import Field

from imagegen import clock, config, db, tasks
from imagegen.api.auth import Caller
from imagegen.api.schema import Reply, WireModel, is_none
from imagegen.catalogue import catalogue
from imagegen.catalogue.catalogue import Catalogue
from imagegen.credits import ledger, limits
from imagegen.errors import (
    BackendUnavailable,
    GenerationFailed,
    GenerationTimeout,
    IdempotencyKeyReused,
    ImagegenError,
    NotCancelable,
    OutcomeUnknown,
    RequestCanceled,
    RequestInProgress,
)
from imagegen.firestore.store import Document
from imagegen.generation import endpoints as generation_endpoints
from imagegen.generation import request as generation_request
from imagegen.generation.request import CreateGenerationRequest, Mode, RequestDocument, Status
from imagegen.generation.settle import Outcome, generate_image, settle
from imagegen.providers.base import GeneratorError


class Generation(WireModel):
    """The image, and what it cost; without an image yet, `status` says so."""

    generation_request_id: str
    deducted_credits: int
    image_url: str | None
    status: Literal["pending", "processing"] | None = Field(default=None, exclude_if=is_none)


def create(order: CreateGenerationRequest, caller: Caller) -> Reply:
    """Charge the price, generate the image, and settle: keep the credits or give them back.

    Raises, with nothing charged: NotOwner, UnknownOption, UserNotFound, RateLimited,
    InsufficientCredits, IdempotencyKeyReused; refunded: GenerationFailed, GenerationTimeout,
    RequestCanceled; RequestInProgress; and BackendUnavailable, whose details carry a
    generationRequestId when a charge may stand that is still to be settled.
    """
    caller.require_access_to(order.user_id)
    offer = catalogue.current()
    timeout_seconds = config.GENERATION_DEADLINE_SECONDS.value
    request_id, attempt_id = generation_request.request_id(order), uuid.uuid4().hex
    try:
        request = _charge(order, offer, request_id, attempt_id)
    except OutcomeUnknown as error:
        error.details["generationRequestId"] = request_id
        raise
    is_new = request.attempt_id == attempt_id
    try:
        if request.mode is Mode.ASYNC:
            request = _enqueue(request)
        elif is_new:
            outcome = generate_image(request, offer, timeout_seconds=timeout_seconds)
            request = settle(request, outcome)
    except BackendUnavailable as error:
        error.details["generationRequestId"] = request_id
        raise
    return _answer(request, is_new=is_new)


def _charge(
    order: CreateGenerationRequest, offer: Catalogue, request_id: str, attempt_id: str
) -> RequestDocument:
    """Take the price and open the request, both or neither; return the request as it then stands.

    If the idempotency key has been used before, that is the earlier request, untouched.
    """
    path, moment = db.generation_request(request_id), clock.now()

    def decide(transaction: db.Transaction) -> None:
        # An earlier commit of this call may still arrive. A clock that has jumped back must not
        # refuse now what was allowed then.
        nonlocal moment
        moment = max(moment, clock.now())
        request = RequestDocument(transaction[path])
        if request.exists:
            # With our attempt id it is ours: an earlier commit of this call succeeded and only its
            # reply was lost. Otherwise it is what the key bought before.
            is_ours = request.attempt_id == attempt_id
            if not is_ours and request.fingerprint != generation_request.fingerprint(order):
                raise IdempotencyKeyReused(generationRequestId=request_id)
            return
        choice = offer.choose(
            model=order.model, style=order.style, color=order.color, size=order.size
        )
        fields = generation_request.new_request(order, choice, attempt_id, moment)
        ledger.deduct(transaction, order.user_id, request_id, choice.size.credits, moment)
        limits.admit(transaction, order.user_id, moment)
        if order.mode is Mode.ASYNC:
            until = fields["expiresAt"]
            limits.occupy(transaction, order.user_id, request_id, moment, until)
        transaction.create(path, fields)

    # There is nothing to read under an id that was drawn just now.
    request = Document(path) if order.idempotency_key is None else path
    return RequestDocument(db.transact(decide, request, db.user(order.user_id))[path])


def _enqueue(request: RequestDocument) -> RequestDocument:
    """Put a pending background request on the queue; refund it if that fails.

    A repeated call does it again, in case the first one died before it could: the worker's lease
    makes a second delivery harmless.
    """
    if request.status is not Status.PENDING:
        return request
    try:
        tasks.enqueue(request.id)
    except BackendUnavailable:
        error = GeneratorError("QUEUE_UNAVAILABLE", "The queue is out of reach.", retryable=True)
        return settle(request, Outcome.failed(error))
    return request


def _answer(request: RequestDocument, *, is_new: bool) -> Reply:
    """What the client is told of its request, now and whenever it repeats the call by its key."""
    headers = {} if is_new else {"Idempotency-Replayed": "true"}
    completed = request.status is Status.COMPLETED
    if completed or (request.is_open and request.mode is Mode.ASYNC):
        body = Generation(
            generation_request_id=request.id,
            deducted_credits=request.credits,
            image_url=request.image_url,
            status=None if completed else request.status,
        )
        return Reply(body, headers=headers) if completed else _accepted(body, headers)
    error = _error(request)
    error.headers |= headers
    raise error


def _accepted(body: Generation, headers: dict[str, str]) -> Reply:
    location = f"getGenerationStatus?generationRequestId={body.generation_request_id}"
    return Reply(
        body,
        code=202,
        headers=headers
        | {
            "Location": location,
            "Retry-After": generation_endpoints.RETRY_AFTER_SECONDS,
            "Preference-Applied": "respond-async",
        },
    )


def _error(request: RequestDocument) -> ImagegenError:
    if request.is_open:
        return RequestInProgress(generationRequestId=request.id)
    refunded: dict[str, Any] = {
        "generationRequestId": request.id,
        "refundedCredits": request.credits,
    }
    if request.status is Status.CANCELED:
        return RequestCanceled(**refunded)
    error = request.error or {}
    retryable = error.get("retryable") is True
    match error.get("reason"):
        case "GENERATION_TIMEOUT":
            return GenerationTimeout(**refunded, retryable=retryable)
        case "QUEUE_UNAVAILABLE":
            return BackendUnavailable("The queue is out of reach, credits refunded.", **refunded)
        case _:
            return GenerationFailed(**refunded, retryable=retryable)


def cancel(
    asked: generation_endpoints.NamedRequest, caller: Caller
) -> generation_endpoints.GenerationRequest:
    """Cancel a request that no one works on yet, with its refund; again, the same answer.

    Raises GenerationRequestNotFound, NotCancelable.
    """
    request = generation_endpoints.find(asked, caller)
    settled = settle(
        request, Outcome.canceled(), only_if=lambda current: current.status is Status.PENDING
    )
    if settled.status is not Status.CANCELED:
        raise NotCancelable(generationRequestId=request.id, status=settled.status)
    return generation_endpoints.as_seen(settled)
