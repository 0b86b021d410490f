"""Gemini's image models: on Vertex AI with the function's service account, or with an API key.

POST {model}:generateContent. Without `secret` the call goes to Vertex AI in the project, and needs
no key: the service account of the function needs the role `roles/aiplatform.user`. With `secret` it
goes to the Gemini API (generativelanguage.googleapis.com).

A blocked prompt is a 200 with `promptFeedback.blockReason`, a withheld image one with a
`finishReason`. After 500 or 503 nothing was made; after 504 the outcome is unknown.
"""

import os
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from imagegen.providers import http, service_account
from imagegen.providers.base import GeneratedImage, GenerationJob, GeneratorError
from imagegen.providers.failures import Reason, failure
from imagegen.providers.settings import ProviderSettings, is_loopback, nearest_ratio

RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
PIXELS_OF_SIZE = {"1K": 1024, "2K": 2048, "4K": 4096}  # the side of a square

BLOCKED = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "MODEL_ARMOR",
        "JAILBREAK",
        "ESCALATION",
    }
)
API_KEY_HOST = "https://generativelanguage.googleapis.com"


class GeminiSettings(ProviderSettings):
    """What the document of such a model says. `project` is the function's own where it is absent.

    `parameters` become part of `generationConfig`; an entry of `sizes` becomes its `imageConfig`.
    """

    project: Annotated[str | None, Field(pattern=r"^[a-z][a-z0-9:.-]{3,40}\z")] = None
    location: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,30}\z")] = "global"

    @model_validator(mode="before")
    @classmethod
    def _with_base_url(cls, fields: Mapping[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in fields.items() if value is not None}
        location = given.get("location", "global")
        host = "" if location == "global" else f"{location}-"
        vertex = f"https://{host}aiplatform.googleapis.com"
        return {"baseUrl": API_KEY_HOST if given.get("secret") else vertex, **given}

    @property
    def url(self) -> str:
        if self.secret is not None:
            path = f"v1beta/models/{self.provider_model}"
        else:
            project = self.project or os.environ.get("GCLOUD_PROJECT", "")
            path = f"v1/projects/{project}/locations/{self.location}"
            path += f"/publishers/google/models/{self.provider_model}"
        return http.endpoint(self.base_url, f"{path}:generateContent")


class GeminiProvider:
    """One call that answers with the image, as base64 between other parts."""

    Settings = GeminiSettings

    def generate(self, job: GenerationJob, *, deadline: float) -> GeneratedImage:
        settings = GeminiSettings.of(job)
        if settings.secret is not None:
            headers = http.secret_header(
                settings.secret, settings.url, header="x-goog-api-key", prefix=""
            )
        else:
            headers = _token_header(settings.url)
        answer = http.call(
            "POST",
            settings.url,
            deadline=deadline,
            headers=headers,
            max_bytes=http.base64_bytes(settings.max_bytes),
            json=_order(settings, job),
        )
        if answer.status != 200:
            raise _failure(answer)
        return _image(answer.json())


def _order(settings: GeminiSettings, job: GenerationJob) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"text": settings.prompt_of(job)}]
    photo = settings.photo_of(job)
    if photo is not None:
        data = photo.data_uri.partition(",")[2]
        parts.append({"inlineData": {"data": data, "mimeType": photo.mime_type}})
    return {
        "contents": [{"parts": parts, "role": "user"}],
        "generationConfig": {
            "responseModalities": ["IMAGE"],
            "imageConfig": settings.size_of(job, _image_config(job)),
            **settings.parameters,
        },
    }


def _image_config(job: GenerationJob) -> dict[str, str]:
    """The nearest proportions, and the smallest size from which the order can be cut."""
    ratio = nearest_ratio(job.width, job.height, RATIOS)
    across, down = (float(part) for part in ratio.split(":"))
    side = max(job.width / across, job.height / down) * (across * down) ** 0.5
    size = next((name for name, pixels in PIXELS_OF_SIZE.items() if pixels >= side), "4K")
    return {"aspectRatio": ratio, "imageSize": size}


def _image(body: Any) -> GeneratedImage:
    try:
        if body.get("promptFeedback", {}).get("blockReason"):
            raise failure(Reason.CONTENT_REFUSED, "blockReason")
        candidate = body["candidates"][0]
        for part in candidate.get("content", {}).get("parts", []):
            image = part.get("inlineData")
            if image and not part.get("thought"):  # a draft that the model thought over
                data = http.base64_decoded(image["data"])
                return GeneratedImage(data=data, mime_type=str(image["mimeType"]))
        reason = str(candidate.get("finishReason"))
    except (LookupError, TypeError, AttributeError) as error:
        raise failure(Reason.NO_IMAGE, "no image in the answer") from error
    refused = reason in BLOCKED
    raise failure(
        Reason.CONTENT_REFUSED if refused else Reason.NO_IMAGE, http.word(reason), billed=True
    )


def _failure(answer: http.Answer) -> GeneratorError:
    body = answer.json()
    body = body[0] if isinstance(body, list) and body else body
    error = body.get("error") if isinstance(body, dict) else None
    error = error if isinstance(error, dict) else {}
    details = [each for each in error.get("details") or () if isinstance(each, dict)]
    reasons = {str(each.get("reason")) for each in details}
    code = str(error.get("status", ""))
    if reasons & {"API_KEY_INVALID", "API_KEY_SERVICE_BLOCKED", "API_KEY_EXPIRED"}:
        return failure(Reason.PROVIDER_AUTH, f"HTTP {answer.status}")
    if "BILLING_DISABLED" in reasons or _is_daily_quota(details):
        return failure(Reason.PROVIDER_QUOTA, f"HTTP {answer.status} {code}")
    found = http.failure_of(answer, code)
    if found.retryable and found.retry_after is None:
        found.retry_after = _retry_delay(details)
    return found


def _is_daily_quota(details: list[dict[str, Any]]) -> bool:
    """Whether the quota that is used up is one of a day: waiting a minute does not help."""
    violations = [each for detail in details for each in detail.get("violations") or ()]
    return any("PerDay" in str(each.get("quotaId")) for each in violations)


def _retry_delay(details: list[dict[str, Any]]) -> float | None:
    """Seconds of google.rpc.RetryInfo, whose `retryDelay` is "34s"."""
    for detail in details:
        delay = str(detail.get("retryDelay", ""))
        try:
            return max(0.0, min(float(delay.removesuffix("s")), 3600.0))
        except ValueError:
            continue
    return None


def _token_header(url: str) -> dict[str, str]:
    """The service account's access token, which opens all of the project: for Google alone."""
    parts = urlsplit(url)
    is_google = parts.scheme == "https" and str(parts.hostname).endswith(".googleapis.com")
    if not is_google and not is_loopback(url):
        raise failure(Reason.PROVIDER_AUTH, "without a secret, baseUrl must be Google's")
    return {"Authorization": f"Bearer {service_account.access_token()}"}
