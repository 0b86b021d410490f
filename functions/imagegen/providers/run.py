"""The one way to run a provider: with a deadline that holds."""

import threading
import time
from collections.abc import Callable

from imagegen import config, logger
from imagegen.deadline import NoThread, Threads
from imagegen.providers import registry
from imagegen.providers.attempt import Attempt
from imagegen.providers.base import GenerationJob, GeneratorError, StoredImage
from imagegen.providers.failures import Reason, failure

# One for each call that the instance serves, and as many for providers that were abandoned.
threads = Threads(lambda: 2 * config.THREADS.value)


def run_provider(
    generator: str,
    job: GenerationJob,
    *,
    timeout_seconds: float,
    provider_job: str | None = None,
    remember: Callable[[str], None] | None = None,
) -> StoredImage:
    """The image that the named provider makes for `job`.

    A vendor's job is started once: its id goes to `remember` before anything else happens, and with
    that id as `provider_job` a later call, in another process, goes on where this one ended. When
    `remember` raises, the job is canceled, and the outcome is unknown.

    A thread cannot be stopped from outside, so a provider that hangs is abandoned: it runs on in
    its thread, and what it brings later is dropped, with the image that it may have stored. Such
    threads are limited: beyond that, no call begins (PROVIDER_BUSY, nothing billed). A job at the
    vendor is left alone: whether to resume or to cancel it (`jobs.cancel_job`) is the caller's
    decision.

    Raises GeneratorError when the provider fails, is unknown, has a defect or takes longer than
    `timeout_seconds` (GENERATION_TIMEOUT).
    """
    provider, is_free = registry.find(generator), generator in registry.FREE_OF_CHARGE
    # A paid image that arrives in time is delivered: its thread ends before the caller goes.
    margin_seconds = 0.0 if is_free else min(0.5, 0.05 * timeout_seconds)
    deadline = time.monotonic() + timeout_seconds - margin_seconds
    attempt = Attempt(generator, provider, job, deadline, remember)
    is_abandoned = threading.Event()

    def work() -> StoredImage | GeneratorError:
        result = attempt.result(provider_job)
        if is_abandoned.is_set():
            logger.warn("late result dropped", generationRequestId=job.generation_request_id)
            attempt.discard(result)
        return result

    try:
        result = threads.call(work, seconds=timeout_seconds, name=job.generation_request_id)
    except NoThread as error:
        logger.error(
            "no thread for a provider",
            generationRequestId=job.generation_request_id,
            error=repr(error),
        )
        raise failure(Reason.PROVIDER_BUSY) from error
    except TimeoutError:
        is_abandoned.set()
        raise failure(Reason.GENERATION_TIMEOUT, billed=not is_free) from None
    if isinstance(result, GeneratorError):
        raise result
    return result
