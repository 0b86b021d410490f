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
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from imagegen import clock, config, db, logger, tasks
from imagegen.api.auth import Caller
from imagegen.api.schema import Reply
from imagegen.catalogue import catalogue, suspension
from imagegen.catalogue.catalogue import Catalogue
from imagegen.credits import closures, ledger, limits
from imagegen.credits.user import UserDocument
from imagegen.errors import (
    BackendUnavailable,
    ContentRefused,
    GenerationFailed,
    GenerationRequestNotFound,
    GenerationTimeout,
    IdempotencyKeyReused,
    ImageDeleted,
    ImagegenError,
    OutcomeUnknown,
    PriceChanged,
    RequestCanceled,
    RequestInProgress,
    UserNotFound,
)
from imagegen.firestore.store import Document
from imagegen.generation import moderate, orders, uploads
from imagegen.generation import request as generation_request
from imagegen.generation.generate import generate_image
from imagegen.generation.orders import CreateGenerationRequest
from imagegen.generation.replies import RETRY_AFTER_SECONDS, Generation
from imagegen.generation.request import Mode, RequestDocument, Status
from imagegen.generation.settle import Outcome, settle
from imagegen.notifications import outbox
from imagegen.providers import run
from imagegen.providers.base import GeneratorError
from imagegen.providers.failures import Reason

ENQUEUE_AGAIN_AFTER = timedelta(seconds=60)


def create(order: CreateGenerationRequest, caller: Caller) -> Reply[Generation]:
    """Charge the price, generate the image, and settle: keep the credits or give them back.

    Raises, with nothing charged: NotOwner, UnknownOption, UserNotFound, RateLimited,
    InsufficientCredits, IdempotencyKeyReused, ImageDeleted, PromptRefused, ModeNotSupported,
    SourceNotSupported, UploadNotFound, PriceChanged, ModelUnavailable; refunded: GenerationFailed,
    GenerationTimeout, ContentRefused, RequestCanceled; RequestInProgress; and BackendUnavailable,
    whose details carry a generationRequestId when a charge may stand that is still to be settled.
    """
    caller.require_access_to(order.user_id)
    request_id, attempt_id = orders.request_id(order), uuid.uuid4().hex
    try:
        is_checked = config.MODERATION.value != "none" or uploads.is_named_by(order)
        if is_checked and not _is_repeated(order, request_id):
            moderate.check(order.prompt)
            uploads.check(order)
        request, offer = charge(order, request_id, attempt_id, caller)
    except BackendUnavailable as error:
        # Without a key there is something to look for only if a charge may have been made.
        if order.idempotency_key is not None or isinstance(error, OutcomeUnknown):
            error.details["generationRequestId"] = request_id
        raise
    is_new = request.attempt_id == attempt_id
    try:
        if request.mode is Mode.ASYNC:
            request = enqueue(request) if is_new else enqueue_again(request)
        elif is_new and offer is not None:
            timeout_seconds = config.GENERATION_DEADLINE_SECONDS.value
            outcome = generate_image(request, offer, timeout_seconds=timeout_seconds)
            request = settle(request, outcome)
        return _answer(request, is_new=is_new)
    except ImagegenError as error:  # whatever it is, there is a request to ask about
        error.details["generationRequestId"] = request_id
        raise


def _is_repeated(order: CreateGenerationRequest, request_id: str) -> bool:
    """Whether the order's key has been used before, so that its answer is known."""
    return (
        order.idempotency_key is not None and db.read(db.generation_request(request_id))[0].exists
    )


def charge(
    order: CreateGenerationRequest,
    request_id: str,
    attempt_id: str,
    caller: Caller,
    *,
    first: Callable[[db.Transaction, int, datetime], None] | None = None,
) -> tuple[RequestDocument, Catalogue | None]:
    """Take the price and open the request, both or neither.

    `first` may write something else into the same transaction, knowing the price and the moment.

    Returns the request as it then stands, and the catalogue that the price is from. If the
    idempotency key has been used before, that is the earlier request, untouched, and no catalogue:
    the answer to a repeated call does not depend on what is on offer now.
    """
    path, moment = db.generation_request(request_id), clock.now()
    is_busy = run.threads.is_full
    is_too_late = is_offered = False
    offer: Catalogue | None = None

    def decide(transaction: db.Transaction) -> None:
        nonlocal offer, is_too_late, is_offered
        request = RequestDocument(transaction[path])
        if request.exists:
            # With our attempt id it is ours: an earlier commit of this call succeeded and only its
            # reply was lost. Otherwise it is what the key bought before.
            if request.attempt_id != attempt_id:
                _require_same_order(request, order)
            return
        # An earlier commit of this call may still arrive. So neither a newer catalogue, nor a model
        # that was suspended meanwhile, nor a later moment, at which a lot has expired or it is too
        # late, may refuse what was allowed then.
        if offer is None:
            outbox.subscriptions()  # read before anything is charged: the settle needs them
            offer = catalogue.current()
            # After these two, either of which may have taken long.
            is_too_late = clock.seconds_into_call() > _latest_charge_seconds()
        choice = offer.choose(
            model=order.model, style=order.style, color=order.color, size=order.size
        )
        mode = orders.effective_mode(order, choice.model)
        orders.require_source_support(order, choice.model)
        until = offer.suspended.get(choice.model.name)
        is_offered = is_offered or suspension.admit(transaction, choice.model.name, until, moment)
        if is_too_late and mode is Mode.SYNC:
            raise BackendUnavailable("The call has waited for too long; nothing was charged.")
        if is_busy and mode is Mode.SYNC:
            logger.error("no thread for a provider", userId=order.user_id)
            raise BackendUnavailable("Too many generations are running; nothing was charged.")
        price = choice.size.credits
        if order.max_credits is not None and price > order.max_credits:
            raise PriceChanged(credits=price)
        if first is not None:
            first(transaction, price, moment)
        parts = ledger.deduct(transaction, order.user_id, request_id, price, moment, caller=caller)
        limits.admit(transaction, order.user_id, moment)
        if mode is Mode.ASYNC:
            end = moment + generation_request.longest_life()
            limits.occupy(transaction, order.user_id, request_id, moment, end)
        devices = UserDocument(transaction[db.user(order.user_id)]).devices
        fields = orders.new_request(order, choice, mode, attempt_id, moment, parts, devices)
        transaction.create(path, fields)

    # There is nothing to read under an id that was drawn just now.
    request = Document(path) if order.idempotency_key is None else path
    documents = db.transact(decide, request, db.user(order.user_id))
    return RequestDocument(documents[path]), offer


def _require_same_order(request: RequestDocument, order: CreateGenerationRequest) -> None:
    # It moved when the account was deleted. A malformed id is no matter here.
    if closures.is_tombstone(str(request.document.get("userId"))):
        raise UserNotFound(userId=order.user_id)
    if request.fingerprint != orders.fingerprint(order):
        raise IdempotencyKeyReused(generationRequestId=request.id)


def _latest_charge_seconds() -> float:
    """How far into a call a charge may begin so that the generation is settled before its end."""
    generation = config.GENERATION_DEADLINE_SECONDS.value
    transactions = 2 * db.LONGEST_TRANSACTION_SECONDS  # the charge and the settle
    return float(generation_request.FUNCTION_TIMEOUT_SECONDS - generation - transactions)


def enqueue(request: RequestDocument) -> RequestDocument:
    """Put a new background request on the queue; refund it if that fails."""
    try:
        tasks.enqueue(request.id)
    except BackendUnavailable:
        error = GeneratorError("QUEUE_UNAVAILABLE", "The queue is out of reach.", retryable=True)
        return settle(request, Outcome.failed(error))
    return request


def enqueue_again(request: RequestDocument) -> RequestDocument:
    """Put a request that no worker has taken for a minute on the queue again.

    The call that charged for it may have died before it could. However often a call is repeated,
    that is one task a minute, and the worker's lease makes a needless one harmless.
    """

    is_due = False

    def decide(transaction: db.Transaction) -> None:
        nonlocal is_due
        current, moment = RequestDocument(transaction[request.path]), clock.now()
        if not current.exists:
            raise GenerationRequestNotFound(generationRequestId=request.id)
        last = current.enqueued_at or current.created_at
        is_due = current.status is Status.PENDING and moment - last >= ENQUEUE_AGAIN_AFTER
        if is_due:
            transaction.update(request.path, RequestDocument.fields(enqueued_at=moment))

    request = RequestDocument(db.transact(decide, request.document)[request.path])
    if is_due:
        try:
            tasks.enqueue(request.id)
        except BackendUnavailable as error:
            # The request is as open as it was; without a worker, recovery will refund it.
            logger.error("not enqueued again", generationRequestId=request.id, error=repr(error))
    return request


def _answer(request: RequestDocument, *, is_new: bool) -> Reply[Generation]:
    """What the client is told of its request, now and whenever it repeats the call by its key."""
    headers = {} if is_new else {"Idempotency-Replayed": "true"}
    completed = request.status is Status.COMPLETED
    if completed and request.image_deleted_at is not None:
        raise ImageDeleted(generationRequestId=request.id, headers=headers)
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


def _accepted(body: Generation, headers: dict[str, str]) -> Reply[Generation]:
    location = f"getGenerationStatus?generationRequestId={body.generation_request_id}"
    return Reply(
        body,
        code=202,
        headers=headers
        | {
            "Location": location,
            "Retry-After": RETRY_AFTER_SECONDS,
            "Preference-Applied": "respond-async",
        },
    )


def _error(request: RequestDocument) -> ImagegenError:
    if request.is_open:
        return RequestInProgress(generationRequestId=request.id)
    if not request.refunded_credits:
        return UserNotFound(userId=request.user_id, generationRequestId=request.id)
    refunded: dict[str, Any] = {
        "generationRequestId": request.id,
        "refundedCredits": request.refunded_credits,
    }
    if request.status is Status.CANCELED:
        return RequestCanceled(**refunded)
    error = request.error or {}
    failed = refunded | {
        "cause": error.get("reason", "UNKNOWN"),
        "retryable": error.get("retryable") is True,
    }
    if error.get("reason") == Reason.CONTENT_REFUSED:
        return ContentRefused(**refunded)
    if error.get("reason") == Reason.GENERATION_TIMEOUT:
        return GenerationTimeout(**failed)
    return GenerationFailed(**failed)
