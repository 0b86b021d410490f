"""A generation request: what is stored of it, and how long it may take."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from imagegen import config, parameters
from imagegen.credits.lots import Lots, read_parts
from imagegen.firestore.stored import Field, Stored, instant, mapping, text, whole_number

# The function's time-out: a synchronous request that is open a margin longer than that is lost.
FUNCTION_TIMEOUT_SECONDS = parameters.CREATE_TIMEOUT_SECONDS
EXPIRY_MARGIN_SECONDS = 30


class Status(StrEnum):
    """Where a request is in its life."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


OPEN = (Status.PENDING, Status.PROCESSING)
REFUNDED = (Status.FAILED, Status.CANCELED)


class Mode(StrEnum):
    """Whether the image comes with the answer (`sync`) or later, in the background (`async`)."""

    SYNC = "sync"
    ASYNC = "async"


class RequestDocument(Stored):
    """`generationRequests/{id}`."""

    user_id = Field("userId", text)
    model = Field("model", text, "")
    # What was used in place of the model that was ordered.
    fallback_model: Field[str | None] = Field("fallbackModel", text, None)
    style = Field("style", text, "")
    color = Field("color", text, "")
    size = Field("size", text, "")
    prompt = Field("prompt", text, "")
    source: Field[Mapping[str, Any] | None] = Field("source", mapping, None)
    credits = Field("credits", whole_number)
    # The parts of lots that the price was taken from; its refund puts them back.
    lots: Field[Lots] = Field("lots", read_parts, ())
    status = Field("status", Status)
    mode = Field("mode", Mode, Mode.SYNC)
    image_url: Field[str | None] = Field("imageUrl", text, None)
    thumbnail_url: Field[str | None] = Field("thumbnailUrl", text, None)
    # What is stored of the image: path, width, height, mimeType, bytes.
    image: Field[Mapping[str, Any] | None] = Field("image", mapping, None)
    # When the image was deleted: by the user, by an operator, or for its age.
    image_deleted_at: Field[datetime | None] = Field("imageDeletedAt", instant, None)
    # Only while bytes in Cloud Storage may be left: when they are to be deleted, see `deletion`.
    deletion_due_at: Field[datetime | None] = Field("deletionDueAt", instant, None)
    # A paid call is about to be made or has been made by this attempt.
    provider_call: Field[Mapping[str, Any] | None] = Field("providerCall", mapping, None)
    provider_job: Field[str | None] = Field("providerJob", text, None)
    error: Field[Mapping[str, Any] | None] = Field("error", mapping, None)
    # How many devices the user had: only where there are any, and the request is asynchronous.
    notify = Field("notify", whole_number, 0)
    # Stored only where it differs from what status and price say: the account was gone.
    refunded: Field[int | None] = Field("refundedCredits", whole_number, None)
    attempts = Field("attempts", whole_number, 0)
    attempt_id = Field("attemptId", text, "")
    fingerprint = Field("fingerprint", text, "")
    created_at = Field("createdAt", instant)
    started_at: Field[datetime | None] = Field("startedAt", instant, None)
    completed_at: Field[datetime | None] = Field("completedAt", instant, None)
    updated_at: Field[datetime | None] = Field("updatedAt", instant, None)
    leased_until: Field[datetime | None] = Field("leasedUntil", instant, None)
    expires_at = Field("expiresAt", instant)
    enqueued_at: Field[datetime | None] = Field("enqueuedAt", instant, None)

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def may_have_images(self) -> bool:
        """Whether an attempt may have stored an image, also of a request that is malformed.

        None has where the only attempt brought an image that is kept elsewhere.
        """
        status, image = (self.document.get(name) for name in ("status", "image"))
        return status != Status.COMPLETED or image is not None or self.attempts > 1

    @property
    def is_without_prompt(self) -> bool:
        """Whether the prompt was deleted, and the source with it: no order is without one."""
        return not self.prompt

    @property
    def upload_id(self) -> str | None:
        """The uploaded photo that the image starts from, if it starts from one."""
        found = (self.source or {}).get("uploadId")
        return found if isinstance(found, str) else None

    @property
    def refunded_credits(self) -> int:
        if self.status not in REFUNDED:
            return 0
        return self.credits if self.refunded is None else self.refunded


def is_cancelable(request: RequestDocument) -> bool:
    """Whether no model has begun to run; one that an order waits for always has."""
    return request.status is Status.PENDING and request.mode is Mode.ASYNC


def longest_life() -> timedelta:
    """After which a background request has ended: each attempt extends its life once more."""
    lives = 1 + config.ASYNC_MAX_ATTEMPTS.value
    return timedelta(seconds=lives * config.ASYNC_DEADLINE_SECONDS.value)
