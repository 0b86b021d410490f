"""Generate: the step between the charge and the settle, in both modes.

Where the model is not available and nothing can have been billed, the model that its document names
as `fallbackModel` is tried, once and at the same price. The request says so.
"""

import time
from dataclasses import replace

from imagegen import db, logger
from imagegen.catalogue import catalogue, suspension
from imagegen.catalogue.catalogue import Catalogue, Model
from imagegen.errors import RequestInProgress
from imagegen.generation import job
from imagegen.generation.request import Mode, RequestDocument
from imagegen.generation.settle import Outcome, storable
from imagegen.providers import run
from imagegen.providers.base import GeneratorError, StoredImage
from imagegen.providers.failures import FALLBACK_REASONS

MAX_URL_LENGTH = 4096
LEAST_SECONDS = 1.0  # with less time left, a fallback model is not begun


def generate_image(
    request: RequestDocument, offer: Catalogue, *, timeout_seconds: float
) -> Outcome:
    """How the generation of `request` ended, completed or failed.

    A job that an earlier attempt started at the vendor is resumed, not started again.

    Never raises: a defect of ours costs the user no more than a failure of the provider.
    """
    deadline = time.monotonic() + timeout_seconds
    name = job.model_name(request)
    outcome = _attempt(request, offer, name, timeout_seconds)
    fallback = _fallback(request, offer, outcome)
    left = deadline - time.monotonic()
    if fallback is None or left < LEAST_SECONDS:
        _note(offer, name, outcome)
        return outcome
    logger.warn(
        "fallback model tried",
        generationRequestId=request.id,
        model=name,
        fallbackModel=fallback.name,
        reason=outcome.error.reason if outcome.error else None,
    )
    outcome = _attempt(request, offer, fallback.name, left)
    _note(offer, fallback.name, outcome)
    return replace(outcome, fallback_model=fallback.name)


def is_paid(request: RequestDocument, offer: Catalogue) -> bool:
    """Whether generating the request may cost money, at its model or at the fallback."""
    model = offer.models.get(request.model)
    fallback = offer.models.get(model.fallback_model or "") if model else None
    return any(each is not None and each.is_paid for each in (model, fallback))


def _attempt(
    request: RequestDocument, offer: Catalogue, name: str, timeout_seconds: float
) -> Outcome:
    try:
        image = _image(request, offer, name, timeout_seconds)
    except GeneratorError as error:
        return Outcome.failed(error)
    except Exception as error:  # noqa: BLE001 - whatever happens after the charge is refunded
        logger.error("defect", generationRequestId=request.id, error=repr(error))
        message = "The request could not be carried out."
        return Outcome.failed(GeneratorError("DEFECT", message, retryable=False))
    if storable(image.url, MAX_URL_LENGTH) != image.url:
        message = "The model answered with something that is no URL."
        return Outcome.failed(GeneratorError("INVALID_IMAGE_URL", message, retryable=False))
    return Outcome.completed(image)


def _image(
    request: RequestDocument, offer: Catalogue, name: str, timeout_seconds: float
) -> StoredImage:
    found = job.options(request, name, offer)
    if found is None:
        raise GeneratorError("OPTION_REMOVED", "The model is no longer on offer.", retryable=False)
    model, size = found
    return run.run_provider(
        model.generator,
        job.of(request, model, size),
        timeout_seconds=timeout_seconds,
        provider_job=request.provider_job,
        remember=lambda provider_job: _remember(request, name, provider_job),
    )


def _fallback(request: RequestDocument, offer: Catalogue, outcome: Outcome) -> Model | None:
    """The model to try after that outcome; None where there is none, or it may not be tried."""
    error, model = outcome.error, offer.models.get(request.model)
    if error is None or error.reason not in FALLBACK_REASONS or error.billed:
        return None
    if model is None or model.fallback_model is None or request.fallback_model is not None:
        return None
    fallback = offer.models.get(model.fallback_model)
    if fallback is None or not fallback.enabled or fallback.name in offer.suspended:
        return None
    is_too_slow = fallback.background and request.mode is Mode.SYNC
    lacks_photo = (request.source or {}).get("type") == "photo" and not fallback.takes_photos
    return None if is_too_slow or lacks_photo else fallback


def _note(offer: Catalogue, name: str, outcome: Outcome) -> None:
    """Have failures of key and quota counted; what a fallback model has mended is none."""
    reason = outcome.error.reason if outcome.error else None
    if suspension.note(name, reason, is_suspended=name in offer.suspended):
        catalogue.forget()


def _remember(request: RequestDocument, model: str, provider_job: str) -> None:
    """Store the vendor's id of the job, and whose it is, so that nobody starts a second one.

    Raises RequestInProgress when another attempt has taken the request over or it has ended.
    """

    def decide(transaction: db.Transaction) -> None:
        current = RequestDocument(transaction[request.path])
        if not current.is_open or current.attempt_id != request.attempt_id:
            raise RequestInProgress(generationRequestId=request.id)
        fields = RequestDocument.fields(provider_job=provider_job)
        if model != request.model:
            fields |= RequestDocument.fields(fallback_model=model)
        transaction.update(request.path, fields)

    db.transact(decide, request.document)
