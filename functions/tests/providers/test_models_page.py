"""docs/models.md: every document in it can be pasted, and every reason is explained."""

import json
import re

import pytest
from studio.faults import Fault
from support.paths import ROOT

from imagegen.providers import fal, gemini, openai, registry, replicate
from imagegen.providers.failures import FAILURES, Reason
from imagegen.providers.settings import ProviderSettings

PAGE = (ROOT / "docs" / "models.md").read_text()
DOCUMENTS = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
HOSTS = {
    "OPENAI_API_KEY": "api.openai.com",
    "AZURE_OPENAI_API_KEY": "acme.openai.azure.com",
    "XAI_API_KEY": "api.x.ai",
    "TOGETHER_API_KEY": "api.together.xyz",
    "GEMINI_API_KEY": "generativelanguage.googleapis.com",
    "FAL_KEY": "queue.fal.run",
    "REPLICATE_API_TOKEN": "api.replicate.com",
}


# Why a request ended without an image although no provider has failed.
OTHER_REASONS = {
    "ATTEMPTS_EXHAUSTED",
    "DEFECT",
    "GENERATION_LOST",
    "INVALID_IMAGE_URL",
    "MOCK_FAILURE",
    "OPTION_REMOVED",
    "QUEUE_UNAVAILABLE",
}


@pytest.mark.parametrize("document", DOCUMENTS, ids=[each["providerModel"] for each in DOCUMENTS])
def test_a_document_of_the_page_can_be_pasted(
    monkeypatch: pytest.MonkeyPatch, document: dict[str, object]
) -> None:
    secrets = ",".join(f"{name}:{host}" for name, host in HOSTS.items())
    monkeypatch.setenv("GENERATOR_SECRETS", secrets)
    fields = {name: value for name, value in document.items() if name != "generator"}
    registry.validate_settings(str(document["generator"]), fields)


def test_every_paid_provider_has_a_document() -> None:
    paid = set(registry.GENERATORS) - registry.FREE_OF_CHARGE
    assert {each["generator"] for each in DOCUMENTS} == paid


def test_every_field_every_fault_and_every_reason_is_explained() -> None:
    settings: list[type[ProviderSettings]] = [
        openai.OpenAISettings,
        gemini.GeminiSettings,
        fal.FalSettings,
        replicate.ReplicateSettings,
    ]
    fields = {str(field.alias) for kind in settings for field in kind.model_fields.values()}
    for word in (*fields, *Fault):
        assert f"`{word}`" in PAGE or f"`{word}:" in PAGE, word
    assert set(re.findall(r"^\| `([A-Z_]+)`", PAGE, re.MULTILINE)) == {*Reason, *OTHER_REASONS}
    assert set(FAILURES) == set(Reason)
