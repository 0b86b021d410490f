"""What a generator is: the one method a new model implements, and what goes in and out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class GenerationJob:
    """One image to make. `settings` are the fields of the model's catalogue document.

    `source` is what the image starts from, a photo or an address, or None for text only. Its URL
    comes from the user: a generator that loads it must not reach into its own network with it.
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
    attempt_id: str = "0"  # tells the attempts at one request apart


@dataclass(frozen=True, slots=True)
class GeneratedImage:
    """The image: where it is, or its bytes and their MIME type, which the core then stores."""

    url: str | None = None
    data: bytes | None = None
    mime_type: str | None = None

    def __post_init__(self) -> None:
        if bool(self.url) == bool(self.data) or bool(self.data) != bool(self.mime_type):
            raise ValueError("an image is either a URL or bytes with their MIME type")


class GeneratorError(Exception):
    """There is no image. `reason` is an UPPER_SNAKE_CASE word; `message` may reach the user.

    `retryable` says whether the same job may succeed when it is tried again, and `retry_after`
    after how many seconds, where the provider said so.
    """

    def __init__(
        self, reason: str, message: str, *, retryable: bool, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retryable = retryable
        self.retry_after = retry_after


class Generator(Protocol):
    """A way to make images, shared by all threads of the instance."""

    def generate(self, job: GenerationJob, *, deadline: float) -> GeneratedImage:
        """Make the image before `deadline`, a moment of ``time.monotonic()``.

        The core abandons a generator that runs past it, and owns all retries: a generator neither
        times out nor tries again by itself, it hands the remaining time to its own calls.

        Raises GeneratorError when there is no image.
        """
