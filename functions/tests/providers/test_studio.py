"""Every paid provider against the studio: from the order to the file in the bucket."""

from typing import Any

import httpx
import pytest
from studio.faults import Fault
from studio.server import Studio
from studio.wire import Reply
from support.bucket import FakeBucket
from support.images import image, size_of
from support.models import PAID, job, settings_at

from imagegen.providers import photos
from imagegen.providers.base import MAX_PHOTO_BYTES, GeneratorError
from imagegen.providers.failures import FALLBACK_REASONS
from imagegen.providers.jobs import cancel_job
from imagegen.providers.registry import SettingsError, validate_settings
from imagegen.providers.run import run_provider

JOBS = {"fal", "replicate"}


@pytest.fixture(autouse=True)
def _key(studio: Studio, bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENERATOR_SECRETS", f"STUDIO_KEY:{studio.host}")
    monkeypatch.setenv("STUDIO_KEY", "sk-studio")


@pytest.mark.parametrize("generator", PAID)
def test_an_order_becomes_a_file_of_its_exact_size_with_a_thumbnail(
    studio: Studio, bucket: FakeBucket, generator: str
) -> None:
    settings = settings_at(studio, generator)
    validate_settings(generator, settings)
    order = job(settings, width=512, height=896, size="tall")
    answer = run_provider(generator, order, timeout_seconds=20)
    assert answer.path == "generations/r1/attempt1.png"
    data = bucket.data(answer.path)
    assert (answer.width, answer.height, answer.mime_type) == (512, 896, "image/png")
    assert answer.bytes == len(data)
    assert size_of(data) == (512, 896)
    assert httpx.get(answer.url).content == data
    assert answer.thumbnail_url is not None
    assert size_of(httpx.get(answer.thumbnail_url).content) == (293, 512)
    assert studio.billed == 1


@pytest.mark.parametrize("generator", PAID)
def test_different_orders_give_different_pictures(
    studio: Studio, bucket: FakeBucket, generator: str
) -> None:
    settings = settings_at(studio, generator)
    orders: list[dict[str, Any]] = [{}, {"color": "pastel"}, {"style": "sketch"}, {}]
    for number, fields in enumerate(orders):
        order = job(settings, attempt_id=str(number), **fields)
        run_provider(generator, order, timeout_seconds=20)
    pictures = [bucket.data(f"generations/r1/{number}.png") for number in range(4)]
    assert pictures[0] == pictures[3]
    assert len(set(pictures)) == 3


# The reason, whether it may be tried again, whether the vendor may have billed it, and whether the
# studio did.
ORDER = {
    Fault.RATE_LIMIT: ("PROVIDER_BUSY", True, False, 0),
    Fault.QUOTA: ("PROVIDER_QUOTA", False, False, 0),
    Fault.AUTH: ("PROVIDER_AUTH", False, False, 0),
    Fault.SERVER_ERROR: ("PROVIDER_FAILED", True, False, 0),
    Fault.DROP_BEFORE: ("OUTCOME_UNKNOWN", False, True, 0),
    Fault.DROP_AFTER: ("OUTCOME_UNKNOWN", False, True, 1),
    Fault.NO_IMAGE: ("NO_IMAGE", False, True, 1),
    Fault.HTML: ("NO_IMAGE", False, True, 1),
    Fault.BOMB: ("NO_IMAGE", False, True, 1),
    Fault.EXPIRED_URL: ("IMAGE_NOT_FETCHED", True, True, 1),
    Fault.DRIP: ("GENERATION_TIMEOUT", True, True, 1),
    Fault.SLOW: ("GENERATION_TIMEOUT", True, True, 1),
    Fault.REFUSAL: ("CONTENT_REFUSED", False, False, 0),
}
# A job that has been started may be billed whatever comes of it, and an image may drip then.
DIFFERENT = {
    ("fal", Fault.REFUSAL): ("CONTENT_REFUSED", False, True, 0),
    ("replicate", Fault.REFUSAL): ("CONTENT_REFUSED", False, True, 0),
    ("gemini", Fault.EXPIRED_URL): ("NO_IMAGE", False, True, 1),  # it has no URLs
}


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("generator", PAID)
def test_every_fault_has_its_reason_and_costs_one_image_at_most(
    studio: Studio, bucket: FakeBucket, generator: str, fault: Fault
) -> None:
    order = job(settings_at(studio, generator), f"a lighthouse [fault:{fault}]")
    remembered: list[str] = []
    with pytest.raises(GeneratorError) as failed:
        run_provider(generator, order, timeout_seconds=2.5, remember=remembered.append)
    error = failed.value
    expected = DIFFERENT.get((generator, fault), ORDER[fault])
    if generator in JOBS and fault is Fault.DRIP:  # then it is the download that drips
        assert error.reason in {"GENERATION_TIMEOUT", "IMAGE_NOT_FETCHED"}
        expected = (error.reason, True, True, 1)
    assert (error.reason, error.retryable, error.billed, studio.billed) == expected
    assert not bucket.objects
    assert "lighthouse" not in f"{error} {error.detail}"
    assert "sk-studio" not in f"{error!r} {error.detail}"
    if error.reason == "PROVIDER_BUSY":
        assert error.retry_after == 7
    if error.reason in FALLBACK_REASONS:
        assert studio.billed == 0
    # What may be tried again without paying twice has a job to ask for, or was not billed.
    if error.retryable and error.billed:
        assert bool(remembered) == (generator in JOBS)


@pytest.mark.parametrize("generator", sorted(JOBS))
def test_a_job_is_remembered_before_it_is_polled_and_resumed_by_another_attempt(
    studio: Studio, bucket: FakeBucket, generator: str
) -> None:
    studio.seconds = 1.5
    order = job(settings_at(studio, generator))
    remembered: list[str] = []

    def remember(provider_job: str) -> None:
        assert all(request.method == "POST" for request in studio.requests)  # nothing polled yet
        remembered.append(provider_job)

    with pytest.raises(GeneratorError) as failed:
        run_provider(generator, order, timeout_seconds=1, remember=remember)
    assert (failed.value.reason, failed.value.billed) == ("GENERATION_TIMEOUT", True)
    (provider_job,) = remembered
    answer = run_provider(
        generator, order, timeout_seconds=10, provider_job=provider_job, remember=remember
    )
    assert answer.path in bucket.objects
    assert studio.billed == 1
    assert len(remembered) == 1


@pytest.mark.parametrize("generator", sorted(JOBS))
def test_a_job_that_could_not_be_remembered_is_canceled(studio: Studio, generator: str) -> None:
    studio.seconds = 60

    def remember(_: str) -> None:
        raise ConnectionError("Firestore is away")

    with pytest.raises(GeneratorError) as failed:
        run_provider(
            generator, job(settings_at(studio, generator)), timeout_seconds=5, remember=remember
        )
    assert failed.value.reason == "OUTCOME_UNKNOWN"
    assert [each.canceled for each in studio.jobs.values()] == [True]


@pytest.mark.parametrize("generator", sorted(JOBS))
def test_a_canceled_job_stops_and_its_end_is_no_reason_to_pay_again(
    studio: Studio, generator: str
) -> None:
    studio.seconds = 60
    order = job(settings_at(studio, generator))
    remembered: list[str] = []
    with pytest.raises(GeneratorError):
        run_provider(generator, order, timeout_seconds=1, remember=remembered.append)
    assert cancel_job(generator, order, remembered[0])
    assert [each.canceled for each in studio.jobs.values()] == [True]
    with pytest.raises(GeneratorError) as failed:
        run_provider(generator, order, timeout_seconds=5, provider_job=remembered[0])
    assert not failed.value.retryable
    assert cancel_job(generator, order, remembered[0])  # again: it has ended, and nothing happens


def test_a_vendor_out_of_reach_was_asked_for_nothing(studio: Studio) -> None:
    for generator in PAID:
        settings = settings_at(studio, generator, secret=None, baseUrl="http://127.0.0.1:9/v1")
        if generator == "gemini":  # without a secret it would ask Google for a token
            continue
        with pytest.raises(GeneratorError) as failed:
            run_provider(generator, job(settings), timeout_seconds=5)
        error = failed.value
        assert (error.reason, error.retryable, error.billed) == (
            "PROVIDER_UNREACHABLE",
            True,
            False,
        )


@pytest.mark.parametrize("generator", PAID)
def test_without_a_bucket_nothing_is_ordered(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, generator: str
) -> None:
    monkeypatch.setenv("IMAGE_BUCKET", "")
    monkeypatch.delenv("FIREBASE_CONFIG", raising=False)
    with pytest.raises(GeneratorError) as failed:
        run_provider(generator, job(settings_at(studio, generator)), timeout_seconds=5)
    assert failed.value.reason == "STORAGE_NOT_CONFIGURED"
    assert not studio.requests


@pytest.mark.parametrize("generator", PAID)
def test_the_secret_is_sent_to_its_own_host_only(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, generator: str
) -> None:
    settings = settings_at(studio, generator)
    run_provider(generator, job(settings), timeout_seconds=20)
    for request in studio.requests:
        carries = "sk-studio" in str(request.headers)
        assert carries != request.path.startswith("/pictures")
    before = len(studio.requests)
    monkeypatch.setenv("GENERATOR_SECRETS", "STUDIO_KEY:api.example.com")
    with pytest.raises(SettingsError, match=r"^secret: .* does not have STUDIO_KEY"):
        validate_settings(generator, settings)
    with pytest.raises(GeneratorError) as failed:
        run_provider(generator, job(settings), timeout_seconds=5)
    assert failed.value.reason == "MODEL_MISCONFIGURED"
    assert len(studio.requests) == before


@pytest.mark.parametrize("value", ["", "ключ", "two\nlines"])
def test_a_secret_that_cannot_be_sent_is_not_shown_either(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("STUDIO_KEY", value)
    with pytest.raises(GeneratorError) as failed:
        run_provider("openai", job(settings_at(studio, "openai")), timeout_seconds=5)
    assert failed.value.reason == "PROVIDER_AUTH"
    assert not value or value not in repr(failed.value)
    assert not studio.requests


@pytest.mark.parametrize("kind", ["upload", "url"])
@pytest.mark.parametrize("generator", PAID)
def test_a_photo_is_loaded_once_and_becomes_part_of_the_picture(
    studio: Studio, bucket: FakeBucket, generator: str, kind: str
) -> None:
    settings = settings_at(studio, generator, sources=True)
    data = image(64, 64, "JPEG")
    if kind == "upload":
        upload_id = photos.save("ann", data, timeout_seconds=5).upload_id
        source = {"type": "photo", "uploadId": upload_id}
    else:
        studio.pictures["mine.jpg"] = Reply(data, content_type="image/jpeg")
        source = {"type": "photo", "url": f"{studio.url}/pictures/mine.jpg"}
    without = run_provider(generator, job(settings, attempt_id="0"), timeout_seconds=20)
    answer = run_provider(generator, job(settings, source=source), timeout_seconds=20)
    assert bucket.data(str(answer.path)) != bucket.data(str(without.path))
    assert sum("mine" in request.path for request in studio.requests) == (kind == "url")


@pytest.mark.parametrize("generator", PAID)
@pytest.mark.parametrize("content", [b"<!doctype html>", b"\x89PNG", bytes(MAX_PHOTO_BYTES + 1)])
def test_what_is_no_photo_is_refused_before_anything_is_ordered(
    studio: Studio, bucket: FakeBucket, generator: str, content: bytes
) -> None:
    studio.pictures["mine.jpg"] = Reply(content, content_type="image/jpeg")
    source = {"type": "photo", "url": f"{studio.url}/pictures/mine.jpg"}
    order = job(settings_at(studio, generator, sources=True), source=source)
    with pytest.raises(GeneratorError) as failed:
        run_provider(generator, order, timeout_seconds=10)
    assert (failed.value.reason, failed.value.billed) == ("SOURCE_NOT_USABLE", False)
    assert studio.billed == 0


def test_a_resumed_job_needs_no_photo_again(studio: Studio, bucket: FakeBucket) -> None:
    settings = settings_at(studio, "fal", sources=True)
    studio.pictures["mine.jpg"] = Reply(image(64, 64, "JPEG"), content_type="image/jpeg")
    source = {"type": "photo", "url": f"{studio.url}/pictures/mine.jpg"}
    order = job(settings, "a lighthouse [fault:expired-url]", source=source)
    remembered: list[str] = []
    for _ in range(2):
        with pytest.raises(GeneratorError) as failed:
            run_provider(
                "fal",
                order,
                timeout_seconds=3,
                provider_job=remembered[0] if remembered else None,
                remember=remembered.append,
            )
        assert failed.value.reason == "IMAGE_NOT_FETCHED"
    assert sum("mine" in request.path for request in studio.requests) == 1
    assert studio.billed == 1
