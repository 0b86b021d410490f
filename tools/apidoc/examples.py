"""An example of every answer of the API, made of the service's own models and errors.

`tests/test_openapi.py` checks each against the schema that the document gives for it.
"""

from __future__ import annotations

import contextlib
import functools
import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from imagegen import errors
from imagegen.api import body
from imagegen.api import endpoint as web
from imagegen.api.schema import WireModel
from imagegen.catalogue import catalogue
from imagegen.catalogue import endpoints as catalogue_endpoints
from imagegen.credits import endpoints as credit_endpoints
from imagegen.credits import limits
from imagegen.errors import ImagegenError
from imagegen.generation import create as generation
from imagegen.generation import endpoints as generation_endpoints

REQUEST_ID = "0d3c1f5c7f1e4b0f9f6f2f0a54b7c9de"
TOKEN = "WzQsIjNkMDljMmFiNWU3YjYxZjAiXQ"  # noqa: S105 - of a page
MOMENT = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
IMAGE_URL = "https://example.com/images/model-a.png"
ORDER = {
    "userId": "testUser1",
    "model": "Model A",
    "style": "anime",
    "color": "neon",
    "size": "1024x1024",
    "prompt": "A lighthouse at dusk",
}

# One instance of each class of the tree, as the service raises it.
ERRORS: tuple[ImagegenError, ...] = (
    ImagegenError(),
    errors.MalformedJson(),
    errors.InvalidField(fieldViolations=[{"field": "prompt", "description": "Field required"}]),
    errors.UnknownOption(
        "The catalogue offers no such size.",
        field="size",
        value="1x1",
        allowed=["512x512", "1024x1024", "1024x1792"],
    ),
    errors.TokenMissing(),
    errors.TokenInvalid(),
    errors.TokenExpired(),
    errors.InsufficientCredits(required=3, available=2),
    errors.NotOwner(),
    errors.UserNotFound(userId=ORDER["userId"]),
    errors.GenerationRequestNotFound(generationRequestId=REQUEST_ID),
    errors.MethodNotAllowed("Use POST, OPTIONS.", headers={"Allow": "POST, OPTIONS"}),
    errors.RequestInProgress(generationRequestId=REQUEST_ID),
    errors.RequestCanceled(generationRequestId=REQUEST_ID, refundedCredits=3),
    errors.NotCancelable(generationRequestId=REQUEST_ID, status="completed"),
    errors.PayloadTooLarge(limitBytes=body.MAX_BODY_BYTES),
    errors.UnsupportedMediaType(),
    errors.IdempotencyKeyReused(generationRequestId=REQUEST_ID),
    limits._limited("requestsPerMinute", 60, window=60, retry_after=1),
    errors.GenerationFailed(generationRequestId=REQUEST_ID, refundedCredits=3, retryable=True),
    errors.GenerationTimeout(generationRequestId=REQUEST_ID, refundedCredits=3, retryable=True),
    errors.BackendUnavailable(),
    errors.OutcomeUnknown(generationRequestId=REQUEST_ID),
)

TEXT, COUNT = {"type": "string"}, {"type": "integer", "minimum": 0}
DETAILS: Mapping[str, Mapping[str, Any]] = {
    "requestId": TEXT,
    "fieldViolations": {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "properties": {"field": TEXT, "description": TEXT},
            "required": ["field", "description"],
            "additionalProperties": False,
        },
    },
    "field": {"enum": list(catalogue.FIELDS)},
    "value": TEXT,
    "allowed": {"type": "array", "items": TEXT},
    "required": COUNT,
    "available": COUNT,
    "userId": TEXT,
    "generationRequestId": TEXT,
    "refundedCredits": COUNT,
    "status": TEXT,
    "limitBytes": COUNT,
    "limit": {"enum": ["requestsPerMinute", "creditsPerDay", "inFlight"]},
    "quota": COUNT,
    "retryable": {"type": "boolean"},
}
# All others are always there.
OPTIONAL_DETAILS: Mapping[type[ImagegenError], tuple[str, ...]] = {
    errors.BackendUnavailable: ("generationRequestId", "refundedCredits"),
}


def rendered(error: ImagegenError) -> tuple[dict[str, Any], dict[str, str]]:
    """The body and the headers with which the service answers `error`."""
    with contextlib.redirect_stderr(io.StringIO()):  # a defect would be logged
        response = web._failure(error, "5f0e6a7d3b9c4c1f8a2d4e6f7a8b9c0d")
    body: dict[str, Any] = response.get_json()
    return body, dict(response.headers)


def _request(status: str, **changes: Any) -> generation_endpoints.GenerationRequest:
    ended = status in ("completed", "failed", "canceled")
    fields: dict[str, Any] = {
        **ORDER,
        "generationRequestId": REQUEST_ID,
        "status": status,
        "mode": "async",
        "imageUrl": IMAGE_URL if status == "completed" else None,
        "deductedCredits": 3,
        "refundedCredits": 3 if status in ("failed", "canceled") else 0,
        "error": None,
        "createdAt": MOMENT,
        "startedAt": MOMENT + timedelta(seconds=1),
        "completedAt": MOMENT + timedelta(seconds=5) if ended else None,
    }
    return generation_endpoints.GenerationRequest.model_validate(fields | changes)


def _statement() -> credit_endpoints.UserCredits:
    return credit_endpoints.UserCredits(
        current_credits=97,
        transactions=[
            credit_endpoints.LedgerEntry(
                id=f"{REQUEST_ID}-deduction",
                type="deduction",
                credits=3,
                generation_request_id=REQUEST_ID,
                timestamp=MOMENT,
            )
        ],
        next_page_token=TOKEN,
    )


def _generation(image_url: str | None, **status: Any) -> generation.Generation:
    return generation.Generation(
        generation_request_id=REQUEST_ID, deducted_credits=3, image_url=image_url, **status
    )


def _offers() -> catalogue_endpoints.Offers:
    return catalogue_endpoints.Offers(
        models=[
            catalogue_endpoints.OfferedModel(name="Model A", description="", aliases=("model-a",))
        ],
        styles=[catalogue_endpoints.OfferedOption(name="anime", description="")],
        colors=[catalogue_endpoints.OfferedOption(name="neon", description="")],
        sizes=[
            catalogue_endpoints.OfferedSize(
                name="1024x1024", description="", credits=3, width=1024, height=1024
            )
        ],
    )


@functools.cache
def examples_of_replies() -> Mapping[tuple[str, int], Mapping[str, Any]]:
    """By endpoint and code: named examples of the body."""
    fault = {"reason": "MODEL_OVERLOADED", "message": "The model is overloaded."}
    replies: dict[tuple[str, int], dict[str, WireModel]] = {
        ("createGenerationRequest", 200): {"image": _generation(IMAGE_URL)},
        ("createGenerationRequest", 202): {"accepted": _generation(None, status="pending")},
        ("getUserCredits", 200): {"firstPage": _statement()},
        ("getGenerationStatus", 200): {
            "processing": _request("processing"),
            "completed": _request("completed"),
            "failed": _request("failed", error=fault),
        },
        ("listGenerationRequests", 200): {
            "firstPage": generation_endpoints.GenerationRequests(
                generation_requests=[_request("completed")], next_page_token=TOKEN
            )
        },
        ("cancelGenerationRequest", 200): {"canceled": _request("canceled", startedAt=None)},
        ("listModels", 200): {"offers": _offers()},
    }
    return {
        at: {name: reply.model_dump(mode="json", by_alias=True) for name, reply in named.items()}
        for at, named in replies.items()
    }
