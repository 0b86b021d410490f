"""The generators by name, and the one way to run them: with a deadline that holds."""

import time

from firebase_functions import logger
from google.api_core.exceptions import GoogleAPICallError

from imagegen import deadline
from imagegen.providers import storage
from imagegen.providers.base import GenerationJob, Generator, GeneratorError
from imagegen.providers.mock import MockGenerator

# The `generator` field of a model's catalogue document names one of these.
GENERATORS: dict[str, Generator] = {
    "mock": MockGenerator(),
}


def run_provider(generator: str, job: GenerationJob, *, timeout_seconds: float) -> str:
    """The URL of the image that the named generator makes for `job`.

    A thread cannot be stopped from outside, so a generator that hangs is abandoned: it runs on in
    its thread, and what it brings later is dropped.

    Raises GeneratorError when the generator fails, is unknown, has a defect or takes longer than
    `timeout_seconds` (reason GENERATION_TIMEOUT).
    """
    if generator not in GENERATORS:
        raise GeneratorError("UNKNOWN_GENERATOR", "The model is not available.", retryable=False)
    ends = time.monotonic() + timeout_seconds

    def run() -> str:
        try:
            return _image_url(GENERATORS[generator], job, ends)
        finally:
            if time.monotonic() > ends:
                logger.warn("late result dropped", generationRequestId=job.generation_request_id)

    try:
        return deadline.call(run, seconds=timeout_seconds, name=job.generation_request_id)
    except TimeoutError:
        message = "The model gave no image in time."
        raise GeneratorError("GENERATION_TIMEOUT", message, retryable=True) from None


def _image_url(generator: Generator, job: GenerationJob, ends: float) -> str:
    """Raises nothing but GeneratorError."""
    request_id = job.generation_request_id
    try:
        image = generator.generate(job, deadline=ends)
        if image.data is not None and image.mime_type is not None:
            return storage.store(request_id, job.attempt_id, image.data, image.mime_type)
        if not isinstance(image.url, str):
            raise TypeError(f"an image's URL is {type(image.url).__name__}")
        return image.url
    except GeneratorError:
        raise
    except GoogleAPICallError as error:
        logger.error("image not stored", generationRequestId=request_id, error=repr(error))
        message = "The image was not stored."
        raise GeneratorError("IMAGE_NOT_STORED", message, retryable=True) from error
    except BaseException as error:
        about = {"generationRequestId": request_id, "model": job.model, "error": repr(error)}
        logger.error("generator has a defect", **about)
        message = "The model has a defect."
        raise GeneratorError("GENERATOR_DEFECT", message, retryable=False) from error
