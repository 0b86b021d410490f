"""How every provider is run: its contract, deadlines, defects, and what becomes of its image."""

import time
from typing import Any

import pytest
from support.bucket import FakeBucket
from support.images import image, size_of
from support.models import job
from support.waiting import wait_until

from imagegen import config
from imagegen.deadline import Threads
from imagegen.providers import registry, run
from imagegen.providers.base import GeneratedImage, GenerationJob, GeneratorError, Provider
from imagegen.providers.mock import MockProvider
from imagegen.providers.run import run_provider

MOCK = {"imageUrl": "https://example.com/a.png"}


class Painter:
    """A provider that answers with what it is given, after a while."""

    def __init__(self, result: Any, seconds: float = 0.0) -> None:
        self.result = result
        self.seconds = seconds

    def generate(self, job: GenerationJob, *, deadline: float) -> GeneratedImage:
        time.sleep(self.seconds)
        if isinstance(self.result, BaseException):
            raise self.result
        answer: GeneratedImage = self.result
        return answer


@pytest.fixture
def painter(monkeypatch: pytest.MonkeyPatch) -> Any:
    def replace(result: Any, seconds: float = 0.0) -> None:
        monkeypatch.setitem(registry.GENERATORS, "painter", Painter(result, seconds))

    return replace


def test_the_mock_gives_an_image_or_says_why_not_and_keeps_to_its_deadline() -> None:
    started = time.monotonic()
    outcomes = [outcome_of(MockProvider()) for _ in range(20)]
    assert time.monotonic() - started < 5
    for outcome in outcomes:
        if isinstance(outcome, GeneratorError):
            assert outcome.reason.isupper()
            assert outcome.message
            assert isinstance(outcome.retryable, bool)
        else:
            assert isinstance(outcome, GeneratedImage)


def outcome_of(provider: Provider) -> GeneratedImage | GeneratorError:
    try:
        return provider.generate(job(MOCK), deadline=time.monotonic() + 5)
    except GeneratorError as error:
        return error


def test_the_mock_fails_at_the_rate_of_its_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOCK_FAILURE_RATE", raising=False)
    draws = iter(number / 1000 for number in range(1000))
    mock = MockProvider(draw=lambda: next(draws))
    failures = 0
    for _ in range(1000):
        try:
            mock.generate(job(MOCK), deadline=time.monotonic() + 1)
        except GeneratorError:
            failures += 1
    assert failures == 50  # 0.05 where the model says nothing


@pytest.mark.parametrize(("override", "fails"), [("0", False), ("1", True)])
def test_the_parameter_overrides_the_rate_of_the_model(
    monkeypatch: pytest.MonkeyPatch, override: str, fails: bool
) -> None:
    monkeypatch.setenv("MOCK_FAILURE_RATE", override)
    mock = MockProvider(draw=lambda: 0.5)
    order = job({**MOCK, "failureRate": 0.0 if fails else 1.0})
    if fails:
        with pytest.raises(GeneratorError):
            mock.generate(order, deadline=time.monotonic() + 1)
    else:
        answer = mock.generate(order, deadline=time.monotonic() + 1)
        assert answer.url == "https://example.com/a.png"


def test_the_mock_takes_its_time_but_not_more_than_it_has() -> None:
    mock = MockProvider(draw=lambda: 0.99)
    started = time.monotonic()
    mock.generate(job({**MOCK, "latencySeconds": 0.2}), deadline=started + 5)
    assert 0.2 <= time.monotonic() - started < 2
    mock.generate(job({**MOCK, "latencySeconds": 60}), deadline=time.monotonic() + 0.1)
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "parts", [{}, {"url": "u", "data": b"d", "mime_type": "m"}, {"data": b"d"}]
)
def test_an_image_is_a_url_or_bytes(parts: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either a URL or bytes"):
        GeneratedImage(**parts)


def test_bytes_are_stored_and_answered_as_a_url(painter: Any, bucket: FakeBucket) -> None:
    data = image(512, 512)
    painter(GeneratedImage(data=data, mime_type="image/png"))
    answer = run_provider("painter", job({}), timeout_seconds=5)
    assert answer.path is not None
    assert bucket.data(answer.path) == data
    assert answer.url.startswith(f"{bucket.url}/v0/b/pictures/o/generations%2Fr1%2Fattempt1.png?")


def test_the_bytes_decide_what_an_image_is_and_not_what_the_provider_calls_it(
    painter: Any, bucket: FakeBucket
) -> None:
    painter(GeneratedImage(data=image(512, 512, "JPEG"), mime_type="image/png"))
    answer = run_provider("painter", job({}), timeout_seconds=5)
    assert (answer.mime_type, answer.path) == ("image/jpeg", "generations/r1/attempt1.jpg")


def test_a_native_image_keeps_its_own_size(painter: Any, bucket: FakeBucket) -> None:
    painter(GeneratedImage(data=image(700, 300), mime_type="image/png"))
    answer = run_provider("painter", job({"fit": "native"}), timeout_seconds=5)
    assert (answer.width, answer.height) == (700, 300)
    assert size_of(bucket.data(str(answer.path))) == (700, 300)


def test_an_image_that_cannot_be_stored_is_a_failure_worth_another_try(
    painter: Any, bucket: FakeBucket
) -> None:
    bucket.refuses = lambda method, name: 403
    painter(GeneratedImage(data=image(512, 512), mime_type="image/png"))
    with pytest.raises(GeneratorError) as failed:
        run_provider("painter", job({}), timeout_seconds=10)
    error = failed.value
    assert (error.reason, error.retryable, error.billed) == ("IMAGE_NOT_STORED", True, True)


def test_an_image_that_was_paid_for_is_stored_at_the_second_try(
    painter: Any, bucket: FakeBucket
) -> None:
    statuses = iter([503])
    bucket.refuses = lambda method, name: 0 if "-512" in name else next(statuses, 0)
    painter(GeneratedImage(data=image(512, 512), mime_type="image/png"))
    answer = run_provider("painter", job({}), timeout_seconds=10)
    assert answer.path in bucket.objects


def test_what_comes_after_the_deadline_is_dropped(
    painter: Any,
    bucket: FakeBucket,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    threads = Threads(lambda: 1)
    monkeypatch.setattr(run, "threads", threads)
    painter(GeneratedImage(data=image(512, 512), mime_type="image/png"), seconds=0.6)
    with pytest.raises(GeneratorError) as failed:
        run_provider("painter", job({}), timeout_seconds=0.3)
    assert (failed.value.reason, failed.value.billed) == ("GENERATION_TIMEOUT", True)
    wait_until(lambda: not threads.is_full)
    assert "late result dropped" in capsys.readouterr().out
    assert not bucket.objects


def test_a_provider_is_busy_while_as_many_run_on_as_may(
    painter: Any, bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = Threads(lambda: 2 * config.THREADS.value)
    monkeypatch.setattr(run, "threads", threads)
    monkeypatch.setenv("THREADS", "1")
    painter(GeneratedImage(url="x"), seconds=1.0)
    for _ in range(2):
        with pytest.raises(GeneratorError, match="in time"):
            run_provider("painter", job({}), timeout_seconds=0.1)
    with pytest.raises(GeneratorError) as failed:
        run_provider("painter", job({}), timeout_seconds=5)
    error = failed.value
    assert (error.reason, error.retryable, error.billed) == ("PROVIDER_BUSY", True, False)
    wait_until(lambda: not threads.is_full)
    assert run_provider("painter", job({}), timeout_seconds=5).url == "x"


@pytest.mark.parametrize("name", ["mock", "painter"])
def test_only_what_a_paid_provider_did_may_have_been_billed(
    monkeypatch: pytest.MonkeyPatch, bucket: FakeBucket, name: str
) -> None:
    monkeypatch.setitem(registry.GENERATORS, name, Painter(GeneratedImage(url="x"), seconds=5))
    with pytest.raises(GeneratorError) as failed:
        run_provider(name, job({}), timeout_seconds=0.2)
    assert failed.value.reason == "GENERATION_TIMEOUT"
    assert failed.value.billed == (name == "painter")


@pytest.mark.parametrize(
    "result",
    [ZeroDivisionError("oops"), SystemExit(3), None, GeneratedImage(url=5)],  # type: ignore[arg-type]
)
def test_a_defect_of_a_provider_is_a_failure_like_any_other(
    painter: Any, bucket: FakeBucket, result: Any
) -> None:
    painter(result)
    with pytest.raises(GeneratorError) as failed:
        run_provider("painter", job({}), timeout_seconds=5)
    assert (failed.value.reason, failed.value.retryable) == ("GENERATOR_DEFECT", False)


def test_a_generator_nobody_knows_is_a_failure() -> None:
    with pytest.raises(GeneratorError) as failed:
        run_provider("nobody", job({}), timeout_seconds=5)
    assert failed.value.reason == "UNKNOWN_GENERATOR"
