"""What a model's catalogue document may say, and which field is named where it is wrong."""

from typing import Any

import pytest
from pydantic import BaseModel
from support.models import PAID, job

from imagegen import config
from imagegen.providers import registry
from imagegen.providers.base import GeneratorError, JobProvider
from imagegen.providers.fal import FalSettings
from imagegen.providers.gemini import GeminiSettings
from imagegen.providers.openai import OpenAISettings
from imagegen.providers.registry import SettingsError, validate_settings
from imagegen.providers.settings import nearest_ratio

MODEL = {"providerModel": "acme/studio-1"}


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "GENERATOR_SECRETS",
        "OPENAI_API_KEY:api.openai.com, AZURE_KEY:acme.openai.azure.com,"
        "GEMINI_API_KEY:generativelanguage.googleapis.com,FAL_KEY:queue.fal.run,"
        "REPLICATE_API_TOKEN:api.replicate.com,LOCAL_KEY:localhost:8080,PLAIN:models.acme.test",
    )


@pytest.mark.parametrize(
    ("generator", "fields"),
    [
        ("mock", {"imageUrl": "/a.png", "anything": "else"}),
        ("openai", MODEL | {"secret": "OPENAI_API_KEY", "sizes": None, "fit": "native"}),
        (
            "openai",
            MODEL
            | {
                "baseUrl": "https://acme.openai.azure.com/openai/v1?api-version=preview",
                "authHeader": "api-key",
                "secret": "AZURE_KEY",
            },
        ),
        ("openai", MODEL | {"baseUrl": "http://vllm.internal:8000/v1"}),  # no secret to lose
        ("openai", MODEL | {"baseUrl": "http://localhost:8080/v1", "secret": "LOCAL_KEY"}),
        ("gemini", {"providerModel": "gemini-3-pro-image"}),
        ("gemini", {"providerModel": "gemini-3-pro-image", "secret": "GEMINI_API_KEY"}),
        ("fal", MODEL | {"secret": "FAL_KEY", "sources": True, "sourceParameter": "image_urls[]"}),
        ("replicate", MODEL | {"secret": "REPLICATE_API_TOKEN", "version": "ab12"}),
    ],
)
def test_documents_that_are_right(generator: str, fields: dict[str, Any]) -> None:
    validate_settings(generator, fields)


@pytest.mark.parametrize(
    ("generator", "fields", "field"),
    [
        ("nobody", {}, "generator"),
        ("mock", {}, "imageUrl"),
        ("mock", {"imageUrl": "/a.png", "failureRate": 2}, "failureRate"),
        ("openai", {}, "providerModel"),
        ("openai", {"providerModel": "../admin"}, "providerModel"),
        ("openai", MODEL | {"provider_model": "typo"}, "provider_model"),
        ("openai", MODEL | {"resonseFormat": "url"}, "resonseFormat"),
        ("openai", MODEL | {"dialect": "latin"}, "dialect"),
        ("openai", MODEL | {"secret": "UNKNOWN"}, "secret"),
        ("openai", MODEL | {"secret": "FAL_KEY"}, "secret"),  # for another host
        ("openai", MODEL | {"baseUrl": "http://models.acme.test/v1", "secret": "PLAIN"}, "secret"),
        ("openai", MODEL | {"baseUrl": "https://key@api.openai.com/v1"}, "baseUrl"),
        ("openai", MODEL | {"baseUrl": "file:///etc/passwd"}, "baseUrl"),
        ("openai", MODEL | {"baseUrl": "https://["}, "baseUrl"),
        ("openai", MODEL | {"promptTemplate": "no place for it"}, "promptTemplate"),
        ("openai", MODEL | {"promptTemplate": "{prompt} {user}"}, "promptTemplate"),
        ("openai", MODEL | {"promptTemplate": "{prompt.__class__}"}, "promptTemplate"),
        ("openai", MODEL | {"promptTemplate": "{prompt} {"}, "promptTemplate"),
        ("openai", MODEL | {"sizes": {"512x512": "1024x1024"}}, "sizes.512x512"),
        ("openai", MODEL | {"maxBytes": 0}, "maxBytes"),
        ("gemini", MODEL | {"project": "Not A Project"}, "project"),
        ("gemini", MODEL | {"location": "evil.example.com/"}, "location"),
        ("fal", MODEL | {"sourceParameter": "a b"}, "sourceParameter"),
        ("replicate", MODEL | {"version": "../x"}, "version"),
    ],
)
def test_the_field_that_is_wrong_is_named(
    generator: str, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        validate_settings(generator, fields)
    assert refused.value.field == field
    assert str(refused.value).startswith(f"{field}: ")


@pytest.mark.parametrize("generator", PAID)
def test_a_document_that_went_wrong_since_it_was_loaded_costs_nothing(generator: str) -> None:
    provider: Any = registry.find(generator)
    order = provider.submit if hasattr(provider, "submit") else provider.generate
    with pytest.raises(GeneratorError) as failed:
        order(job({"providerModel": "x", "fit": "nonsense"}), deadline=0)
    assert (failed.value.reason, failed.value.billed) == ("MODEL_MISCONFIGURED", False)


def test_every_provider_of_the_registry_is_of_one_kind_and_has_settings() -> None:
    for name in registry.GENERATORS:
        provider: Any = registry.find(name)
        assert hasattr(provider, "generate") != hasattr(provider, "submit")
        assert hasattr(provider, "submit") == isinstance(provider, JobProvider)
        assert issubclass(provider.Settings, BaseModel)
        assert registry.find(name) is provider


@pytest.mark.parametrize("entry", ["NAME", "NAME:", ":host", "NA ME:host", "1NAME:host", "Ä:host"])
def test_secrets_that_are_not_written_as_name_and_host_stop_the_start(
    monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    monkeypatch.setenv("GENERATOR_SECRETS", entry)
    with pytest.raises(ValueError, match="GENERATOR_SECRETS"):
        config.generator_secret_hosts()


def test_a_secret_may_have_several_hosts_with_ports() -> None:
    hosts = config.generator_secret_hosts()
    assert hosts["LOCAL_KEY"] == {"localhost:8080"}
    assert hosts["AZURE_KEY"] == {"acme.openai.azure.com"}


def test_the_template_makes_the_prompt_and_a_place_is_added() -> None:
    settings = OpenAISettings.model_validate(
        MODEL | {"promptTemplate": "{style} ({color}): {prompt} {{}}"}
    )
    assert settings.prompt_of(job({})) == "anime (neon): a lighthouse {}"
    place = {"type": "address", "address": "1 Pier, Ghent"}
    order = job({}, "{color} braces stay", source=place)
    assert settings.prompt_of(order) == "anime (neon): {color} braces stay {} Place: 1 Pier, Ghent."


def test_the_size_is_the_documents_or_the_providers() -> None:
    settings = FalSettings.model_validate(MODEL | {"sizes": {"tall": {"image_size": "portrait"}}})
    assert settings.size_of(job({}, size="tall"), {"a": 1}) == {"image_size": "portrait"}
    assert settings.size_of(job({}, size="wide"), {"a": 1}) == {"a": 1}


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(512, 512, "1:1"), (1024, 1792, "9:16"), (1792, 1024, "16:9"), (1000, 980, "1:1")],
)
def test_the_nearest_proportions_are_chosen(width: int, height: int, expected: str) -> None:
    assert nearest_ratio(width, height, ("1:1", "16:9", "9:16", "4:3")) == expected


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        (
            {"providerModel": "gemini-x", "project": "acme", "location": "europe-west4"},
            "https://europe-west4-aiplatform.googleapis.com/v1/projects/acme/locations/europe-west4"
            "/publishers/google/models/gemini-x:generateContent",
        ),
        (
            {"providerModel": "gemini-x"},
            "https://aiplatform.googleapis.com/v1/projects/demo-imagegen/locations/global"
            "/publishers/google/models/gemini-x:generateContent",
        ),
        (
            {"providerModel": "gemini-x", "secret": "GEMINI_API_KEY"},
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-x:generateContent",
        ),
    ],
)
def test_gemini_is_called_on_vertex_unless_there_is_a_key(fields: dict[str, Any], url: str) -> None:
    assert GeminiSettings.model_validate(fields).url == url
