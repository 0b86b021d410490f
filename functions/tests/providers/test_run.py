"""The contract every generator keeps, and the two mocks."""

import time
from typing import Any

import pytest
from pytest_mock import MockerFixture

from imagegen.providers import run as providers
from imagegen.providers.base import GeneratedImage, GenerationJob, Generator, GeneratorError
from imagegen.providers.mock import MockGenerator
from imagegen.providers.run import GENERATORS


def job(**settings: Any) -> GenerationJob:
    return GenerationJob(
        generation_request_id="r1",
        model="Model A",
        style="anime",
        color="neon",
        width=512,
        height=512,
        prompt="a lighthouse",
        settings={"imageUrl": "https://example.com/a.png", **settings},
    )


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_gives_an_image_or_says_why_not_and_keeps_to_its_deadline(name: str) -> None:
    started = time.monotonic()
    for _ in range(20):
        outcome = outcome_of(GENERATORS[name])
        if isinstance(outcome, GeneratorError):
            assert outcome.reason.isupper()
            assert outcome.message
            assert isinstance(outcome.retryable, bool)
        else:
            assert isinstance(outcome, GeneratedImage)
    assert time.monotonic() - started < 5


def outcome_of(generator: Generator) -> GeneratedImage | GeneratorError:
    try:
        return generator.generate(job(), deadline=time.monotonic() + 5)
    except GeneratorError as error:
        return error


def test_the_mock_fails_at_the_rate_of_its_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOCK_FAILURE_RATE", raising=False)
    draws = iter(number / 1000 for number in range(1000))
    mock = MockGenerator(draw=lambda: next(draws))
    failures = 0
    for _ in range(1000):
        try:
            mock.generate(job(), deadline=time.monotonic() + 1)
        except GeneratorError:
            failures += 1
    assert failures == 50  # 0.05 where the model says nothing


@pytest.mark.parametrize(("override", "fails"), [("0", False), ("1", True)])
def test_the_parameter_overrides_the_rate_of_the_model(
    monkeypatch: pytest.MonkeyPatch, override: str, fails: bool
) -> None:
    monkeypatch.setenv("MOCK_FAILURE_RATE", override)
    mock = MockGenerator(draw=lambda: 0.5)
    settings = {"failureRate": 0.0 if fails else 1.0}
    if fails:
        with pytest.raises(GeneratorError):
            mock.generate(job(**settings), deadline=time.monotonic() + 1)
    else:
        image = mock.generate(job(**settings), deadline=time.monotonic() + 1)
        assert image.url == "https://example.com/a.png"


def test_the_mock_takes_its_time_but_not_more_than_it_has() -> None:
    mock = MockGenerator(draw=lambda: 0.99)
    started = time.monotonic()
    mock.generate(job(latencySeconds=0.2), deadline=started + 5)
    assert 0.2 <= time.monotonic() - started < 2
    mock.generate(job(latencySeconds=60), deadline=time.monotonic() + 0.1)
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "parts", [{}, {"url": "u", "data": b"d", "mime_type": "m"}, {"data": b"d"}]
)
def test_an_image_is_a_url_or_bytes(parts: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either a URL or bytes"):
        GeneratedImage(**parts)


def test_bytes_are_stored_and_answered_as_a_url(mocker: MockerFixture) -> None:
    painter = mocker.Mock()
    painter.generate.return_value = GeneratedImage(data=b"png", mime_type="image/png")
    mocker.patch.dict(GENERATORS, {"painter": painter})
    store = mocker.patch(
        "imagegen.providers.storage.store", return_value="https://example.com/stored"
    )
    url = providers.run_provider("painter", job(), timeout_seconds=5)
    assert url == "https://example.com/stored"
    store.assert_called_once_with("r1", "0", b"png", "image/png")
