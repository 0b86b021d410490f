"""fal's queue: submit, status, result, cancel."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from studio import sizes
from studio.faults import Fault, fault_in
from studio.wire import NOT_FOUND, Job, Reply, Request

if TYPE_CHECKING:
    from studio.server import Studio


REFUSED = {
    Fault.RATE_LIMIT: Reply({"detail": "Too many requests"}, 429, {"Retry-After": "7"}),
    Fault.QUOTA: Reply({"detail": "User is locked. Reason: Exhausted balance."}, status=403),
    Fault.AUTH: Reply({"detail": "No user found for Key ID and Secret"}, status=401),
    Fault.SERVER_ERROR: Reply({"detail": "Internal Server Error"}, status=500),
}


def answer(studio: Studio, request: Request, path: str) -> Reply:
    model, _, job_path = path.partition("/requests/")
    if request.method == "POST" and not job_path:
        return _submit(studio, request, model)
    job_id, _, action = job_path.partition("/")
    job = studio.jobs.get(job_id)
    if job is None:
        return Reply({"detail": "Request not found"}, status=404)
    match request.method, action:
        case "GET", "status":
            return _status(studio, job)
        case "GET", "":
            return _result(studio, job, request.base_url)
        case "PUT", "cancel":
            return _cancel(studio, job)
    return NOT_FOUND


def _cancel(studio: Studio, job: Job) -> Reply:
    if studio.is_done(job):
        return Reply({"status": "ALREADY_COMPLETED"}, status=400)
    job.canceled = True
    return Reply({"status": "CANCELLATION_REQUESTED"}, status=202)


def _submit(studio: Studio, request: Request, model: str) -> Reply:
    fields = request.json()
    fault = fault_in(fields["prompt"])
    if reply := studio.accept(fault, REFUSED):
        return reply
    image = fields.get("image_url") or next(iter(fields.get("image_urls", ())), None)
    photo = base64.b64decode(image.partition(",")[2]) if image else None
    job = Job(fault, fields["prompt"], *sizes.of_input(fields), photo=photo)
    studio.jobs[job.id] = job
    app = "/".join(model.split("/")[:2])  # the URLs of a job leave the rest of the name out
    url = f"{request.base_url}/fal/{app}/requests/{job.id}"
    return Reply(
        {
            "status": "IN_QUEUE",
            "queue_position": 0,
            "request_id": job.id,
            "response_url": url,
            "status_url": f"{url}/status",
            "cancel_url": f"{url}/cancel",
        }
    )


def _status(studio: Studio, job: Job) -> Reply:
    if job.canceled or studio.is_done(job):
        body = {"status": "COMPLETED", "request_id": job.id, "logs": [], "metrics": {}}
        if job.canceled or job.fault is Fault.REFUSAL:
            body["error"] = "The request has failed."
        return Reply(body)
    return Reply({"status": "IN_PROGRESS", "request_id": job.id, "logs": []}, status=202)


def _result(studio: Studio, job: Job, base_url: str) -> Reply:
    if job.canceled:
        return Reply({"detail": "Request was cancelled"}, status=400)
    if not studio.is_done(job):
        return Reply({"detail": "Request is still in progress"}, status=400)
    if job.fault is Fault.REFUSAL:
        detail = {
            "loc": ["body", "prompt"],
            "msg": "The content was flagged by a content checker.",
            "type": "content_policy_violation",
            "url": "https://docs.fal.ai/errors#content_policy_violation",
        }
        return Reply({"detail": [detail]}, status=422, headers={"X-Fal-Retryable": "false"})
    images = [] if job.fault is Fault.NO_IMAGE else [_image(studio, job, base_url)]
    body = {"images": images, "prompt": job.prompt, "has_nsfw_concepts": [False] * len(images)}
    return Reply(body)


def _image(studio: Studio, job: Job, base_url: str) -> dict[str, object]:
    url = studio.hang_out(job, base_url)
    return {"url": url, "width": job.width, "height": job.height, "content_type": "image/png"}
