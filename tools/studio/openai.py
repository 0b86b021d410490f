"""POST /openai/v1/images/generations and …/edits, as OpenAI, Together and xAI answer them."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any

from studio import sizes
from studio.faults import Fault, fault_in
from studio.wire import NOT_FOUND, Job, Reply, Request

if TYPE_CHECKING:
    from studio.server import Studio


def _error(
    status: int, code: str, message: str, kind: str, headers: dict[str, str] | None = None
) -> Reply:
    error = {"message": message, "type": kind, "param": None, "code": code}
    return Reply({"error": error}, status=status, headers=headers or {})


REFUSED = {
    Fault.REFUSAL: _error(
        400,
        "moderation_blocked",
        "Your request was rejected by the safety system.",
        "image_generation_user_error",
    ),
    Fault.RATE_LIMIT: _error(
        429, "rate_limit_exceeded", "Rate limit reached.", "requests", {"Retry-After": "7"}
    ),
    Fault.QUOTA: _error(
        429, "insufficient_quota", "You exceeded your current quota.", "insufficient_quota"
    ),
    Fault.AUTH: _error(
        401, "invalid_api_key", "Incorrect API key provided.", "invalid_request_error"
    ),
    Fault.SERVER_ERROR: _error(500, "server_error", "The server had an error.", "server_error"),
}
XAI_REFUSED = {Fault.REFUSAL: Reply({"data": [{"url": "", "respect_moderation": False}]})}


def answer(studio: Studio, request: Request, path: str) -> Reply:
    if request.method == "POST" and path == "v1/moderations":
        return _moderation(request)
    if request.method != "POST" or path not in {"v1/images/generations", "v1/images/edits"}:
        return NOT_FOUND
    fields, photo = _fields(request)
    size = sizes.of_openai(fields)
    if size is None:
        return _error(400, "invalid_value", "Invalid size.", "invalid_request_error")
    job = Job(fault_in(fields["prompt"]), fields["prompt"], *size, photo=photo)
    refused = REFUSED | XAI_REFUSED if "aspect_ratio" in fields else REFUSED
    if reply := studio.accept(job.fault, refused):
        return reply
    studio.work(job)
    images: list[dict[str, Any]] = []
    if job.fault is not Fault.NO_IMAGE:
        by_url = fields.get("response_format") == "url" or "aspect_ratio" in fields
        if by_url or job.fault is Fault.EXPIRED_URL:
            images = [{"url": studio.hang_out(job, request.base_url)}]
        else:
            images = [{"b64_json": base64.b64encode(studio.paint(job)).decode()}]
    body = {"created": int(time.time()), "data": images, "output_format": "png"}
    return Reply(body, drip=job.fault is Fault.DRIP)


def _fields(request: Request) -> tuple[dict[str, Any], bytes | None]:
    """The fields of an order, whichever way it came, and its photo."""
    if request.headers["Content-Type"].startswith("multipart/form-data"):
        form = request.form()
        photo = form.pop("image", None) or form.pop("image[]", None)
        return {name: value.decode() for name, value in form.items()}, photo
    fields = request.json()
    image = fields.get("image_url") or fields.get("image", {}).get("url")
    return fields, base64.b64decode(image.partition(",")[2]) if image else None


def _moderation(request: Request) -> Reply:
    """Flags a text with "forbidden" in it."""
    text = request.json()["input"]
    flagged = "forbidden" in text
    categories = {"violence": flagged, "sexual": False}
    result = {
        "flagged": flagged,
        "categories": categories,
        "category_scores": {name: float(value) for name, value in categories.items()},
        "category_applied_input_types": {name: ["text"] for name in categories},
    }
    return Reply({"id": "modr-1", "model": "omni-moderation-latest", "results": [result]})
