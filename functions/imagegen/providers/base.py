"""What a provider is, what it is given, and what it gives back.

Two kinds of provider exist. A `Provider` answers with the image in one call. A `JobProvider` starts
a job at the vendor and is asked for its result later; the core stores the job's id in between, so
that a process that dies does not pay for the image twice.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

MAX_PHOTO_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Photo:
    """The photo that an image starts from, checked to be one of that type."""

    data: bytes
    mime_type: str

    @property
    def data_uri(self) -> str:
        return f"data:{self.mime_type};base64,{base64.b64encode(self.data).decode()}"


@dataclass(frozen=True, slots=True)
class GenerationJob:
    """One image to make. `settings` are the fields of the model's catalogue document.

    `source` is what the request starts from: a photo or an address, or None for text only. Its URL
    comes from the user, so only the core loads it; a provider that takes photos finds it in
    `photo`. `attempt_id` tells attempts at the same request apart; `size` is the catalogue's name
    of the size; `user_id` finds the user's own uploads and reaches no provider.
    """

    generation_request_id: str
    model: str
    style: str
    color: str
    width: int
    height: int
    prompt: str
    source: Mapping[str, str] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    attempt_id: str = "0"
    size: str = ""
    user_id: str = ""
    photo: Photo | None = None

    @property
    def size_name(self) -> str:
        return self.size or f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class GeneratedImage:
    """The image as a provider gives it: bytes with the MIME type it names, or a URL.

    With `download`, the URL is the vendor's and may stop working within the hour: the core fetches
    the image and stores it. Without, the URL is what the user gets.
    """

    url: str | None = None
    data: bytes | None = None
    mime_type: str | None = None
    download: bool = False

    def __post_init__(self) -> None:
        if bool(self.url) == bool(self.data) or bool(self.data) != bool(self.mime_type):
            raise ValueError("an image is either a URL or bytes with their MIME type")


@dataclass(frozen=True, slots=True)
class StoredImage:
    """The image as the request keeps it.

    What is None is not known: of an image that the core did not store, only `url` is.
    `thumbnail_url` is also None when there was no time to make one.
    """

    url: str
    path: str | None = None
    width: int | None = None
    height: int | None = None
    mime_type: str | None = None
    bytes: int | None = None
    thumbnail_url: str | None = None


class GeneratorError(Exception):
    """There is no image. `reason` is an UPPER_SNAKE_CASE word; `message` may reach the user.

    `retryable` says whether the same job may succeed when it is tried again, and `retry_after`
    after how many seconds, where the provider said so. `billed` says that the provider may charge
    for this attempt, so another one may be paid for as well. `detail` is for the log: it holds no
    prompt and no secret.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        retryable: bool,
        retry_after: float | None = None,
        billed: bool = False,
        detail: str = "",
    ) -> None:
        super().__init__(f"{message} ({detail})" if detail else message)
        self.reason = reason
        self.message = message
        self.retryable = retryable
        self.retry_after = retry_after
        self.billed = billed
        self.detail = detail


class Provider(Protocol):
    """A way to make images, shared by all threads of the instance.

    A provider that has settings names their pydantic model in a class attribute `Settings`; the
    catalogue is checked with it when it is loaded.
    """

    def generate(self, job: GenerationJob, *, deadline: float) -> GeneratedImage:
        """Make the image before `deadline`, a moment of ``time.monotonic()``.

        The core abandons a provider that runs past it, and owns all retries: a provider neither
        times out nor tries again by itself; it passes the remaining time to its own calls.

        Raises GeneratorError when there is no image.
        """


@runtime_checkable
class JobProvider(Protocol):
    """A vendor that works on a job while we are away; otherwise as `Provider`."""

    def submit(self, job: GenerationJob, *, deadline: float) -> str:
        """Start the job at the vendor, which costs money; the id under which it can be polled.

        Raises GeneratorError when no job was started, or when it is unknown whether one was.
        """

    def poll(
        self, job: GenerationJob, provider_job: str, *, deadline: float
    ) -> GeneratedImage | None:
        """The image of a job that was started earlier, perhaps by another process.

        None while the vendor is still working on it.

        Raises GeneratorError: when the job has failed, with `retryable` False; when the vendor
        could not be asked, with `retryable` True.
        """

    def cancel(self, job: GenerationJob, provider_job: str, *, deadline: float) -> None:
        """Ask the vendor to stop the job. A job that has ended is left as it is.

        Raises GeneratorError when the vendor could not be asked.
        """
