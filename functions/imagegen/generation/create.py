"""The life of a generation request: charge, generate, settle.

    create ── charge ──▶ pending ─────────── generate ──▶ completed
                            │  └ async ▶ processing ──┘      or
                            │                            failed, refunded
                            └── cancel ──▶ canceled, refunded

Three steps, each safe to lose. The charge is one transaction: balance, ledger entry and request are
written together or not at all. The generator runs outside any transaction. The settle is one
transaction too, and only an open request can be settled, so a request ends once: completed and
paid, or refunded. What is lost on the way is found by recovery.
"""

import uuid
from typing import Literal

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
from imagegen.generation.request import CreateGenerationRequest
from imagegen.generation.settle import OPEN, Ending, generate, settle
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
    RequestCanceled; RequestInProgress; and BackendUnavailable: without a generationRequestId in
    its details nothing was charged (the call has waited for too long to end in time, say), with one
    a charge may stand that is still to be settled.
    """
    caller.require_access_to(order.user_id)
    offers = catalogue.current()
    timeout_seconds = config.GENERATION_DEADLINE_SECONDS.value
    request_id, attempt_id = generation_request.request_id(order), uuid.uuid4().hex
    try:
        request = _charge(order, offers, request_id, attempt_id)
    except OutcomeUnknown as error:
        error.details["generationRequestId"] = request_id
        raise
    is_new = request["attemptId"] == attempt_id
    try:
        if request["mode"] == "async":
            request = _hand_over(request)
        elif is_new:
            request = settle(request, _generate(request, offers, timeout_seconds))
    except BackendUnavailable as error:
        error.details["generationRequestId"] = request_id
        raise
    return _answer(request, is_new=is_new)


def _charge(
    order: CreateGenerationRequest, offers: Catalogue, request_id: str, attempt_id: str
) -> Document:
    """Take the price and open the request, both or neither; the request as it then stands.

    Where the idempotency key has been used before, that is the earlier request, untouched.
    """
    path, moment = db.generation_request(request_id), clock.now()
    # Once for all attempts: one that was allowed may still be on its way when the next one decides.
    is_too_late = order.mode == "sync" and clock.seconds_into_call() > _latest_charge_seconds()

    def decide(transaction: db.Transaction) -> None:
        # An attempt before this one may still be on its way. A clock that has jumped back must not
        # refuse now what was allowed then.
        nonlocal moment
        moment = max(moment, clock.now())
        request = transaction[path]
        if request.exists:
            # Ours, if it has our attempt id: a commit of this call went through and only its reply
            # was lost. Else it is what the key has bought before.
            is_ours = request["attemptId"] == attempt_id
            if not is_ours and request["fingerprint"] != generation_request.fingerprint(order):
                raise IdempotencyKeyReused(generationRequestId=request_id)
            return
        if is_too_late:
            raise BackendUnavailable("The call has waited for too long, nothing was charged.")
        choice = offers.choose(
            model=order.model, style=order.style, color=order.color, size=order.size
        )
        fields = generation_request.new_request(order, choice, attempt_id, moment)
        ledger.deduct(transaction, order.user_id, request_id, choice.size.credits, moment)
        limits.admit(transaction, order.user_id, moment)
        if order.mode == "async":
            until = fields["expiresAt"]
            limits.occupy(transaction, order.user_id, request_id, moment, until)
        transaction.create(path, fields)

    # An id just drawn has nothing under it to read.
    request = Document(path) if order.idempotency_key is None else path
    return db.transact(decide, request, db.user(order.user_id))[path]


def _latest_charge_seconds() -> float:
    """How far into a call a charge may begin, so that its generation is settled before the end."""
    generation = config.GENERATION_DEADLINE_SECONDS.value
    transactions = 2 * db.LONGEST_TRANSACTION_SECONDS  # the charge and the settle
    return float(generation_request.FUNCTION_TIMEOUT_SECONDS - generation - transactions)


def _generate(request: Document, offers: Catalogue, timeout_seconds: float) -> Ending:
    try:
        return Ending.completed(generate(request, offers, timeout_seconds=timeout_seconds))
    except GeneratorError as error:
        return Ending.failed(error)


def _hand_over(request: Document) -> Document:
    """Put a background request that no worker has taken yet on the queue; refund it if that fails.

    A repeated call does it again, in case the first one died before it could: the worker's lease
    makes a second delivery harmless.
    """
    if request["status"] != "pending":
        return request
    try:
        tasks.enqueue(request.id)
    except BackendUnavailable:
        error = GeneratorError("QUEUE_UNAVAILABLE", "The queue is out of reach.", retryable=True)
        return settle(request, Ending.failed(error))
    return request


def _answer(request: Document, *, is_new: bool) -> Reply:
    """What the client is told of its request, at once and whenever it asks again by its key."""
    headers = {} if is_new else {"Idempotency-Replayed": "true"}
    status = request["status"]
    if status == "completed" or (status in OPEN and request["mode"] == "async"):
        body = Generation(
            generation_request_id=request.id,
            deducted_credits=request["credits"],
            image_url=request["imageUrl"],
            status=None if status == "completed" else status,
        )
        return Reply(body, headers=headers) if status == "completed" else _accepted(body, headers)
    refusal = _refusal(request)
    refusal.headers |= headers
    raise refusal


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


def _refusal(request: Document) -> ImagegenError:
    if request["status"] in OPEN:
        return RequestInProgress(generationRequestId=request.id)
    refunded = {"generationRequestId": request.id, "refundedCredits": request["credits"]}
    if request["status"] == "canceled":
        return RequestCanceled(**refunded)
    error = request["error"]
    match error["reason"]:
        case "GENERATION_TIMEOUT":
            return GenerationTimeout(**refunded, retryable=error["retryable"])
        case "QUEUE_UNAVAILABLE":
            return BackendUnavailable("The queue is out of reach, credits refunded.", **refunded)
        case _:
            return GenerationFailed(**refunded, retryable=error["retryable"])


def cancel(
    asked: generation_endpoints.NamedRequest, caller: Caller
) -> generation_endpoints.GenerationRequest:
    """Cancel a request that no one works on yet, with its refund; again, the same answer.

    Raises GenerationRequestNotFound, NotCancelable.
    """
    request = generation_endpoints.find(asked, caller)
    settled = settle(
        request, Ending("canceled"), only_if=lambda current: bool(current["status"] == "pending")
    )
    if settled["status"] != "canceled":
        raise NotCancelable(generationRequestId=request.id, status=settled["status"])
    return generation_endpoints.as_seen(settled)
