"""Settle: the end of every request, once, with a refund unless there is an image."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from imagegen import clock, db, logger
from imagegen.credits import ledger, limits
from imagegen.errors import GenerationRequestNotFound
from imagegen.generation import job
from imagegen.generation.request import REFUNDED, Mode, RequestDocument, Status
from imagegen.notifications import outbox
from imagegen.notifications.event import EventType
from imagegen.providers.base import GeneratorError, StoredImage

EVENTS = {
    Status.COMPLETED: EventType.GENERATION_COMPLETED,
    Status.FAILED: EventType.GENERATION_FAILED,
    Status.CANCELED: EventType.GENERATION_CANCELED,
}


@dataclass(frozen=True)
class Outcome:
    """How a request ends: with an image, or with a refund.

    `fallback_model` is the model that was tried in place of the one that was ordered.
    """

    status: Status
    image: StoredImage | None = None
    error: GeneratorError | None = None
    fallback_model: str | None = None

    @classmethod
    def completed(cls, image: StoredImage) -> "Outcome":
        return cls(Status.COMPLETED, image=image)

    @classmethod
    def failed(cls, error: GeneratorError) -> "Outcome":
        return cls(Status.FAILED, error=error)

    @classmethod
    def canceled(cls) -> "Outcome":
        return cls(Status.CANCELED)

    def fields(self, moment: datetime) -> dict[str, Any]:
        # A provider may say anything; what is stored is short text that Firestore takes.
        error = self.error and {
            "reason": storable(self.error.reason, 100),
            "message": storable(self.error.message, 1000),
            "retryable": bool(self.error.retryable),
        }
        return RequestDocument.fields(
            status=self.status,
            image_url=self.image and self.image.url,
            error=error,
            completed_at=moment,
            updated_at=moment,
            **self._stored_image(),
            **({"fallback_model": self.fallback_model} if self.fallback_model else {}),
        )

    def _stored_image(self) -> dict[str, Any]:
        """What is known of an image that the core has stored itself."""
        image = self.image
        if image is None or image.path is None:
            return {}
        described = {
            "path": image.path,
            "width": image.width,
            "height": image.height,
            "mimeType": image.mime_type,
            "bytes": image.bytes,
        }
        return {"image": described, "thumbnail_url": image.thumbnail_url}


def storable(value: object, length: int) -> str:
    """`value` as at most `length` characters that UTF-8 can encode."""
    return str(value).encode("utf-8", "replace").decode()[:length]


def settle(
    request: RequestDocument,
    outcome: Outcome,
    *,
    only_if: Callable[[RequestDocument], bool] | None = None,
    also: Callable[[db.Transaction, datetime], None] = lambda *_: None,
    deadline_seconds: float | None = None,
) -> RequestDocument:
    """End an open request, with a refund unless it completed; return it as it then stands.

    No-op if the request is already finished, or if `only_if` is false for it (by default: if
    another attempt has taken it over). So of everything that may come late or twice (a second
    delivery, recovery, a cancel, a lost reply) only the first has an effect. If the account has
    been deleted, the request ends without a refund and says so. What `also` writes is committed
    with the end of the request.

    Raises GenerationRequestNotFound when the request has been deleted.
    """
    user_path = db.user(request.user_id)
    may_settle = only_if or (lambda current: current.attempt_id == request.attempt_id)
    # A synchronous success touches only the request, whose update time is known from the charge,
    # so nothing is read. All others need the user, for the refund or the place in flight.
    needs_user = outcome.status != Status.COMPLETED or (
        limits.counts_in_flight() and request.mode is Mode.ASYNC
    )

    def decide(transaction: db.Transaction) -> None:
        current = RequestDocument(transaction[request.path])
        if not current.exists:
            raise GenerationRequestNotFound(generationRequestId=request.id)
        if not current.is_open or not may_settle(current):
            return
        moment = clock.now()
        transaction.update(request.path, outcome.fields(moment))
        _tell(transaction, current, outcome.status, moment)
        also(transaction, moment)
        if not needs_user:
            return
        if not transaction[user_path].exists:
            logger.error("account of a request is gone", generationRequestId=request.id)
            transaction.update(request.path, RequestDocument.fields(refunded=0))
            return
        limits.release(transaction, request.user_id, request.id)
        if outcome.status != Status.COMPLETED:
            reason = outcome.error.reason if outcome.error else "CANCELED"
            ledger.refund(
                transaction,
                current.user_id,
                current.id,
                current.credits,
                moment,
                charged_at=current.created_at,
                reason=reason,
                parts=current.lots,
            )

    try:
        documents = db.transact(
            decide,
            request.document,
            *([user_path] if needs_user else []),
            deadline_seconds=deadline_seconds,
        )
    except GenerationRequestNotFound:
        _discard_unused(request, outcome, None)
        raise
    settled = RequestDocument(documents[request.path])
    if not settled.is_open:
        _log(settled, outcome)
    if settled.status is outcome.status and settled.status in REFUNDED:
        job.cancel(settled)
    _discard_unused(request, outcome, settled.image_url)
    return settled


def _tell(
    transaction: db.Transaction, request: RequestDocument, status: Status, moment: datetime
) -> None:
    """Write the event of a request that ends with `status`.

    The user's devices are told of what ends in the background, unless the user has ended it.
    """
    outbox.record(
        transaction,
        EVENTS[status],
        request.path,
        moment,
        user_id=request.user_id,
        to_devices=request.notify > 0 and status is not Status.CANCELED,
    )


def _discard_unused(request: RequestDocument, outcome: Outcome, delivered: str | None) -> None:
    """Delete an image that came too late: another ended the request, or it is gone."""
    image = outcome.image
    if image is not None and image.path is not None and image.url != delivered:
        job.discard_images(request, attempt_id=request.attempt_id)


def _log(settled: RequestDocument, outcome: Outcome) -> None:
    ended = settled.completed_at or settled.created_at
    logger.info(
        "generation settled" if settled.status == outcome.status else "late result dropped",
        generationRequestId=settled.id,
        userId=settled.user_id,
        model=settled.model,
        fallbackModel=settled.fallback_model,
        credits=settled.credits,
        outcome=settled.status,
        reason=(settled.error or {}).get("reason"),
        durationMs=round((ended - settled.created_at).total_seconds() * 1000),
    )
