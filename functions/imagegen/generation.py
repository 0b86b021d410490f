"""The life of a generation request: charge, generate, settle.

    create ── charge ──▶ pending ── generate ──▶ completed
                            └─────── no image ──▶ failed, refunded

Three steps, each safe to lose. The charge is one transaction: balance, ledger entry and request are
written together or not at all. The generator runs outside any transaction. The settle is one
transaction too, and only an open request can be settled, so a request ends once: completed and
paid, or refunded.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from firebase_functions import logger
from pydantic import AfterValidator, StringConstraints

from imagegen import catalogue, clock, config, credits, db, generators
from imagegen.auth import Caller
from imagegen.catalogue import Choice
from imagegen.errors import (
    BackendUnavailable,
    GenerationFailed,
    GenerationTimeout,
    OutcomeUnknown,
)
from imagegen.generators.base import GenerationJob, GeneratorError
from imagegen.store import Document
from imagegen.wire import DocumentId, WireModel, printable

OPEN = ("pending", "processing")
# The function's own time limit; a synchronous request that is still open a margin after it is lost.
FUNCTION_TIMEOUT_SECONDS = 90
EXPIRY_MARGIN_SECONDS = 30

OptionName = Annotated[
    str, StringConstraints(min_length=1, max_length=100), AfterValidator(printable)
]
Prompt = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2000),
    AfterValidator(printable),
]


class CreateGenerationRequest(WireModel):
    """An order for one image. The prompt counts 1 to 2000 characters after trimming."""

    user_id: DocumentId
    model: OptionName
    style: OptionName
    color: OptionName
    size: OptionName
    prompt: Prompt


class Generation(WireModel):
    """The image, and what it cost."""

    generation_request_id: str
    deducted_credits: int
    image_url: str | None


def create(order: CreateGenerationRequest, caller: Caller) -> Generation:
    """Charge the price, generate the image, and settle: keep the credits or give them back.

    Raises, with nothing charged: NotOwner, UnknownOption, UserNotFound, InsufficientCredits;
    refunded: GenerationFailed, GenerationTimeout; and BackendUnavailable, whose details carry a
    generationRequestId when a charge may stand that is still to be settled.
    """
    caller.require_access_to(order.user_id)
    choice = catalogue.current().choose(
        model=order.model, style=order.style, color=order.color, size=order.size
    )
    request_id = uuid.uuid4().hex
    try:
        request = _charge(order, choice, request_id)
    except OutcomeUnknown as error:
        error.details["generationRequestId"] = request_id
        raise
    try:
        return _answer(_settle(request, _generate(request, choice)))
    except BackendUnavailable as error:
        error.details["generationRequestId"] = request_id
        raise


def _charge(order: CreateGenerationRequest, choice: Choice, request_id: str) -> Document:
    """Take the price and open the request, both or neither; the request as it was written."""
    attempt_id = uuid.uuid4().hex

    def decide(transaction: db.Transaction) -> None:
        request = transaction[path]
        if request.exists and request["attemptId"] == attempt_id:
            return  # an earlier commit of this very call went through, only its reply was lost
        moment = clock.now()
        price = choice.size.credits
        credits.deduct(transaction, order.user_id, request_id, price, moment)
        transaction.create(path, _new_request(order, choice, attempt_id, moment))

    path = db.generation_request(request_id)
    # The id was just drawn, so on the first attempt there is nothing to read under it.
    return db.transact(decide, Document(path), db.user(order.user_id))[path]


def _new_request(
    order: CreateGenerationRequest, choice: Choice, attempt_id: str, moment: datetime
) -> dict[str, Any]:
    lifetime = timedelta(seconds=FUNCTION_TIMEOUT_SECONDS + EXPIRY_MARGIN_SECONDS)
    return {
        "userId": order.user_id,
        "model": choice.model.name,
        "style": choice.style.name,
        "color": choice.color.name,
        "size": choice.size.name,
        "prompt": order.prompt,
        "credits": choice.size.credits,
        "status": "pending",
        "mode": "sync",
        "imageUrl": None,
        "error": None,
        "attempts": 1,
        "attemptId": attempt_id,
        "createdAt": moment,
        "startedAt": moment,
        "completedAt": None,
        "updatedAt": moment,
        "expiresAt": moment + lifetime,
    }


def _generate(request: Document, choice: Choice) -> Mapping[str, Any]:
    """Make the image; the fields with which the request ends, whatever happens."""
    job = GenerationJob(
        generation_request_id=request.id,
        model=choice.model.name,
        style=choice.style.name,
        color=choice.color.name,
        width=choice.size.width,
        height=choice.size.height,
        prompt=request["prompt"],
        settings=choice.model.settings,
    )
    timeout_seconds = config.GENERATION_DEADLINE_SECONDS.value
    try:
        url = generators.generate(choice.model.generator, job, timeout_seconds=timeout_seconds)
    except GeneratorError as error:
        fault = {"reason": error.reason, "message": error.message, "retryable": error.retryable}
        return {"status": "failed", "error": fault}
    return {"status": "completed", "imageUrl": url}


def _settle(request: Document, ending: Mapping[str, Any]) -> Document:
    """End an open request, with the refund unless it completed; the request as it now stands.

    A request that somebody else has ended stays as it is.
    """
    completed = ending["status"] == "completed"
    user_path = db.user(request["userId"])

    def decide(transaction: db.Transaction) -> None:
        current = transaction[request.path]
        if current["status"] not in OPEN or current["attemptId"] != request["attemptId"]:
            return
        moment = clock.now()
        transaction.update(request.path, {**ending, "completedAt": moment, "updatedAt": moment})
        if completed:
            return
        if transaction[user_path].exists:
            credits.refund(transaction, current, moment, reason=ending["error"]["reason"])
        else:
            logger.error("refund without an account", generationRequestId=request.id)

    # After the charge we know the request's update time, so a success needs no read.
    documents = db.transact(decide, request, *([] if completed else [user_path]))
    settled = documents[request.path]
    _log_ending(settled)
    return settled


def _log_ending(request: Document) -> None:
    duration = request["completedAt"] - request["createdAt"]
    logger.info(
        "generation settled",
        generationRequestId=request.id,
        userId=request["userId"],
        model=request["model"],
        credits=request["credits"],
        outcome=request["status"],
        reason=(request["error"] or {}).get("reason"),
        durationMs=round(duration.total_seconds() * 1000),
    )


def _answer(request: Document) -> Generation:
    """What the client is told of a request that has ended."""
    if request["status"] == "completed":
        return Generation(
            generation_request_id=request.id,
            deducted_credits=request["credits"],
            image_url=request["imageUrl"],
        )
    fault = request["error"]
    timed_out = fault["reason"] == "GENERATION_TIMEOUT"
    raise (GenerationTimeout if timed_out else GenerationFailed)(
        generationRequestId=request.id,
        refundedCredits=request["credits"],
        retryable=fault["retryable"],
    )
