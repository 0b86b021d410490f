"""One attempt at a job, from the photo that it starts from to the image in the bucket.

                          ┌─ Provider ──── generate ─────────────────┐
    load the photo ───────┤                                          ├── fetch ── fit ── store
                          └─ JobProvider ─ submit ─ remember ─ poll ─┘

What costs money happens once: `generate` or `submit`. Everything after that is repeated for as long
as there is time, because the image exists and has been paid for.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from imagegen import logger
from imagegen.providers import memory, registry
from imagegen.providers.base import (
    GeneratedImage,
    GenerationJob,
    GeneratorError,
    JobProvider,
    Provider,
    StoredImage,
)
from imagegen.providers.failures import ALARMS, Reason, failure
from imagegen.providers.jobs import cancel_job

POLL_SECONDS = (0.5, 5.0)  # the first wait and the longest
LAST_POLL_SECONDS = 0.5  # left for the last question before the deadline
PAUSES_SECONDS = (0.5, 1.0, None)  # after each try at what costs nothing; None: it was the last
MAX_BYTES = 20 * 1024 * 1024

Result = TypeVar("Result")


class Attempt:
    """One attempt at a job, in a thread that may be abandoned."""

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
        finally:
            memory.images.give_back()
            memory.photos.give_back()

    def discard(self, result: StoredImage | GeneratorError) -> None:
        """Delete an image that nobody will be given; what stays goes with its request."""
        if isinstance(result, GeneratorError) or result.path is None:
            return
        from imagegen.providers import storage  # noqa: PLC0415

        if result.thumbnail_url is None:  # it may be on its way
            time.sleep(storage.LONGEST_THUMBNAIL_SECONDS)
        request_id, attempt_id = self._job.generation_request_id, self._job.attempt_id
        storage.discard_images(request_id, attempt_id=attempt_id)

    def _run(self, provider_job: str | None) -> StoredImage:
        if self._generator not in registry.FREE_OF_CHARGE:
            self._prepare(loads_photo=provider_job is None)
        if isinstance(self._provider, JobProvider):
            image = self._image_of_job(self._provider, provider_job)
        else:
            image = self._provider.generate(self._job, deadline=self._deadline)
        if image.url is None or image.download:
            return self._keep(image)
        if not isinstance(image.url, str):
            raise TypeError(f"an image's URL is {type(image.url).__name__}")
        return StoredImage(url=image.url)

    def _prepare(self, *, loads_photo: bool) -> None:
        """Do what may fail before the call that costs money."""
        from imagegen.providers import bucket, photos  # noqa: PLC0415

        try:
            bucket.name()
            if loads_photo and (self._job.source or {}).get("type") == "photo":
                photo = self._repeat(lambda: photos.load(self._job, deadline=self._deadline))
                self._job = replace(self._job, photo=photo)
        except GeneratorError as error:
            error.billed = False
            raise

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
            memory.images.take(deadline)
            data = self._repeat(lambda: http.fetch(url, deadline=deadline, max_bytes=max_bytes))
        picture = images.prepare(
            data or b"",
            width=self._job.width,
            height=self._job.height,
            exact=settings.get("fit") != "native",
            timeout_seconds=deadline - time.monotonic(),
        )
        token = str(uuid.uuid4())
        return self._repeat(
            lambda: storage.store(self._job, picture, deadline=deadline, token=token)
        )

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
