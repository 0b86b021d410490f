"""What the headers and the fields of the API mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

HEADERS: Mapping[str, tuple[str, Schema]] = {
    "X-Request-Id": (
        "Names this call in the logs of the service.",
        {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    ),
    "Cache-Control": ("Answers are never cached.", {"type": "string", "const": "no-store"}),
    "Idempotency-Replayed": (
        "The answer repeats the outcome of an earlier call with the same idempotency key.",
        {"type": "string", "const": "true"},
    ),
    "Location": ("Where to look, relative to this URL.", {"type": "string"}),
    "Preference-Applied": (
        "The request is worked on in the background.",
        {"type": "string", "const": "respond-async"},
    ),
    "Retry-After": ("Seconds to wait before the next call.", {"type": "integer", "minimum": 1}),
    "RateLimit": (
        "The limit that is reached: `r` units are left, and `t` seconds pass until there are more.",
        {"type": "string"},
    ),
    "RateLimit-Policy": (
        "The limit that is reached: `q` units in a window of `w` seconds.",
        {"type": "string"},
    ),
    "WWW-Authenticate": ("How to authenticate.", {"type": "string", "const": "Bearer"}),
    "Allow": ("The methods that the endpoint answers.", {"type": "string"}),
}

REQUEST_HEADERS: Mapping[str, tuple[str, Schema, str]] = {
    "Idempotency-Key": (
        "The same as the field `idempotencyKey`; 1 to 255 printable ASCII characters, bare or in "
        "double quotes. A key with a comma needs the quotes.",
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
        "order-4711",
    ),
    "Prefer": (
        "`respond-async` is the same as `mode: async` (RFC 7240). Other preferences are ignored.",
        {"type": "string"},
        "respond-async",
    ),
}

# What the fields of requests and answers mean; a name means the same everywhere.
FIELDS: Mapping[str, str] = {
    "userId": "The user, by the uid of Firebase Authentication.",
    "generationRequestId": "The generation request; null for entries that belong to none.",
    "model": "A model that listModels names, or one of its aliases.",
    "style": "A style that listModels names.",
    "color": "A color that listModels names.",
    "size": "A size that listModels names; it decides the price.",
    "prompt": "What the image shows; 1 to 2,000 characters after trimming.",
    "source": "What the image starts from, besides the prompt.",
    "mode": "`async` answers at once and generates in the background.",
    "idempotencyKey": "Chosen by the client for one order, which is then charged once however "
    "often it is sent. The same as the header Idempotency-Key.",
    "pageSize": "Entries of a page; 0 is the default, and more than the maximum is the maximum.",
    "pageToken": "`nextPageToken` of the page before.",
    "nextPageToken": "There are more: send it as `pageToken` for the next page.",
    "status": "pending and processing are still open; failed and canceled are refunded.",
    "type": "Which kind it is.",
    "url": "An https URL.",
    "address": "A postal address, in one text.",
    "currentCredits": "The balance.",
    "transactions": "The entries of the ledger, newest first.",
    "id": "The ledger entry.",
    "credits": "Credits, always positive.",
    "timestamp": "When the entry was written.",
    "deductedCredits": "The price, taken when the request was created.",
    "refundedCredits": "What was given back.",
    "imageUrl": "The image; null while there is none.",
    "error": "Why there is no image, if the request failed.",
    "reason": "Decide by this.",
    "message": "For people.",
    "createdAt": "When the price was charged.",
    "startedAt": "When the generation began.",
    "completedAt": "When the request ended, whichever way.",
    "generationRequests": "The requests, newest first.",
    "models": "Models, in display order.",
    "styles": "Styles, in display order.",
    "colors": "Colors, in display order.",
    "sizes": "Sizes with prices, in display order.",
    "name": "What a request calls it.",
    "description": "For people.",
    "aliases": "Other names that requests may use; case, spaces, - and _ do not matter.",
    "width": "In pixels.",
    "height": "In pixels.",
}
