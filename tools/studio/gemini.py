"""POST …/models/{model}:generateContent, as the Gemini API and Vertex AI answer it."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from studio import sizes
from studio.faults import Fault, fault_in
from studio.wire import NOT_FOUND, Job, Reply, Request

if TYPE_CHECKING:
    from studio.server import Studio

MODEL_VERSION = "studio-1"
URL_SAFE = str.maketrans("+/", "-_")  # both alphabets are allowed, and the SDK sends this one


def _error(code: int, status: str, message: str, *details: dict[str, Any]) -> Reply:
    error = {"code": code, "message": message, "status": status, "details": list(details)}
    return Reply({"error": error}, status=code)


REFUSED = {
    Fault.REFUSAL: Reply(
        {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "modelVersion": MODEL_VERSION}
    ),
    Fault.RATE_LIMIT: _error(
        429,
        "RESOURCE_EXHAUSTED",
        "Quota exceeded per minute.",
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"},
    ),
    Fault.QUOTA: _error(402, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."),
    Fault.AUTH: _error(
        400,
        "INVALID_ARGUMENT",
        "API key not valid.",
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"},
    ),
    Fault.SERVER_ERROR: _error(500, "INTERNAL", "An internal error has occurred."),
}


def answer(studio: Studio, request: Request, path: str) -> Reply:
    if request.method != "POST" or not path.endswith(":generateContent"):
        return NOT_FOUND
    body = request.json()
    parts = body["contents"][0]["parts"]
    prompt = next(part["text"] for part in parts if "text" in part)
    images = [part["inlineData"]["data"] for part in parts if "inlineData" in part]
    size = sizes.of_gemini(body.get("generationConfig", {}).get("imageConfig") or {})
    photo = base64.urlsafe_b64decode(images[0].translate(URL_SAFE)) if images else None
    job = Job(fault_in(prompt), prompt, *size, photo=photo)
    if reply := studio.accept(job.fault, REFUSED):
        return reply
    studio.work(job)
    return Reply(_candidates(studio, job, request.base_url), drip=job.fault is Fault.DRIP)


def _candidates(studio: Studio, job: Job, base_url: str) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"text": "Here is your picture."}]
    if job.fault is Fault.EXPIRED_URL:
        uri = studio.hang_out(job, base_url)
        parts.append({"fileData": {"fileUri": uri, "mimeType": "image/png"}})
    elif job.fault is not Fault.NO_IMAGE:
        data = base64.b64encode(studio.paint(job)).decode()
        parts.append({"inlineData": {"mimeType": "image/png", "data": data}})
    reason = "NO_IMAGE" if job.fault is Fault.NO_IMAGE else "STOP"
    content = {"role": "model", "parts": parts}
    return {
        "candidates": [{"content": content, "finishReason": reason, "index": 0}],
        "modelVersion": MODEL_VERSION,
        "responseId": job.id,
    }
