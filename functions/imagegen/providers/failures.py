"""Why there is no image: every reason, whether a retry can help, and whether it was paid for.

The messages are ours. What a vendor says about a failure may repeat the prompt or name the account,
so only its error code is kept, for the log.
"""

from enum import StrEnum
from typing import NamedTuple

from imagegen.providers.base import GeneratorError


class Reason(StrEnum):
    """The reasons that all providers share."""

    CONTENT_REFUSED = "CONTENT_REFUSED"
    PROVIDER_BUSY = "PROVIDER_BUSY"
    PROVIDER_QUOTA = "PROVIDER_QUOTA"
    PROVIDER_AUTH = "PROVIDER_AUTH"
    PROVIDER_REJECTED = "PROVIDER_REJECTED"
    PROVIDER_UNREACHABLE = "PROVIDER_UNREACHABLE"
    PROVIDER_FAILED = "PROVIDER_FAILED"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    GENERATION_TIMEOUT = "GENERATION_TIMEOUT"
    NO_IMAGE = "NO_IMAGE"
    IMAGE_NOT_FETCHED = "IMAGE_NOT_FETCHED"
    IMAGE_NOT_STORED = "IMAGE_NOT_STORED"
    MODEL_MISCONFIGURED = "MODEL_MISCONFIGURED"
    STORAGE_NOT_CONFIGURED = "STORAGE_NOT_CONFIGURED"
    SOURCE_NOT_USABLE = "SOURCE_NOT_USABLE"
    UNKNOWN_GENERATOR = "UNKNOWN_GENERATOR"
    GENERATOR_DEFECT = "GENERATOR_DEFECT"


class Failure(NamedTuple):
    """What follows from a reason. `billed` is the usual case; whoever knows better says so."""

    message: str
    retryable: bool
    billed: bool


FAILURES: dict[Reason, Failure] = {
    Reason.CONTENT_REFUSED: Failure("The model refused this content.", False, False),
    Reason.PROVIDER_BUSY: Failure("The model is busy; try again later.", True, False),
    Reason.PROVIDER_QUOTA: Failure("The model is not available now.", False, False),
    Reason.PROVIDER_AUTH: Failure("The model is not available now.", False, False),
    Reason.PROVIDER_REJECTED: Failure("The model cannot make this image.", False, False),
    Reason.PROVIDER_UNREACHABLE: Failure("The model cannot be reached.", True, False),
    Reason.PROVIDER_FAILED: Failure("The model has failed.", True, False),
    Reason.OUTCOME_UNKNOWN: Failure("The model's answer was lost.", False, True),
    Reason.GENERATION_TIMEOUT: Failure("The model gave no image in time.", True, True),
    Reason.NO_IMAGE: Failure("The model answered without an image.", False, True),
    Reason.IMAGE_NOT_FETCHED: Failure("The image could not be fetched.", True, True),
    Reason.IMAGE_NOT_STORED: Failure("The image could not be stored.", True, True),
    Reason.MODEL_MISCONFIGURED: Failure("The model is not available now.", False, False),
    Reason.STORAGE_NOT_CONFIGURED: Failure("The image cannot be stored.", False, False),
    Reason.SOURCE_NOT_USABLE: Failure("The photo cannot be used.", False, False),
    Reason.UNKNOWN_GENERATOR: Failure("The model is not available.", False, False),
    Reason.GENERATOR_DEFECT: Failure("The model has a defect.", False, True),
}

# The operator has to act: top up, replace a key, correct a document, name a bucket.
ALARMS = frozenset(
    {
        Reason.PROVIDER_QUOTA,
        Reason.PROVIDER_AUTH,
        Reason.MODEL_MISCONFIGURED,
        Reason.STORAGE_NOT_CONFIGURED,
    }
)

# After these, and if nothing was billed, another model may be tried for the same request.
FALLBACK_REASONS = frozenset(
    {
        Reason.PROVIDER_BUSY,
        Reason.PROVIDER_UNREACHABLE,
        Reason.PROVIDER_QUOTA,
        Reason.PROVIDER_AUTH,
    }
)


def failure(
    reason: Reason,
    detail: str = "",
    *,
    retry_after: float | None = None,
    billed: bool | None = None,
) -> GeneratorError:
    """The error for `reason`; `detail` goes to the log only."""
    message, retryable, usually_billed = FAILURES[reason]
    return GeneratorError(
        str(reason),
        message,
        retryable=retryable,
        retry_after=retry_after,
        billed=usually_billed if billed is None else billed,
        detail=detail,
    )
