"""The generators by name, and the one way to run them: with a deadline that holds."""

import threading
import time
from queue import Empty, SimpleQueue

from google.api_core.exceptions import GoogleAPICallError

from imagegen import logger
from imagegen.providers import storage
from imagegen.providers.base import GenerationJob, Generator, GeneratorError
from imagegen.providers.mock import MockGenerator

# The `generator` field of a model's catalogue document names one of these.
GENERATORS: dict[str, Generator] = {
    "mock": MockGenerator(),
}


def generate(generator: str, job: GenerationJob, *, timeout_seconds: float) -> str:
    """The URL of the image that the named generator makes for `job`.

    A thread cannot be stopped from outside, so a generator that hangs is abandoned: it runs on in
    its thread, and what it brings later is dropped.

    Raises GeneratorError when the generator fails, is unknown, has a defect or takes longer than
    `timeout_seconds` (reason GENERATION_TIMEOUT).
    """
    if generator not in GENERATORS:
        raise GeneratorError("UNKNOWN_GENERATOR", "The model is not available.", retryable=False)
    deadline = time.monotonic() + timeout_seconds
    results: SimpleQueue[str | GeneratorError] = SimpleQueue()
    abandoned = threading.Event()

    def run() -> None:
        results.put(_result(GENERATORS[generator], job, deadline))
        if abandoned.is_set():
            logger.warn("late result dropped", generationRequestId=job.generation_request_id)

    threading.Thread(target=run, name=job.generation_request_id, daemon=True).start()
    try:
        result = results.get(timeout=timeout_seconds)
    except Empty:
        abandoned.set()
        raise GeneratorError(
            "GENERATION_TIMEOUT", "The model gave no image in time.", retryable=True
        ) from None
    if isinstance(result, GeneratorError):
        raise result
    return result


def _result(generator: Generator, job: GenerationJob, deadline: float) -> str | GeneratorError:
    try:
        image = generator.generate(job, deadline=deadline)
        if image.data is not None and image.mime_type is not None:
            return storage.store(job.generation_request_id, image.data, image.mime_type)
        return str(image.url)
    except GeneratorError as error:
        return error
    except GoogleAPICallError as error:
        logger.error(
            "image not stored", generationRequestId=job.generation_request_id, error=repr(error)
        )
        return GeneratorError("IMAGE_NOT_STORED", "The image was not stored.", retryable=True)
    except BaseException as error:  # noqa: BLE001 - whatever a plug-in raises costs the user nothing
        logger.error(
            "generator has a defect",
            generationRequestId=job.generation_request_id,
            model=job.model,
            error=repr(error),
        )
        return GeneratorError("GENERATOR_DEFECT", "The model has a defect.", retryable=False)
