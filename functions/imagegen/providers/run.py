"""The one way to run a provider: with a deadline that holds, and its image fetched and stored.

                          ┌─ Provider ──── generate ─────────────────┐
    load the photo ───────┤                                          ├── fetch ── fit ── store
                          └─ JobProvider ─ submit ─ remember ─ poll ─┘

The core calls `run_provider` outside any transaction. What costs money happens once in a call:
`generate` or `submit`. Everything after that is repeated for as long as there is time, because the
image exists and has been paid for.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from imagegen import deadline as deadlines
from imagegen import logger
from imagegen.providers import registry
from imagegen.providers.base import (
    GeneratedImage,
    GenerationJob,
    GeneratorError,
    JobProvider,
    Provider,
    StoredImage,
)
from imagegen.providers.failures import ALARMS, Reason, failure

POLL_SECONDS = (0.5, 5.0)  # the first wait and the longest
PAUSES_SECONDS = (0.5, 1.0, None)  # after each try at what costs nothing; None: it was the last
LAST_POLL_SECONDS = 0.5  # left for the last question before the deadline
CANCEL_SECONDS = 5.0
MAX_BYTES = 20 * 1024 * 1024

Result = TypeVar("Result")


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
    its thread, and what it brings later is dropped. A job at the vendor is left alone: whether to
    resume or to cancel it (`cancel_job`) is the caller's decision.

    Raises GeneratorError when the provider fails, is unknown, has a defect or takes longer than
    `timeout_seconds` (GENERATION_TIMEOUT).
    """
    provider, is_free = registry.find(generator), generator in registry.FREE_OF_CHARGE
    # A paid image that arrives in time is delivered: its thread ends before the caller goes.
    margin_seconds = 0.0 if is_free else min(0.5, 0.05 * timeout_seconds)
    deadline = time.monotonic() + timeout_seconds - margin_seconds
    run = _Run(generator, provider, job, deadline, remember)

    def work() -> StoredImage | GeneratorError:
        result = run.result(provider_job)
        if run.is_abandoned.is_set():
            logger.warn("late result dropped", generationRequestId=job.generation_request_id)
        return result

    try:
        result = deadlines.call(work, seconds=timeout_seconds, name=job.generation_request_id)
    except TimeoutError:
        run.is_abandoned.set()
        raise failure(Reason.GENERATION_TIMEOUT, billed=not is_free) from None
    if isinstance(result, GeneratorError):
        raise result
    return result


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


class _Run:
    """One call of `run_provider`, in the thread that may be abandoned."""

    def __init__(
        self,
        generator: str,
        provider: Provider | JobProvider,
        job: GenerationJob,
        deadline: float,
        remember: Callable[[str], None] | None,
    ) -> None:
        self._generator = generator
        self._provider = provider
        self._job = job
        self._deadline = deadline
        self._remember = remember
        self.is_abandoned = threading.Event()

    def result(self, provider_job: str | None) -> StoredImage | GeneratorError:
        try:
            return self._run(provider_job)
        except GeneratorError as error:
            if self._generator in registry.FREE_OF_CHARGE:
                error.billed = False
            else:
                self._log(error)
            return error
        except BaseException as error:  # noqa: BLE001 - whatever a plug-in raises is refunded
            logger.error(
                "generator has a defect",
                generationRequestId=self._job.generation_request_id,
                model=self._job.model,
                error=repr(error),
            )
            return failure(Reason.GENERATOR_DEFECT)

    def _run(self, provider_job: str | None) -> StoredImage:
        if self._generator not in registry.FREE_OF_CHARGE:
            self._prepare()
        if isinstance(self._provider, JobProvider):
            image = self._image_of_job(self._provider, provider_job)
        else:
            image = self._provider.generate(self._job, deadline=self._deadline)
        if image.url is None or image.download:
            return self._keep(image)
        if not isinstance(image.url, str):
            raise TypeError(f"an image's URL is {type(image.url).__name__}")
        return StoredImage(url=image.url)

    def _prepare(self) -> None:
        """What may fail is done before the call that costs money."""
        from imagegen.providers import photos, storage  # noqa: PLC0415

        storage.bucket_name()
        source = self._job.source
        if source is not None and source.get("type") == "photo":
            photo = self._repeat(lambda: photos.load(self._job, deadline=self._deadline))
            self._job = replace(self._job, photo=photo)

    def _image_of_job(self, provider: JobProvider, provider_job: str | None) -> GeneratedImage:
        if provider_job is None:
            provider_job = provider.submit(self._job, deadline=self._deadline)
            self._remember_job(provider_job)
        try:
            return self._wait_for(provider, provider_job)
        except GeneratorError as error:
            error.billed = True
            raise

    def _remember_job(self, provider_job: str) -> None:
        if self._remember is None:
            return
        try:
            self._remember(provider_job)
        except Exception as error:
            # Another attempt cannot know of the job, so it must not run on.
            cancel_job(self._generator, self._job, provider_job)
            raise failure(Reason.OUTCOME_UNKNOWN, f"not remembered: {error!r}") from error

    def _wait_for(self, provider: JobProvider, provider_job: str) -> GeneratedImage:
        wait, longest = POLL_SECONDS
        while True:
            image = self._repeat(
                lambda: provider.poll(self._job, provider_job, deadline=self._deadline)
            )
            if image is not None:
                return image
            left = self._deadline - time.monotonic() - LAST_POLL_SECONDS
            if left <= 0:
                raise failure(Reason.GENERATION_TIMEOUT, "the vendor is still working on it")
            time.sleep(min(wait, left))
            wait = min(wait * 1.5, longest)

    def _keep(self, image: GeneratedImage) -> StoredImage:
        from imagegen.providers import http, images, storage  # noqa: PLC0415

        settings, deadline = self._job.settings, self._deadline
        max_bytes = int(settings.get("maxBytes") or MAX_BYTES)
        url, data = image.url, image.data
        if url is not None:
            data = self._repeat(lambda: http.fetch(url, deadline=deadline, max_bytes=max_bytes))
        picture = images.prepare(
            data or b"",
            width=self._job.width,
            height=self._job.height,
            exact=settings.get("fit") != "native",
            timeout_seconds=deadline - time.monotonic(),
        )
        return self._repeat(lambda: storage.store(self._job, picture, deadline=deadline))

    def _repeat(self, action: Callable[[], Result]) -> Result:
        """Do what costs nothing, again while it fails in a way that may pass and there is time."""
        pauses = iter(PAUSES_SECONDS)
        while True:
            if time.monotonic() >= self._deadline:
                raise failure(Reason.GENERATION_TIMEOUT)
            try:
                return action()
            except GeneratorError as error:
                pause = next(pauses)
                if pause is None or not error.retryable:
                    raise
                pause = max(pause, error.retry_after or 0.0)
                if time.monotonic() + pause >= self._deadline:
                    raise
                time.sleep(pause)

    def _log(self, error: GeneratorError) -> None:
        """For the operator; what the user is told is logged when the request is settled."""
        write = logger.error if error.reason in ALARMS else logger.info
        write(
            "provider needs the operator" if error.reason in ALARMS else "no image",
            generationRequestId=self._job.generation_request_id,
            model=self._job.model,
            generator=self._generator,
            reason=error.reason,
            detail=error.detail,
            billed=error.billed,
        )
