"""Prompts that are refused before the charge."""

import pytest
from studio.server import Studio

from imagegen.providers import moderation
from imagegen.providers.base import GeneratorError
from imagegen.providers.moderation import is_refused


@pytest.fixture
def openai(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Studio:
    monkeypatch.setenv("GENERATOR_SECRETS", f"OPENAI_API_KEY:{studio.host}")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-studio")
    monkeypatch.setattr(moderation, "OPENAI_URL", f"{studio.url}/openai/v1/moderations")
    return studio


def test_without_moderation_every_prompt_is_taken() -> None:
    assert not is_refused("forbidden", mode="none", words=["forbidden"])


@pytest.mark.parametrize(
    ("prompt", "refused"),
    [
        ("a gun", True),
        ("A GUN!", True),
        ("ｇｕｎ and smoke", True),  # noqa: RUF001 - full-width letters
        ("𝓰𝓾𝓷", True),  # noqa: RUF001 - letters of mathematics
        ("gün", True),
        ("begun", False),
        ("gunther", False),
        ("a very  bad\nthing", True),
        ("a very good thing", False),
        ("Straße", True),
        ("c++ on a screen", True),
        ("", False),
    ],
)
def test_words_and_phrases_are_found_whole_in_any_case_or_font(prompt: str, refused: bool) -> None:
    words = ["gun", "very bad thing", "STRASSE", "c++", "", "  "]
    assert is_refused(prompt, mode="words", words=words) == refused


@pytest.mark.parametrize(("prompt", "refused"), [("a lake", False), ("a forbidden lake", True)])
def test_openai_is_asked_with_the_key(openai: Studio, prompt: str, refused: bool) -> None:
    assert is_refused(prompt, mode="openai") == refused
    (request,) = openai.requests
    assert request.json() == {"model": "omni-moderation-latest", "input": prompt}
    assert request.headers["Authorization"] == "Bearer sk-studio"


def test_a_check_that_cannot_be_made_takes_no_prompt(
    openai: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "")
    with pytest.raises(GeneratorError) as failed:
        is_refused("a lake", mode="openai")
    assert failed.value.reason == "PROVIDER_AUTH"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-studio")
    monkeypatch.setattr(moderation, "OPENAI_URL", f"{openai.url}/nowhere")
    with pytest.raises(GeneratorError):
        is_refused("a lake", mode="openai")
