"""What vendors answer, and what it means: as their documentation has it."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from studio.server import Studio
from support.images import image
from support.models import job, settings_at

from imagegen.providers import http, registry, service_account
from imagegen.providers.base import GeneratedImage, GeneratorError, Photo
from imagegen.providers.http import Answer

PIXEL = image(4, 4)


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Has every call answered by what is given, in turn; the calls that were made."""
    monkeypatch.setenv("GENERATOR_SECRETS", "STUDIO_KEY:vendor.test")
    monkeypatch.setenv("STUDIO_KEY", "sk-studio")

    def prepare(*answers: tuple[int, Any] | tuple[int, Any, dict[str, str]]) -> list[Any]:
        waiting, calls = list(answers), []

        def call(method: str, url: str, **content: Any) -> Answer:
            calls.append((method, url, content))
            status, body, *headers = waiting.pop(0)
            return Answer(status, dict(*headers), json.dumps(body).encode())

        monkeypatch.setattr(http, "call", call)
        return calls

    return prepare


def settings(**fields: Any) -> dict[str, Any]:
    base = {"providerModel": "acme/m", "baseUrl": "https://vendor.test", "secret": "STUDIO_KEY"}
    return base | fields


def generated(generator: str, fields: dict[str, Any], **order: Any) -> GeneratedImage:
    provider: Any = registry.find(generator)
    answer: GeneratedImage = provider.generate(job(fields, **order), deadline=0)
    return answer


def reason_of(generator: str, fields: dict[str, Any], **order: Any) -> GeneratorError:
    with pytest.raises(GeneratorError) as failed:
        generated(generator, fields, **order)
    return failed.value


def openai_error(code: str | None, kind: str = "invalid_request_error", **more: Any) -> Any:
    return {"error": {"code": code, "type": kind, "message": "a lighthouse", **more}}


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, openai_error("moderation_blocked", "image_generation_user_error"), "CONTENT_REFUSED"),
        (400, openai_error("content_policy_violation"), "CONTENT_REFUSED"),
        (
            400,
            openai_error("bad", inner_error={"code": "ResponsibleAIPolicyViolation"}),
            "CONTENT_REFUSED",
        ),
        (400, openai_error("contentFilter"), "CONTENT_REFUSED"),  # Azure
        (400, openai_error("billing_hard_limit_reached"), "PROVIDER_QUOTA"),
        (429, openai_error("insufficient_quota", "insufficient_quota"), "PROVIDER_QUOTA"),
        (402, {"error": {"message": "Credit limit exceeded"}}, "PROVIDER_QUOTA"),
        (429, openai_error("rate_limit_exceeded", "requests"), "PROVIDER_BUSY"),
        (401, openai_error("invalid_api_key"), "PROVIDER_AUTH"),
        (403, openai_error("unsupported_country_region_territory"), "PROVIDER_AUTH"),
        (400, openai_error("invalid_value"), "PROVIDER_REJECTED"),
        (404, openai_error("model_not_found"), "PROVIDER_REJECTED"),
        (302, {}, "PROVIDER_REJECTED"),
        (500, openai_error("server_error"), "PROVIDER_FAILED"),
        (503, "overloaded", "PROVIDER_FAILED"),
        (502, None, "OUTCOME_UNKNOWN"),
        (504, [], "OUTCOME_UNKNOWN"),
        (400, {"error": "a string"}, "PROVIDER_REJECTED"),
        (200, {}, "NO_IMAGE"),
        (200, {"data": []}, "NO_IMAGE"),
        (200, {"data": [{"url": None}]}, "NO_IMAGE"),
        (200, {"data": [{"b64_json": "%%%"}]}, "NO_IMAGE"),
        (200, {"data": "x"}, "NO_IMAGE"),
        (200, [1], "NO_IMAGE"),
        (200, {"data": [{"url": "", "respect_moderation": False}]}, "CONTENT_REFUSED"),  # xAI
    ],
)
def test_what_openai_and_its_likes_answer(
    answered: Callable[..., Any], status: int, body: Any, reason: str
) -> None:
    answered((status, body))
    error = reason_of("openai", settings())
    assert error.reason == reason
    assert "lighthouse" not in f"{error} {error.detail}"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "12"}, 12),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "999999"}, 3600),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, 0),
        ({}, None),
    ],
)
def test_a_busy_vendor_says_how_long(
    answered: Callable[..., Any], headers: dict[str, str], seconds: float | None
) -> None:
    answered((429, {}, headers))
    assert reason_of("openai", settings()).retry_after == seconds


def test_a_form_has_values_as_json_has_them(answered: Callable[..., Any]) -> None:
    calls = answered((200, {"data": [{"url": "https://vendor.test/a.png"}]}))
    parameters = {"n": 1, "quality": "low", "stream": False, "tags": ["a"], "more": {"b": True}}
    fields = settings(sources=True, parameters=parameters)
    generated("openai", fields, photo=Photo(PIXEL, "image/png"))
    ((_, _, content),) = calls
    sent = {name: content["data"][name] for name in parameters}
    assert sent == {
        "n": "1",
        "quality": "low",
        "stream": "false",
        "tags": '["a"]',
        "more": '{"b": true}',
    }


@pytest.mark.parametrize(
    ("fields", "order", "path", "sent"),
    [
        ({}, {}, "/images/generations", {"size": "512x512"}),
        ({"dialect": "width_height"}, {}, "/images/generations", {"width": 512, "height": 512}),
        (
            {"dialect": "aspect_ratio", "responseFormat": "url"},
            {"height": 1024},
            "/images/generations",
            {"aspect_ratio": "1:2", "response_format": "url"},
        ),
        (
            {"sizes": {"512x512": {"size": "1024x1024"}}, "parameters": {"quality": "low"}},
            {},
            "/images/generations",
            {"size": "1024x1024", "quality": "low"},
        ),
    ],
)
def test_each_dialect_is_told_the_size_in_its_own_words(
    answered: Callable[..., Any],
    fields: dict[str, Any],
    order: dict[str, Any],
    path: str,
    sent: dict[str, Any],
) -> None:
    calls = answered((200, {"data": [{"url": "https://vendor.test/a.png"}]}))
    answer = generated("openai", settings(**fields), **order)
    assert (answer.url, answer.download) == ("https://vendor.test/a.png", True)
    ((method, url, content),) = calls
    assert (method, url) == ("POST", f"https://vendor.test{path}")
    prompt = "a lighthouse. Style: anime. Colors: neon."
    assert content["json"] == {"model": "acme/m", "prompt": prompt, **sent}


def test_azure_has_its_own_header_and_a_query(answered: Callable[..., Any]) -> None:
    calls = answered((200, {"data": [{"url": "https://vendor.test/a.png"}]}))
    base_url = "https://vendor.test/openai/deployments/d?api-version=2025-04-01-preview"
    generated("openai", settings(baseUrl=base_url, authHeader="api-key"))
    ((_, url, content),) = calls
    assert url == (
        "https://vendor.test/openai/deployments/d/images/generations?api-version=2025-04-01-preview"
    )
    assert content["headers"] == {"api-key": "sk-studio"}


@pytest.mark.parametrize(
    ("dialect", "path", "field"),
    [
        ("width_height", "/images/generations", "image_url"),
        ("aspect_ratio", "/images/edits", "image"),
    ],
)
def test_a_photo_goes_where_the_dialect_wants_it(
    answered: Callable[..., Any], dialect: str, path: str, field: str
) -> None:
    calls = answered((200, {"data": [{"url": "https://vendor.test/a.png"}]}))
    photo = Photo(PIXEL, "image/png")
    generated("openai", settings(dialect=dialect, sources=True), photo=photo)
    ((_, url, content),) = calls
    assert url.endswith(path)
    sent = content["json"][field]
    assert (sent if isinstance(sent, str) else sent["url"]) == photo.data_uri


@pytest.mark.parametrize("generator", ["openai", "gemini"])
def test_a_model_that_takes_no_photo_says_so_before_anything_is_paid(
    answered: Callable[..., Any], generator: str
) -> None:
    calls = answered()
    error = reason_of(generator, settings(), photo=Photo(PIXEL, "image/png"))
    assert (error.reason, error.billed, calls) == ("SOURCE_NOT_USABLE", False, [])


def google_error(code: int, status: str, *details: Any) -> Any:
    error = {"code": code, "status": status, "message": "a lighthouse", "details": details}
    return {"error": error}


def part(**fields: Any) -> Any:
    return {"candidates": [{"content": {"parts": [fields]}, "finishReason": "STOP"}]}


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (200, {"promptFeedback": {"blockReason": "SAFETY"}}, "CONTENT_REFUSED"),
        (200, {"candidates": [{"finishReason": "IMAGE_SAFETY"}]}, "CONTENT_REFUSED"),
        (200, {"candidates": [{"finishReason": "NO_IMAGE"}]}, "NO_IMAGE"),
        (200, {"candidates": [{}]}, "NO_IMAGE"),
        (200, {"candidates": []}, "NO_IMAGE"),
        (200, [], "NO_IMAGE"),
        (200, part(text="I cannot draw"), "NO_IMAGE"),
        (200, part(inlineData={"data": "!", "mimeType": "image/png"}), "NO_IMAGE"),
        (
            200,
            part(inlineData={"data": "QUJD", "mimeType": "image/png"}, thought=True),
            "NO_IMAGE",
        ),
        (
            400,
            google_error(400, "INVALID_ARGUMENT", {"reason": "API_KEY_INVALID"}),
            "PROVIDER_AUTH",
        ),
        (403, google_error(403, "PERMISSION_DENIED"), "PROVIDER_AUTH"),
        (
            403,
            google_error(403, "PERMISSION_DENIED", {"reason": "BILLING_DISABLED"}),
            "PROVIDER_QUOTA",
        ),
        (402, google_error(402, "RESOURCE_EXHAUSTED"), "PROVIDER_QUOTA"),
        (
            429,
            google_error(
                429, "RESOURCE_EXHAUSTED", {"violations": [{"quotaId": "RequestsPerDayPerProject"}]}
            ),
            "PROVIDER_QUOTA",
        ),
        (429, [google_error(429, "RESOURCE_EXHAUSTED", {"retryDelay": "34s"})], "PROVIDER_BUSY"),
        (400, google_error(400, "INVALID_ARGUMENT"), "PROVIDER_REJECTED"),
        (500, google_error(500, "INTERNAL"), "PROVIDER_FAILED"),
        (503, google_error(503, "UNAVAILABLE"), "PROVIDER_FAILED"),
        (504, google_error(504, "DEADLINE_EXCEEDED"), "OUTCOME_UNKNOWN"),
    ],
)
def test_what_gemini_answers(
    answered: Callable[..., Any], status: int, body: Any, reason: str
) -> None:
    answered((status, body))
    error = reason_of("gemini", settings())
    assert error.reason == reason
    assert error.retry_after == (34 if reason == "PROVIDER_BUSY" else None)
    assert "lighthouse" not in f"{error} {error.detail}"


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (512, 512, {"aspectRatio": "1:1", "imageSize": "1K"}),
        (1024, 1024, {"aspectRatio": "1:1", "imageSize": "1K"}),
        (1024, 1792, {"aspectRatio": "9:16", "imageSize": "2K"}),
        (8000, 8000, {"aspectRatio": "1:1", "imageSize": "4K"}),
    ],
)
def test_gemini_is_asked_for_the_smallest_image_that_the_order_can_be_cut_from(
    answered: Callable[..., Any], width: int, height: int, expected: dict[str, str]
) -> None:
    calls = answered((200, {}))
    reason_of("gemini", settings(), width=width, height=height)
    ((_, _, content),) = calls
    assert content["json"]["generationConfig"]["imageConfig"] == expected


def test_the_service_accounts_token_is_sent_to_google_alone(
    answered: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_account, "access_token", lambda: "ya29.token")
    calls = answered((200, {}))
    assert reason_of("gemini", settings(secret=None)).reason == "PROVIDER_AUTH"
    assert not calls
    reason_of("gemini", {"providerModel": "g", "project": "acme"})
    ((_, url, content),) = calls
    assert url.startswith("https://aiplatform.googleapis.com/v1/projects/acme/")
    assert content["headers"] == {"Authorization": "Bearer ya29.token"}


URLS = {
    f"{name}_url": f"https://vendor.test/acme/m/requests/1{path}"
    for name, path in (("status", "/status"), ("response", ""), ("cancel", "/cancel"))
}


def polled(generator: str, provider_job: str) -> GeneratedImage | None:
    provider: Any = registry.find(generator)
    answer: GeneratedImage | None = provider.poll(job(settings()), provider_job, deadline=0)
    return answer


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (403, {"detail": "User is locked. Reason: Exhausted balance."}, "PROVIDER_QUOTA"),
        (403, {"detail": "Forbidden"}, "PROVIDER_AUTH"),
        (422, {"detail": [{"type": "missing", "input": "a lighthouse"}]}, "PROVIDER_REJECTED"),
        (200, {"request_id": "1"}, "OUTCOME_UNKNOWN"),
        (502, None, "OUTCOME_UNKNOWN"),
    ],
)
def test_what_fal_answers_to_an_order(
    answered: Callable[..., Any], status: int, body: Any, reason: str
) -> None:
    answered((status, body))
    provider: Any = registry.find("fal")
    with pytest.raises(GeneratorError) as failed:
        provider.submit(job(settings()), deadline=0)
    assert failed.value.reason == reason
    assert "lighthouse" not in f"{failed.value} {failed.value.detail}"


DONE = (200, {"status": "COMPLETED"})


@pytest.mark.parametrize(
    ("answers", "reason", "retryable"),
    [
        ([(502, None)], "PROVIDER_FAILED", True),
        ([(404, {})], "PROVIDER_REJECTED", False),
        (
            [DONE, (422, {"detail": [{"type": "content_policy_violation"}]})],
            "CONTENT_REFUSED",
            False,
        ),
        (
            [DONE, (200, {"images": [{"url": "x"}], "has_nsfw_concepts": [True]})],
            "CONTENT_REFUSED",
            False,
        ),
        ([DONE, (200, {"images": []})], "NO_IMAGE", False),
        ([DONE, (200, {"images": [{}]})], "NO_IMAGE", False),
        ([DONE, (500, {"detail": "failed"})], "PROVIDER_FAILED", True),
        (
            [(200, {"status": "COMPLETED", "error": "failed"}), (500, {"detail": "failed"})],
            "PROVIDER_FAILED",
            False,
        ),
    ],
)
def test_what_becomes_of_a_job_at_fal(
    answered: Callable[..., Any], answers: list[Any], reason: str, retryable: bool
) -> None:
    answered((200, URLS), *answers)
    provider: Any = registry.find("fal")
    provider_job = provider.submit(job(settings()), deadline=0)
    with pytest.raises(GeneratorError) as failed:
        polled("fal", provider_job)
    assert (failed.value.reason, failed.value.retryable) == (reason, retryable)


def test_fals_queue_is_told_not_to_run_a_failed_job_again(answered: Callable[..., Any]) -> None:
    calls = answered((200, URLS), (202, {"status": "IN_QUEUE"}))
    provider: Any = registry.find("fal")
    provider_job = provider.submit(job(settings()), deadline=0)
    assert calls[0][2]["headers"] == {"Authorization": "Key sk-studio", "x-fal-no-retry": "1"}
    assert polled("fal", provider_job) is None


def test_fal_cannot_send_us_elsewhere(answered: Callable[..., Any]) -> None:
    elsewhere = URLS | {"status_url": "http://169.254.169.254/computeMetadata/v1/"}
    calls = answered((200, elsewhere))
    provider: Any = registry.find("fal")
    provider_job = provider.submit(job(settings()), deadline=0)
    with pytest.raises(GeneratorError) as failed:
        polled("fal", provider_job)
    assert failed.value.reason == "PROVIDER_REJECTED"
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("prediction", "reason"),
    [
        ({"status": "failed", "error": "NSFW content detected."}, "CONTENT_REFUSED"),
        ({"status": "failed", "error": "flagged as sensitive (E005)"}, "CONTENT_REFUSED"),
        ({"status": "failed", "error": "CUDA out of memory"}, "PROVIDER_FAILED"),
        ({"status": "failed", "error": None}, "PROVIDER_FAILED"),
        ({"status": "aborted"}, "PROVIDER_FAILED"),
        ({"status": "canceled"}, "PROVIDER_FAILED"),
        ({"status": "succeeded", "output": None}, "NO_IMAGE"),
        ({"status": "succeeded", "output": []}, "NO_IMAGE"),
        ({"status": "succeeded", "output": [{"x": 1}]}, "NO_IMAGE"),
    ],
)
def test_what_becomes_of_a_prediction_at_replicate(
    answered: Callable[..., Any], prediction: Any, reason: str
) -> None:
    answered((200, prediction))
    with pytest.raises(GeneratorError) as failed:
        polled("replicate", "p1")
    assert (failed.value.reason, failed.value.retryable) == (reason, False)


@pytest.mark.parametrize(
    "output", ["https://r.test/a.png", ["https://r.test/a.png"], {"url": "https://r.test/a.png"}]
)
def test_replicates_models_give_their_url_in_several_ways(
    answered: Callable[..., Any], output: Any
) -> None:
    answered((200, {"status": "succeeded", "output": output}))
    answer = polled("replicate", "p1")
    assert answer is not None
    assert (answer.url, answer.download) == ("https://r.test/a.png", True)


def test_a_data_url_is_the_image_itself(answered: Callable[..., Any]) -> None:
    output = Photo(PIXEL, "image/png").data_uri
    answered((200, {"status": "succeeded", "output": output}))
    answer = polled("replicate", "p1")
    assert answer is not None
    assert (answer.data, answer.mime_type) == (PIXEL, "image/png")


def test_replicate_ends_a_job_that_nobody_asks_for_any_more(answered: Callable[..., Any]) -> None:
    calls = answered((201, {"id": "p1"}), (201, {"id": "../../x"}))
    provider: Any = registry.find("replicate")
    assert provider.submit(job(settings(version="abc")), deadline=0) == "p1"
    (_, url, content) = calls[0]
    assert url == "https://vendor.test/v1/predictions"
    assert content["json"]["version"] == "abc"
    assert content["headers"]["Cancel-After"] == "600s"
    with pytest.raises(GeneratorError) as failed:
        provider.submit(job(settings()), deadline=0)
    assert failed.value.reason == "OUTCOME_UNKNOWN"


@pytest.mark.parametrize("generator", ["fal", "replicate"])
@pytest.mark.parametrize(("parameter", "is_list"), [("image", False), ("image_urls[]", True)])
def test_a_photo_goes_under_the_name_that_the_model_gives_it(
    studio: Studio,
    monkeypatch: pytest.MonkeyPatch,
    generator: str,
    parameter: str,
    is_list: bool,
) -> None:
    monkeypatch.setenv("GENERATOR_SECRETS", f"STUDIO_KEY:{studio.host}")
    monkeypatch.setenv("STUDIO_KEY", "sk")
    fields = settings_at(studio, generator, sources=True, sourceParameter=parameter)
    photo = Photo(PIXEL, "image/png")
    provider: Any = registry.find(generator)
    provider.submit(job(fields, photo=photo), deadline=time.monotonic() + 10)
    body = studio.requests[0].json()
    sent = body.get("input", body)[parameter.removesuffix("[]")]
    assert sent == ([photo.data_uri] if is_list else photo.data_uri)
