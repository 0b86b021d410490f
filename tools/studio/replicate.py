"""Replicate's predictions: create, get, cancel."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from studio import sizes
from studio.faults import Fault, fault_in
from studio.wire import NOT_FOUND, Job, Reply, Request

if TYPE_CHECKING:
    from studio.server import Studio


def _problem(status: int, detail: str, headers: dict[str, str] | None = None) -> Reply:
    return Reply({"title": "Problem", "detail": detail, "status": status}, status, headers or {})


REFUSED = {
    Fault.RATE_LIMIT: _problem(429, "Request was throttled.", {"Retry-After": "7"}),
    Fault.QUOTA: _problem(402, "You have insufficient credit to run this model."),
    Fault.AUTH: _problem(401, "You did not pass a valid authentication token"),
    Fault.SERVER_ERROR: _problem(500, "Internal server error"),
}


def answer(studio: Studio, request: Request, path: str) -> Reply:
    if request.method == "POST" and path.endswith("/predictions"):
        return _create(studio, request, path)
    job_id, _, action = path.removeprefix("v1/predictions/").partition("/")
    job = studio.jobs.get(job_id)
    if job is None:
        return NOT_FOUND
    if request.method == "POST" and action == "cancel":
        job.canceled = not studio.is_done(job)
    return Reply(_prediction(studio, job, request.base_url))


def _create(studio: Studio, request: Request, path: str) -> Reply:
    fields = request.json()["input"]
    fault = fault_in(fields["prompt"])
    if reply := studio.accept(fault, REFUSED):
        return reply
    image = fields.get("image_url") or fields.get("image")
    photo = base64.b64decode(image.partition(",")[2]) if image else None
    job = Job(fault, fields["prompt"], *sizes.of_input(fields), photo=photo)
    studio.jobs[job.id] = job
    return Reply(_prediction(studio, job, request.base_url) | {"status": "starting"}, status=201)


def _prediction(studio: Studio, job: Job, base_url: str) -> dict[str, Any]:
    status, output, error = "processing", None, None
    if job.canceled:
        status = "canceled"
    elif studio.is_done(job):
        status = "succeeded"
        if job.fault is Fault.REFUSAL:
            status, error = "failed", "The input or output was flagged as sensitive. (E005)"
        elif job.fault is not Fault.NO_IMAGE:
            output = [studio.hang_out(job, base_url)]
    url = f"{base_url}/replicate/v1/predictions/{job.id}"
    return {
        "id": job.id,
        "model": "studio/studio-1",
        "version": "hidden",
        "status": status,
        "input": {"prompt": job.prompt},
        "output": output,
        "error": error,
        "logs": "",
        "metrics": {},
        "created_at": "2026-11-27T00:00:00.000Z",
        "started_at": None,
        "completed_at": None,
        "urls": {"get": url, "cancel": f"{url}/cancel"},
    }
