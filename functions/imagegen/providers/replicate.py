"""Replicate: predictions.

POST /v1/models/{owner}/{name}/predictions starts one, POST /v1/predictions does where the document
names a `version`. `Cancel-After` ends a job that nobody asks for any more. Output URLs die after an
hour. A refusal is a prediction that has failed, with words about it in `error`.
"""

from typing import Annotated, Any

from pydantic import Field

from imagegen import config
from imagegen.providers import http
from imagegen.providers.base import GeneratedImage, GenerationJob, GeneratorError
from imagegen.providers.failures import Reason, failure
from imagegen.providers.settings import BaseUrl, ProviderSettings, nearest_ratio

RATIOS = ("1:1", "16:9", "3:2", "2:3", "4:5", "5:4", "9:16", "3:4", "4:3")
REFUSAL_WORDS = ("nsfw", "sensitive", "flagged", "safety", "moderation", "e005")


class ReplicateSettings(ProviderSettings):
    """What the document of such a model says. Without `sizes`: `aspect_ratio`, the nearest."""

    base_url: BaseUrl = "https://api.replicate.com"
    version: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9]{1,64}\z")] = None


class ReplicateProvider:
    """The id of a job is that of its prediction."""

    Settings = ReplicateSettings

    def submit(self, job: GenerationJob, *, deadline: float) -> str:
        settings = ReplicateSettings.of(job)
        size = {"aspect_ratio": nearest_ratio(job.width, job.height, RATIOS)}
        order = {
            "prompt": settings.prompt_of(job),
            **settings.size_of(job, size),
            **settings.parameters,
        }
        body: dict[str, Any] = {"input": settings.with_photo(order, job)}
        path = f"v1/models/{settings.provider_model}/predictions"
        if settings.version is not None:
            path, body["version"] = "v1/predictions", settings.version
        seconds = max(5, config.ASYNC_DEADLINE_SECONDS.value)
        answer = _call(
            settings, "POST", path, deadline, headers={"Cancel-After": f"{seconds}s"}, json=body
        )
        if answer.status not in {200, 201, 202}:
            raise http.failure_of(answer)
        prediction = answer.json()
        provider_job = str(prediction.get("id", "")) if isinstance(prediction, dict) else ""
        if not provider_job.isalnum():  # it becomes part of a path
            raise failure(Reason.OUTCOME_UNKNOWN, "no id in the answer")
        return provider_job

    def poll(
        self, job: GenerationJob, provider_job: str, *, deadline: float
    ) -> GeneratedImage | None:
        settings = ReplicateSettings.of(job)
        answer = _call(settings, "GET", f"v1/predictions/{provider_job}", deadline)
        if answer.status != 200:
            raise http.failure_of(answer, orders=False)
        prediction = answer.json()
        status = prediction.get("status") if isinstance(prediction, dict) else None
        match status:
            case "succeeded":
                return _image(prediction.get("output"))
            case "failed" | "canceled" | "aborted":
                raise _job_failure(prediction)
        return None

    def cancel(self, job: GenerationJob, provider_job: str, *, deadline: float) -> None:
        settings = ReplicateSettings.of(job)
        answer = _call(settings, "POST", f"v1/predictions/{provider_job}/cancel", deadline)
        if answer.status not in {200, 202, 404, 422}:  # 422: it has ended
            raise http.failure_of(answer, orders=False)


def _call(
    settings: ReplicateSettings,
    method: str,
    path: str,
    deadline: float,
    headers: dict[str, str] | None = None,
    **content: Any,
) -> http.Answer:
    url = http.endpoint(settings.base_url, path)
    return http.call(
        method,
        url,
        deadline=deadline,
        headers={**http.secret_header(settings.secret, url), **(headers or {})},
        max_bytes=http.base64_bytes(settings.max_bytes),
        **content,
    )


def _image(output: Any) -> GeneratedImage:
    first = output[0] if isinstance(output, list) and output else output
    return http.image_of(first.get("url") if isinstance(first, dict) else first)


def _job_failure(prediction: dict[str, Any]) -> GeneratorError:
    """A prediction that has ended without an image stays so, however often it is asked for."""
    said = str(prediction.get("error") or "").lower()
    if any(word in said for word in REFUSAL_WORDS):
        return failure(Reason.CONTENT_REFUSED, "refused", billed=True)
    error = failure(Reason.PROVIDER_FAILED, str(prediction.get("status")), billed=True)
    error.retryable = False
    return error
