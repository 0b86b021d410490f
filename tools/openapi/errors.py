"""An example of every error, as the service renders it, and the schema of its details."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from typing import Any

from imagegen import errors
from imagegen.api import body, serve
from imagegen.catalogue import catalogue
from imagegen.credits import limits
from imagegen.errors import ImagegenError

REQUEST_ID = "0d3c1f5c7f1e4b0f9f6f2f0a54b7c9de"
PURCHASE_ID = "revenuecat-app_store-2000000123456789"

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
    errors.ModeNotSupported(),
    errors.SourceNotSupported(model="Model A"),
    errors.PhotoNotUsable(),
    errors.TokenInvalid(),
    errors.TokenExpired(),
    errors.AppCheckMissing(),
    errors.AppCheckInvalid(),
    errors.InsufficientCredits(required=3, available=2),
    errors.OutstandingDebt(debt=40, available=2),
    errors.NotOwner(),
    errors.NotAdmin(),
    errors.PathNotFound(),
    errors.UserNotFound(userId="testUser1"),
    errors.GenerationRequestNotFound(generationRequestId=REQUEST_ID),
    errors.UploadNotFound(uploadId="20261127-5f0e6a7d3b9c4c1f8a2d4e6f7a8b9c0d"),
    errors.CustomerNotFound(userId="testUser1"),
    errors.ProductNotFound(productId="pack-100"),
    errors.PurchaseNotFound(purchaseId=PURCHASE_ID),
    errors.WebhookEndpointNotFound(webhookEndpointId=REQUEST_ID),
    errors.EventNotFound(eventId=REQUEST_ID),
    errors.PaymentsOff(),
    errors.MethodNotAllowed("Use POST, OPTIONS.", headers={"Allow": "POST, OPTIONS"}),
    errors.AccountUnusable(),
    errors.PurchaseNotRefundable(purchaseId=PURCHASE_ID, provider="stripe", status="paid"),
    errors.AccountClosing(),
    errors.AccountDisabled(),
    errors.PriceChanged(credits=3),
    errors.RequestInProgress(generationRequestId=REQUEST_ID),
    errors.RequestCanceled(generationRequestId=REQUEST_ID, refundedCredits=3),
    errors.NotCancelable(generationRequestId=REQUEST_ID, status="completed"),
    errors.NotDeletable(generationRequestId=REQUEST_ID, status="processing"),
    errors.ImageDeleted(generationRequestId=REQUEST_ID),
    errors.PayloadTooLarge(limitBytes=body.MAX_BODY_BYTES),
    errors.UnsupportedMediaType(),
    errors.IdempotencyKeyReused(generationRequestId=REQUEST_ID),
    errors.PromptRefused(),
    errors.ContentRefused(generationRequestId=REQUEST_ID, refundedCredits=3),
    limits.limited("requestsPerMinute", 60, window=60, retry_after=1),
    errors.GenerationFailed(
        generationRequestId=REQUEST_ID, refundedCredits=3, cause="MOCK_FAILURE", retryable=True
    ),
    errors.GenerationTimeout(
        generationRequestId=REQUEST_ID,
        refundedCredits=3,
        cause="GENERATION_TIMEOUT",
        retryable=True,
    ),
    errors.ModelUnavailable(model="Model A", retry_after_seconds=300),
    errors.BackendUnavailable(),
    errors.OutcomeUnknown(generationRequestId=REQUEST_ID),
    errors.PaymentProviderUnavailable(),
    errors.SignatureInvalid(),
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
    "hint": {"enum": ["ANONYMOUS", "EMAIL_NOT_VERIFIED"]},
    "debt": COUNT,
    "credits": COUNT,
    "userId": TEXT,
    "model": TEXT,
    "uploadId": TEXT,
    "productId": TEXT,
    "purchaseId": TEXT,
    "provider": TEXT,
    "webhookEndpointId": TEXT,
    "eventId": TEXT,
    "generationRequestId": TEXT,
    "refundedCredits": COUNT,
    "status": TEXT,
    "limitBytes": COUNT,
    "limit": {"enum": ["requestsPerMinute", "creditsPerDay", "inFlight", "uploads"]},
    "quota": COUNT,
    "retryAfterSeconds": COUNT,
    "cause": TEXT,
    "retryable": {"type": "boolean"},
}
# All others are always there.
OPTIONAL_DETAILS: Mapping[type[ImagegenError], tuple[str, ...]] = {
    errors.BackendUnavailable: ("generationRequestId",),
    errors.UserNotFound: ("generationRequestId",),
    errors.InsufficientCredits: ("hint",),
    errors.IdempotencyKeyReused: ("generationRequestId",),
}


def rendered(error: ImagegenError) -> tuple[dict[str, Any], dict[str, str]]:
    """The body and the headers with which the service answers `error`."""
    with contextlib.redirect_stderr(io.StringIO()):  # a defect is logged
        response = serve._failure(error, "5f0e6a7d3b9c4c1f8a2d4e6f7a8b9c0d")
    body: dict[str, Any] = response.get_json()
    return body, dict(response.headers)
