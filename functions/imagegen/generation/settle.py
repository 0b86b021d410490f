"""Generate and settle: the two steps that follow the charge, in both modes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from imagegen import clock, db, logger
from imagegen.catalogue import catalogue
from imagegen.catalogue.catalogue import Catalogue, Model, Size
from imagegen.credits import ledger, limits
from imagegen.errors import BackendUnavailable, GenerationRequestNotFound, RequestInProgress
from imagegen.generation.request import REFUNDED, Mode, RequestDocument, Status
from imagegen.providers import jobs, run
from imagegen.providers.base import GenerationJob, GeneratorError, StoredImage

MAX_URL_LENGTH = 4096


@dataclass(frozen=True)
class Outcome:
    """How a request ends: with an image, or with a refund."""

    status: Status
    image: StoredImage | None = None
    error: GeneratorError | None = None

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
            "reason": _storable(self.error.reason, 100),
            "message": _storable(self.error.message, 1000),
            "retryable": bool(self.error.retryable),
        }
        return RequestDocument.fields(
            status=self.status,
            image_url=self.image and self.image.url,
            error=error,
            completed_at=moment,
            updated_at=moment,
            **self._stored_image(),
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


def generate_image(
    request: RequestDocument, offer: Catalogue, *, timeout_seconds: float
) -> Outcome:
    """How the generation of `request` ended, completed or failed.

    A job that an earlier attempt started at the vendor is resumed, not started again.

    Never raises: a defect of ours costs the user no more than a failure of the provider.
    """
    try:
        image = _run_provider(request, offer, timeout_seconds)
    except GeneratorError as error:
        return Outcome.failed(error)
    except Exception as error:  # noqa: BLE001 - whatever happens after the charge is refunded
        logger.error("defect", generationRequestId=request.id, error=repr(error))
        message = "The request could not be carried out."
        return Outcome.failed(GeneratorError("DEFECT", message, retryable=False))
    if _storable(image.url, MAX_URL_LENGTH) != image.url:
        message = "The model answered with something that is no URL."
        return Outcome.failed(GeneratorError("INVALID_IMAGE_URL", message, retryable=False))
    return Outcome.completed(image)


def _storable(value: object, length: int) -> str:
    """`value` as at most `length` characters that UTF-8 can encode."""
    return str(value).encode("utf-8", "replace").decode()[:length]


def _run_provider(
    request: RequestDocument, offer: Catalogue, timeout_seconds: float
) -> StoredImage:
    model, size = offer.models.get(request.model), offer.sizes.get(request.size)
    if model is None or size is None:
        raise GeneratorError("OPTION_REMOVED", "The model is no longer on offer.", retryable=False)
    return run.run_provider(
        model.generator,
        _job(request, model, size),
        timeout_seconds=timeout_seconds,
        provider_job=request.provider_job,
        remember=lambda provider_job: _remember(request, provider_job),
    )


def _job(request: RequestDocument, model: Model, size: Size) -> GenerationJob:
    return GenerationJob(
        generation_request_id=request.id,
        attempt_id=request.attempt_id,
        user_id=request.user_id,
        model=model.name,
        style=request.style,
        color=request.color,
        size=size.name,
        width=size.width,
        height=size.height,
        prompt=request.prompt,
        source=request.source,
        settings=model.settings,
    )


def _remember(request: RequestDocument, provider_job: str) -> None:
    """Store the vendor's id of the job, so that nobody starts a second one.

    Raises RequestInProgress when another attempt has taken the request over or it has ended.
    """

    def decide(transaction: db.Transaction) -> None:
        current = RequestDocument(transaction[request.path])
        if not current.is_open or current.attempt_id != request.attempt_id:
            raise RequestInProgress(generationRequestId=request.id)
        transaction.update(request.path, RequestDocument.fields(provider_job=provider_job))

    db.transact(decide, request.document)


def _cancel_job(request: RequestDocument, provider_job: str) -> None:
    """Ask the vendor to stop the job of a request that has ended without an image."""
    try:
        offer = catalogue.current()
    except BackendUnavailable as error:
        logger.warn("provider job not canceled", generationRequestId=request.id, error=repr(error))
        return
    model, size = offer.models.get(request.model), offer.sizes.get(request.size)
    if model is not None and size is not None:
        jobs.cancel_job(model.generator, _job(request, model, size), provider_job)


def settle(
    request: RequestDocument,
    outcome: Outcome,
    *,
    only_if: Callable[[RequestDocument], bool] | None = None,
    deadline_seconds: float | None = None,
) -> RequestDocument:
    """End an open request, with a refund unless it completed; return it as it then stands.

    No-op if the request is already finished, or if `only_if` is false for it (by default: if
    another attempt has taken it over). So of everything that may come late or twice (a second
    delivery, recovery, a cancel, a lost reply) only the first has an effect. If the account has
    been deleted, the request ends without a refund and says so.

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

    documents = db.transact(
        decide,
        request.document,
        *([user_path] if needs_user else []),
        deadline_seconds=deadline_seconds,
    )
    settled = RequestDocument(documents[request.path])
    if not settled.is_open:
        _log(settled, outcome)
    if settled.provider_job and settled.status is outcome.status and settled.status in REFUNDED:
        _cancel_job(settled, settled.provider_job)
    return settled


def _log(settled: RequestDocument, outcome: Outcome) -> None:
    ended = settled.completed_at or settled.created_at
    logger.info(
        "generation settled" if settled.status == outcome.status else "late result dropped",
        generationRequestId=settled.id,
        userId=settled.user_id,
        model=settled.model,
        credits=settled.credits,
        outcome=settled.status,
        reason=(settled.error or {}).get("reason"),
        durationMs=round((ended - settled.created_at).total_seconds() * 1000),
    )
