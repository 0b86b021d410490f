"""A request as the job of a provider, and what is left of it when the request has ended.

Nothing here raises or changes how the request ended: a job that runs on costs the operator money
but nobody credits, and an image that nobody was given is only in the way.
"""

from imagegen import logger
from imagegen.catalogue import catalogue
from imagegen.catalogue.catalogue import Catalogue, Model, Size
from imagegen.errors import BackendUnavailable
from imagegen.generation.request import RequestDocument
from imagegen.providers import jobs
from imagegen.providers.base import GenerationJob


def of(request: RequestDocument, model: Model, size: Size) -> GenerationJob:
    """The request as its provider is given it."""
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


def model_name(request: RequestDocument) -> str:
    """The model that works on the request: the fallback, once it has been asked."""
    return request.fallback_model or request.model


def options(request: RequestDocument, name: str, offer: Catalogue) -> tuple[Model, Size] | None:
    """The model of that name and the request's size; None where one is no longer on offer."""
    model, size = offer.models.get(name), offer.sizes.get(request.size)
    return None if model is None or size is None else (model, size)


def cancel(request: RequestDocument) -> None:
    """Ask the vendor to stop the job, if there is one, of a request that ended without an image."""
    if request.provider_job is None:
        return
    try:
        found = options(request, model_name(request), catalogue.current())
    except BackendUnavailable as error:
        logger.warn("provider job not canceled", generationRequestId=request.id, error=repr(error))
        return
    if found is not None:
        model, size = found
        jobs.cancel_job(model.generator, of(request, model, size), request.provider_job)


def discard_images(request: RequestDocument, *, attempt_id: str = "") -> None:
    """Delete the images of an attempt that was too late, or of all at a request without one."""
    from imagegen.providers import bucket, storage  # noqa: PLC0415 - most requests store none

    if bucket.is_configured():
        storage.discard_images(request.id, attempt_id=attempt_id)
