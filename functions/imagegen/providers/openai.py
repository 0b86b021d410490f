"""OpenAI's images API, and what speaks it: Azure, Together, xAI, LiteLLM, LocalAI, vLLM.

POST /images/generations; with a photo, POST /images/edits as a form. The `dialect` says how a
vendor is told the size, and with it how it takes a photo:

    size          size: "1024x1024"           photo: a form        OpenAI, Azure, LiteLLM, LocalAI
    width_height  width, height               photo: image_url     Together
    aspect_ratio  aspect_ratio: "16:9"        photo: image.url     xAI

An answer of 500 or 503 says that nothing was made, so it may be tried again; 502 and 504 come from
a gateway that has lost the answer, so the outcome is unknown.
"""

import json
from typing import Any, Literal

from imagegen.providers import http
from imagegen.providers.base import GeneratedImage, GenerationJob, GeneratorError, Photo
from imagegen.providers.failures import Reason, failure
from imagegen.providers.settings import BaseUrl, ProviderSettings, nearest_ratio

REFUSALS = frozenset(
    {
        "moderation_blocked",  # OpenAI
        "content_policy_violation",  # OpenAI's older models, LiteLLM
        "content_filter",  # Azure
        "contentFilter",  # Azure
    }
)
QUOTA = frozenset({"insufficient_quota", "billing_hard_limit_reached", "credit_limit"})

# xAI takes these.
RATIOS = (
    *("1:1", "4:3", "3:4", "3:2", "2:3", "16:9", "9:16", "2:1", "1:2"),
    *("20:9", "9:20", "19.5:9", "9:19.5"),
)


class OpenAISettings(ProviderSettings):
    """What the document of such a model says. GPT image models refuse a `responseFormat`."""

    base_url: BaseUrl = "https://api.openai.com/v1"
    auth_header: Literal["Authorization", "api-key"] = "Authorization"
    dialect: Literal["size", "width_height", "aspect_ratio"] = "size"
    response_format: Literal["b64_json", "base64", "url"] | None = None


class OpenAIProvider:
    """One call that answers with the image, as base64 or behind a URL."""

    Settings = OpenAISettings

    def generate(self, job: GenerationJob, *, deadline: float) -> GeneratedImage:
        settings = OpenAISettings.of(job)
        path, content = _order(settings, job)
        url = http.endpoint(settings.base_url, path)
        prefix = "Bearer " if settings.auth_header == "Authorization" else ""
        answer = http.call(
            "POST",
            url,
            deadline=deadline,
            headers=http.secret_header(
                settings.secret, url, header=settings.auth_header, prefix=prefix
            ),
            max_bytes=http.base64_bytes(settings.max_bytes),
            **content,
        )
        if answer.status != 200:
            raise _failure(answer)
        return _image(answer)


def _order(settings: OpenAISettings, job: GenerationJob) -> tuple[str, dict[str, Any]]:
    """Path and content of the request."""
    fields, photo = _fields(settings, job), settings.photo_of(job)
    if photo is None:
        return "/images/generations", {"json": fields}
    match settings.dialect:
        case "size":
            return "/images/edits", _form(fields, photo)
        case "width_height":
            return "/images/generations", {"json": settings.with_photo(fields, job)}
        case "aspect_ratio":
            image = {"type": "image_url", "url": photo.data_uri}
            return "/images/edits", {"json": {**fields, "image": image}}


def _fields(settings: OpenAISettings, job: GenerationJob) -> dict[str, Any]:
    default: dict[str, Any]
    match settings.dialect:
        case "size":
            default = {"size": f"{job.width}x{job.height}"}
        case "width_height":
            default = {"width": job.width, "height": job.height}
        case "aspect_ratio":
            default = {"aspect_ratio": nearest_ratio(job.width, job.height, RATIOS)}
    fields = {
        "model": settings.provider_model,
        "prompt": settings.prompt_of(job),
        **settings.size_of(job, default),
        **settings.parameters,
    }
    if settings.response_format is not None:
        fields["response_format"] = settings.response_format
    return fields


def _form(fields: dict[str, Any], photo: Photo) -> dict[str, Any]:
    name = f"photo.{photo.mime_type.partition('/')[2]}"
    return {
        "data": {
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in fields.items()
        },
        "files": {"image": (name, photo.data, photo.mime_type)},
    }


def _image(answer: http.Answer) -> GeneratedImage:
    body = answer.json()
    try:
        image = body["data"][0]
        if image.get("respect_moderation") is False or body.get("respect_moderation") is False:
            raise failure(Reason.CONTENT_REFUSED, "respect_moderation", billed=True)  # xAI
        if image.get("b64_json"):
            return GeneratedImage(
                data=http.base64_decoded(image["b64_json"]),
                mime_type=f"image/{body.get('output_format') or 'png'}",
            )
        return http.image_of(image.get("url"))
    except (LookupError, TypeError, AttributeError) as error:
        raise failure(Reason.NO_IMAGE, "no image in the answer") from error


def _failure(answer: http.Answer) -> GeneratorError:
    body = answer.json()
    error = body.get("error") if isinstance(body, dict) else None
    error = error if isinstance(error, dict) else {}
    codes = {str(error.get("code")), str(error.get("type"))}
    inner = error.get("inner_error") or error.get("innererror")  # Azure
    if isinstance(inner, dict):
        codes.add(str(inner.get("code")))
        if inner.get("code") == "ResponsibleAIPolicyViolation":
            codes.add("content_filter")
    code = str(error.get("code") or error.get("type") or "")
    if codes & REFUSALS:
        return failure(Reason.CONTENT_REFUSED, f"HTTP {answer.status}")
    if codes & QUOTA:
        return failure(Reason.PROVIDER_QUOTA, f"HTTP {answer.status}")
    return http.failure_of(answer, code)
