"""Jobs at a vendor that nobody waits for any more."""

import time

from imagegen import logger
from imagegen.providers import registry
from imagegen.providers.base import GenerationJob, JobProvider

CANCEL_SECONDS = 5.0


def cancel_job(
    generator: str,
    job: GenerationJob,
    provider_job: str,
    *,
    timeout_seconds: float = CANCEL_SECONDS,
) -> bool:
    """Ask the vendor to stop a job that nobody waits for any more; whether it was asked.

    Never raises: the request has ended by then, and a job that runs on costs money but no credits.
    """
    fields = {"generationRequestId": job.generation_request_id, "providerJob": provider_job}
    try:
        provider = registry.find(generator)
        if isinstance(provider, JobProvider):
            provider.cancel(job, provider_job, deadline=time.monotonic() + timeout_seconds)
    except Exception as error:  # noqa: BLE001 - whatever a plug-in raises changes nothing
        logger.warn("provider job not canceled", **fields, error=repr(error))
        return False
    logger.info("provider job canceled", **fields)
    return True
