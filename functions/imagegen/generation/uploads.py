"""Photos that users upload to start an image from: taken, checked before a charge, and deleted.

An upload can be ordered from for a day, any number of times, by the user who made it. It is deleted
when no request can need it any more, by the cleanup, or earlier with a request or an account.
"""

import base64
import binascii
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from imagegen import clock, logger
from imagegen.api.auth import Caller
from imagegen.api.endpoint import Binary, Success, endpoint
from imagegen.api.schema import UserId, WireModel
from imagegen.credits import limits
from imagegen.errors import (
    BackendUnavailable,
    NotOwner,
    PayloadTooLarge,
    PhotoNotUsable,
    RateLimited,
    UploadNotFound,
)
from imagegen.generation import request as generation_request
from imagegen.generation.orders import CreateGenerationRequest, PhotoSource
from imagegen.providers.base import MAX_PHOTO_BYTES, GeneratorError
from imagegen.providers.failures import ALARMS

MOST_UPLOADS = 50  # of a user that are kept at the same time
TYPES = ("image/jpeg", "image/png", "image/webp", "image/heic")
UPLOAD_SECONDS = 30.0
CHECK_SECONDS = 5.0
DELETE_SECONDS = 30.0


def _decoded(value: Any) -> Any:
    """The bytes of a base64 text, in the standard alphabet; bytes stay as they are."""
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("must be base64") from error


Bytes = Annotated[
    bytes,
    BeforeValidator(_decoded),
    WithJsonSchema(
        {
            "type": "string",
            "contentEncoding": "base64",
            "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
        }
    ),
]


class UploadSource(WireModel):
    """A photo, and whose it is."""

    user_id: UserId
    data: Bytes = Field(description="The photo, JPEG, PNG or WebP, at most 8 MiB.")


class UploadedSource(WireModel):
    """A photo as it is stored."""

    upload_id: str = Field(
        description='For an order: `source: {"type": "photo", "uploadId": …}`, for a day.'
    )
    width: int = Field(description="Width in pixels.")
    height: int = Field(description="Height in pixels.")
    mime_type: str = Field(description="MIME type, by the content.")
    bytes: int = Field(description="Size of the file in bytes.")


@endpoint(
    methods=("POST",),
    example={
        "userId": "testUser1",
        "data": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQ"
        "AAAABJRU5ErkJggg==",
    },
    success=Success(
        "The photo is stored.",
        {
            "photo": {
                "uploadId": "20261127-5f0e6a7d3b9c4c1f8a2d4e6f7a8b9c0d",
                "width": 1,
                "height": 1,
                "mimeType": "image/png",
                "bytes": 67,
            }
        },
    ),
    errors=(NotOwner, PhotoNotUsable, RateLimited),
    binary=Binary("data", TYPES, MAX_PHOTO_BYTES),
)
def upload_source(body: UploadSource, caller: Caller) -> UploadedSource:
    """Upload a photo to start an image from.

    Either JSON with the photo as base64, or the photo itself as the body, with its Content-Type and
    the `userId` in the query string. It is stored privately; only orders of the same user can name
    it, for a day. What it is, is decided by its content.
    """
    from imagegen.providers import photos  # noqa: PLC0415 - other functions store no photos
    from imagegen.providers.images import NotAnImage  # noqa: PLC0415

    caller.require_access_to(body.user_id)
    if len(body.data) > MAX_PHOTO_BYTES:
        raise PayloadTooLarge(limitBytes=MAX_PHOTO_BYTES)
    try:
        photos.inspect(body.data)
        kept = photos.kept(body.user_id, at_most=MOST_UPLOADS, timeout_seconds=CHECK_SECONDS)
        if kept >= MOST_UPLOADS:
            raise limits.limited("uploads", MOST_UPLOADS, window=86_400, retry_after=3600)
        photo = photos.save(body.user_id, body.data, timeout_seconds=UPLOAD_SECONDS)
    except NotAnImage as error:
        raise PhotoNotUsable from error
    except GeneratorError as error:
        raise _unavailable("The photo could not be stored.", error) from error
    return UploadedSource(
        upload_id=photo.upload_id,
        width=photo.width,
        height=photo.height,
        mime_type=photo.mime_type,
        bytes=photo.bytes,
    )


def is_named_by(order: CreateGenerationRequest) -> bool:
    """Whether the order starts from an upload."""
    return isinstance(order.source, PhotoSource) and order.source.upload_id is not None


def check(order: CreateGenerationRequest) -> None:
    """Before the charge: whether the upload that the order names, if any, can be ordered from.

    Raises UploadNotFound, also for another user's; BackendUnavailable.
    """
    if not isinstance(order.source, PhotoSource) or order.source.upload_id is None:
        return
    from imagegen.providers import photos  # noqa: PLC0415

    upload_id = order.source.upload_id
    try:
        is_usable = photos.is_usable(order.user_id, upload_id, timeout_seconds=CHECK_SECONDS)
    except GeneratorError as error:
        message = "The photo could not be looked at; nothing was charged."
        raise _unavailable(message, error) from error
    if not is_usable:
        raise UploadNotFound(uploadId=upload_id)


def delete_all(user_id: str) -> int:
    """Delete every upload of a user; how many. Raises BackendUnavailable; safe twice."""
    from imagegen.providers import photos  # noqa: PLC0415

    try:
        return photos.delete_all(user_id, since=_oldest(), timeout_seconds=DELETE_SECONDS)
    except GeneratorError as error:
        raise _unavailable("The photos could not be deleted.", error) from error


def delete_expired() -> int:
    """Delete uploads that no request can need any more, some hundreds at a time; how many.

    0 when nothing is left, and where images are not stored. A storage that cannot be reached is
    logged: the next run deletes them.
    """
    from imagegen.providers import bucket  # noqa: PLC0415

    if not bucket.is_configured():
        return 0
    from imagegen.providers import photos  # noqa: PLC0415

    try:
        return photos.delete_expired(_oldest(), timeout_seconds=DELETE_SECONDS)
    except GeneratorError as error:
        logger.warn("uploads not deleted", error=repr(error))
        return 0


def _oldest() -> datetime:
    """No upload from before that moment is needed: the last request that named it has ended."""
    from imagegen.providers import photos  # noqa: PLC0415

    return clock.now() - photos.LIFETIME - generation_request.longest_life()


def _unavailable(message: str, error: GeneratorError) -> BackendUnavailable:
    if error.reason in ALARMS:
        logger.error("provider needs the operator", reason=error.reason, detail=error.detail)
    return BackendUnavailable(message)
