"""fal: jobs in its queue.

POST https://queue.fal.run/{model} starts a job and answers with its URLs, which are used as they
are. `x-fal-no-retry` keeps the queue from running a job again that has failed. A job's failure
shows in the status of its result. A refusal is a 422 of type `content_policy_violation`; models
with a safety checker deliver a black picture instead and say so in `has_nsfw_concepts`.
"""

import json
from typing import Any
from urllib.parse import urlsplit

from imagegen.providers import http
from imagegen.providers.base import GeneratedImage, GenerationJob, GeneratorError
from imagegen.providers.failures import Reason, failure
from imagegen.providers.settings import BaseUrl, ProviderSettings

REFUSALS = frozenset({"content_policy_violation"})


class FalSettings(ProviderSettings):
    """What the document of such a model says. Without `sizes`: `image_size: {width, height}`."""

    base_url: BaseUrl = "https://queue.fal.run"


class FalProvider:
    """The id of a job is the JSON object of its three URLs, `status`, `response` and `cancel`."""

    Settings = FalSettings

    def submit(self, job: GenerationJob, *, deadline: float) -> str:
        settings = FalSettings.of(job)
        url = http.endpoint(settings.base_url, settings.provider_model)
        size = {"image_size": {"width": job.width, "height": job.height}}
        order = {
            "prompt": settings.prompt_of(job),
            **settings.size_of(job, size),
            **settings.parameters,
        }
        headers = {**_key(settings, url), "x-fal-no-retry": "1"}
        answer = http.call(
            "POST", url, deadline=deadline, headers=headers, json=settings.with_photo(order, job)
        )
        if answer.status != 200:
            raise _failure(answer)
        try:
            body = answer.json()
            urls = {name: str(body[f"{name}_url"]) for name in ("status", "response", "cancel")}
        except (LookupError, TypeError) as error:
            raise failure(Reason.OUTCOME_UNKNOWN, "no URLs in the answer") from error
        return json.dumps(urls)

    def poll(
        self, job: GenerationJob, provider_job: str, *, deadline: float
    ) -> GeneratedImage | None:
        settings, urls = FalSettings.of(job), json.loads(provider_job)
        status = _get(settings, urls["status"], deadline)
        if status.status not in {200, 202}:
            raise _failure(status, asks=True)
        body = status.json()
        if not isinstance(body, dict) or body.get("status") != "COMPLETED":
            return None
        result = _get(settings, urls["response"], deadline, settings.max_bytes)
        if result.status == 200:
            return _image(result.json())
        raise _job_failure(result, has_failed=bool(body.get("error")))

    def cancel(self, job: GenerationJob, provider_job: str, *, deadline: float) -> None:
        settings, url = FalSettings.of(job), json.loads(provider_job)["cancel"]
        answer = http.call("PUT", url, deadline=deadline, headers=_key(settings, url))
        if answer.status not in {200, 202, 400, 404}:  # 400: it has completed; 404: it is gone
            raise _failure(answer, asks=True)


def _key(settings: FalSettings, url: str) -> dict[str, str]:
    """The header with the key. Raises GeneratorError where a URL leads away from fal's host."""
    if urlsplit(url)[:2] != urlsplit(settings.base_url)[:2]:
        raise failure(Reason.PROVIDER_REJECTED, "a URL of another host")
    return http.secret_header(settings.secret, url, prefix="Key ")


def _get(
    settings: FalSettings, url: str, deadline: float, max_bytes: int = http.MAX_JSON_BYTES
) -> http.Answer:
    limit = http.base64_bytes(max_bytes)
    return http.call("GET", url, deadline=deadline, headers=_key(settings, url), max_bytes=limit)


def _image(body: Any) -> GeneratedImage:
    try:
        if any(body.get("has_nsfw_concepts") or ()):
            raise failure(Reason.CONTENT_REFUSED, "has_nsfw_concepts", billed=True)
        image = body["images"][0] if body.get("images") else body["image"]
        return http.image_of(image["url"] if isinstance(image, dict) else image)
    except (LookupError, TypeError, AttributeError) as error:
        raise failure(Reason.NO_IMAGE, "no image in the answer") from error


def _job_failure(result: http.Answer, *, has_failed: bool) -> GeneratorError:
    """Why a job gave no image: its own failure, which is final, or a failure to ask for it."""
    error = _failure(result, asks=True)
    if has_failed and error.retryable:
        error.retryable = False
    return error


def _failure(answer: http.Answer, *, asks: bool = False) -> GeneratorError:
    body = answer.json()
    detail = body.get("detail") if isinstance(body, dict) else None
    entries = (
        [each for each in detail if isinstance(each, dict)] if isinstance(detail, list) else []
    )
    types = {str(each.get("type")) for each in entries}
    if types & REFUSALS:
        return failure(Reason.CONTENT_REFUSED, f"HTTP {answer.status}")
    if answer.status == 403 and isinstance(detail, str) and "balance" in detail.lower():
        return failure(Reason.PROVIDER_QUOTA, f"HTTP {answer.status}")
    code = answer.headers.get("x-fal-error-type") or next(iter(types), "")
    return http.failure_of(answer, code, orders=not asks)
