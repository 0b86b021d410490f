"""What operators do for a user whose request went wrong: goodwill, a retry for free, a cancel."""

import hashlib
import json
import uuid
from datetime import datetime

from pydantic import ValidationError

from imagegen import actions, config, db
from imagegen.api.auth import Caller
from imagegen.credits import ledger
from imagegen.credits.ledger import Granted
from imagegen.credits.user import UserDocument
from imagegen.errors import (
    GenerationRequestNotFound,
    IdempotencyKeyReused,
    NotCancelable,
    NotCompleted,
    NotRetryable,
)
from imagegen.generation import create, moderate, uploads
from imagegen.generation.orders import CreateGenerationRequest
from imagegen.generation.request import Mode, RequestDocument, Status, is_cancelable
from imagegen.generation.settle import Outcome, settle


def find(request_id: str) -> RequestDocument:
    """The request, whoever's it is. Raises GenerationRequestNotFound, BackendUnavailable."""
    (document,) = db.read(db.generation_request(request_id))
    if not document.exists:
        raise GenerationRequestNotFound(generationRequestId=request_id)
    return RequestDocument(document)


def goodwill_path(request: RequestDocument) -> str:
    """Where the grant for a completed request lies that has one."""
    return ledger.grant_path(request.user_id, f"goodwill {request.id}")


def goodwill(request_id: str, *, by: str, reason: str) -> Granted:
    """Grant the price of a completed request, whose image is not good, once.

    It is no refund: the request stays completed and paid. Whoever has granted it first, for
    whatever reason, has done so for all.

    Raises GenerationRequestNotFound, NotCompleted, UserNotFound; BackendUnavailable and
    OutcomeUnknown, after which the call may be repeated.
    """
    request = find(request_id)
    if request.status is not Status.COMPLETED:
        raise NotCompleted(generationRequestId=request_id, status=request.status)
    try:
        return ledger.grant_credits(
            request.user_id,
            request.credits,
            key=f"goodwill {request.id}",
            reason=reason,
            by=by,
            generation_request_id=request_id,
        )
    except IdempotencyKeyReused:  # granted before, for another reason
        entry, user = db.read(goodwill_path(request), db.user(request.user_id))
        return Granted(entry.id, is_new=False, balance=UserDocument(user).credits)


def retry_id(request_id: str) -> str:
    """The id of the request that a failed one is tried again as."""
    # Three parts: the ids that follow from a user's own keys have two.
    return hashlib.sha256(json.dumps(["operator", "retry", request_id]).encode()).hexdigest()[:32]


def retry(request_id: str, *, by: str, reason: str, caller: Caller) -> tuple[RequestDocument, bool]:
    """Order a failed request again in the background, at most once; it, and whether it is new.

    It is charged as any other, in one transaction with a grant of its price, under the key
    `retry {request_id}`.

    Raises GenerationRequestNotFound, NotRetryable, and what `create.create` raises of an order that
    nothing is charged for.
    """
    failed = find(request_id)
    if failed.status is not Status.FAILED:
        raise NotRetryable(generationRequestId=request_id, status=failed.status)
    new_id, attempt_id = retry_id(request_id), uuid.uuid4().hex
    earlier = RequestDocument(db.read(db.generation_request(new_id))[0])
    if earlier.exists:
        return create.enqueue_again(earlier), False
    order = _order_of(failed)
    if config.MODERATION.value != "none":
        moderate.check(order.prompt)
    uploads.check(order)

    def grant(transaction: db.Transaction, price: int, moment: datetime) -> None:
        key = f"retry {request_id}"  # no operator may give such a key
        ledger.grant(transaction, failed.user_id, price, moment, key=key, reason=reason)
        actions.record(
            transaction,
            "retry",
            failed.path,
            by=by,
            reason=reason,
            moment=moment,
            key=request_id,
            user_id=failed.user_id,
            after={"generationRequestId": new_id, "grantedCredits": price},
        )

    request, _ = create.charge(order, new_id, attempt_id, caller, first=grant)
    is_new = request.attempt_id == attempt_id
    return create.enqueue(request) if is_new else create.enqueue_again(request), is_new


def _order_of(failed: RequestDocument) -> CreateGenerationRequest:
    """The same order, in the background. A key makes `charge` look for an earlier call of ours.

    Raises NotRetryable for what cannot be ordered any more, such as a prompt that was deleted.
    """
    try:
        return CreateGenerationRequest.model_validate(
            {
                "user_id": failed.user_id,
                "model": failed.model,
                "style": failed.style,
                "color": failed.color,
                "size": failed.size,
                "prompt": failed.prompt,
                "source": failed.source,
                "mode": Mode.ASYNC,
                "idempotency_key": retry_id(failed.id),
            }
        )
    except ValidationError as error:
        raise NotRetryable(generationRequestId=failed.id, status=failed.status) from error


def cancel(request_id: str, *, by: str, reason: str) -> RequestDocument:
    """End a background request that is still pending, with a refund; no-op for a canceled one.

    Raises GenerationRequestNotFound, NotCancelable, BackendUnavailable, OutcomeUnknown.
    """
    request = find(request_id)

    def log(transaction: db.Transaction, moment: datetime) -> None:
        actions.record(
            transaction,
            "cancel",
            request.path,
            by=by,
            reason=reason,
            moment=moment,
            user_id=request.user_id,
            before={"status": Status.PENDING},
            after={"status": Status.CANCELED},
        )

    settled = settle(request, Outcome.canceled(), only_if=is_cancelable, also=log)
    if settled.status is not Status.CANCELED:
        raise NotCancelable(generationRequestId=request_id, status=settled.status)
    return settled
