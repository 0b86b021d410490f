"""What clients are shown of generation requests."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from imagegen.api.schema import NextPageToken, Timestamp, WireModel, is_none
from imagegen.generation.request import Mode, RequestDocument, Status

RETRY_AFTER_SECONDS = "2"  # when to ask again for a request that is still open
EXAMPLE_ORDER = {
    "userId": "testUser1",
    "model": "Model A",
    "style": "anime",
    "color": "neon",
    "size": "1024x1024",
    "prompt": "A lighthouse at dusk",
}
EXAMPLE_ID = "0d3c1f5c7f1e4b0f9f6f2f0a54b7c9de"
EXAMPLE_COMPLETED: dict[str, Any] = {
    "generationRequestId": EXAMPLE_ID,
    **EXAMPLE_ORDER,
    "status": "completed",
    "mode": "async",
    "imageUrl": "https://example.com/images/model-a.png",
    "deductedCredits": 3,
    "refundedCredits": 0,
    "error": None,
    "createdAt": "2026-11-21T12:30:00.000000Z",
    "startedAt": "2026-11-21T12:30:01.000000Z",
    "completedAt": "2026-11-21T12:30:05.000000Z",
}


class Generation(WireModel):
    """The outcome of an order: the image, or in the background a request that is still open."""

    generation_request_id: str = Field(description="The generation request.")
    deducted_credits: int = Field(description="The price, taken when the request was created.")
    image_url: str | None = Field(description="The image; null while there is none.")
    status: Literal["pending", "processing"] | None = Field(
        default=None, exclude_if=is_none, description="Present while there is no image yet."
    )


class GenerationError(WireModel):
    """Why there is no image."""

    reason: str = Field(description="What went wrong, for programs.")
    message: str = Field(description="What went wrong, for people.")
    retryable: bool = Field(description="Whether the same order, made again, may succeed.")


class RequestPhoto(WireModel):
    """The photo that a generation request starts from."""

    type: Literal["photo"] = Field(description="A photo.")
    url: str | None = Field(
        default=None, exclude_if=is_none, description="Where the photo is, if it was not uploaded."
    )
    upload_id: str | None = Field(
        default=None, exclude_if=is_none, description="Which upload it is, if it was uploaded."
    )


class RequestAddress(WireModel):
    """The place that a generation request starts from."""

    type: Literal["address"] = Field(description="A place.")
    address: str = Field(description="The postal address of the place.")


class StoredImageReply(WireModel):
    """An image as it is stored."""

    width: int = Field(description="Width in pixels.")
    height: int = Field(description="Height in pixels.")
    mime_type: str = Field(description="MIME type, such as image/png.")
    bytes: int = Field(description="Size of the file in bytes.")


class GenerationRequest(WireModel):
    """A generation request.

    What is stored is not checked by the rules for input: what was accepted can always be shown.
    """

    generation_request_id: str = Field(description="The generation request.")
    user_id: str = Field(description="The user, by the uid of Firebase Authentication.")
    status: Status = Field(
        description="pending and processing are still open; failed and canceled are refunded."
    )
    mode: Mode = Field(description="`async` was answered at once and generated in the background.")
    model: str = Field(description="The model, in the catalogue's spelling.")
    fallback_model: str | None = Field(
        default=None,
        exclude_if=is_none,
        description="The model that was tried in its place, where it was not available.",
    )
    style: str = Field(description="The style, in the catalogue's spelling.")
    color: str = Field(description="The color, in the catalogue's spelling.")
    size: str = Field(description="The size, in the catalogue's spelling.")
    prompt: str = Field(description="What the image shows; empty once it has been deleted.")
    source: RequestPhoto | RequestAddress | None = Field(
        default=None,
        exclude_if=is_none,
        description="What the image starts from, besides the prompt. Absent if there is nothing.",
    )
    image_url: str | None = Field(description="The image; null while there is none.")
    thumbnail_url: str | None = Field(
        default=None,
        exclude_if=is_none,
        description="A small WebP of the image, where there is one.",
    )
    image: StoredImageReply | None = Field(
        default=None, exclude_if=is_none, description="What the image is, where it is stored here."
    )
    image_deleted_at: Timestamp | None = Field(
        default=None,
        exclude_if=is_none,
        description="When the image was deleted; absent unless it was.",
    )
    deducted_credits: int = Field(description="The price, taken when the request was created.")
    refunded_credits: int = Field(description="What was given back.")
    error: GenerationError | None = Field(
        description="Why there is no image, if the request failed."
    )
    created_at: Timestamp = Field(description="When the price was charged.")
    started_at: Timestamp | None = Field(description="When the generation began.")
    completed_at: Timestamp | None = Field(
        description="When the request was completed, failed or canceled."
    )

    @classmethod
    def from_document(cls, request: RequestDocument) -> "GenerationRequest":
        error = request.error
        # The document says where deleted bytes are until they are gone.
        source = None if request.is_without_prompt else request.source
        image = None if request.image_deleted_at is not None else request.image
        return cls(
            generation_request_id=request.id,
            user_id=request.user_id,
            status=request.status,
            mode=request.mode,
            model=request.model,
            fallback_model=request.fallback_model,
            style=request.style,
            color=request.color,
            size=request.size,
            prompt=request.prompt,
            source=_source(source),
            image_url=request.image_url,
            thumbnail_url=request.thumbnail_url,
            image=_image(image) if image is not None else None,
            image_deleted_at=request.image_deleted_at,
            deducted_credits=request.credits,
            refunded_credits=request.refunded_credits,
            error=_error(error) if error is not None else None,
            created_at=request.created_at,
            started_at=request.started_at,
            completed_at=request.completed_at,
        )


def _image(stored: Mapping[str, Any]) -> StoredImageReply | None:
    match stored:
        case {
            "width": int(width),
            "height": int(height),
            "mimeType": str(mime_type),
            "bytes": int(size),
        }:
            return StoredImageReply(width=width, height=height, mime_type=mime_type, bytes=size)
        case _:
            return None


def _error(stored: Mapping[str, Any]) -> GenerationError:
    return GenerationError(
        reason=str(stored.get("reason", "UNKNOWN")),
        message=str(stored.get("message", "")),
        retryable=stored.get("retryable") is True,
    )


def _source(stored: Mapping[str, Any] | None) -> RequestPhoto | RequestAddress | None:
    match stored:
        case {"type": "photo", "url": str(url)}:
            return RequestPhoto(type="photo", url=url)
        case {"type": "photo", "uploadId": str(upload_id)}:
            return RequestPhoto(type="photo", upload_id=upload_id)
        case {"type": "address", "address": str(address)}:
            return RequestAddress(type="address", address=address)
        case _:
            return None


class GenerationRequestPage(WireModel):
    """A page of generation requests."""

    generation_requests: list[GenerationRequest] = Field(
        description="The generation requests, newest first."
    )
    next_page_token: NextPageToken = None
