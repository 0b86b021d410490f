"""Images and photos in Cloud Storage: what happens when it does not answer; which bucket it is."""

import time
import uuid

import pytest
import requests
from google.api_core.exceptions import RetryError
from pytest_mock import MockerFixture
from support.bucket import FakeBucket
from support.images import image
from support.models import job

from imagegen.providers import bucket as bucket_module
from imagegen.providers import photos, storage
from imagegen.providers.base import GenerationJob, GeneratorError, StoredImage
from imagegen.providers.images import NotAnImage, Picture


def soon() -> float:
    return time.monotonic() + 10


def stored(order: GenerationJob | None = None, picture: Picture | None = None) -> StoredImage:
    picture = picture or Picture(b"\x89PNG", "image/png", 512, 512, b"webp")
    return storage.store(order or job({}), picture, deadline=soon(), token=str(uuid.uuid4()))


def test_a_thumbnail_that_fails_or_takes_long_delays_no_image(bucket: FakeBucket) -> None:
    def refuse(method: str, name: str) -> int:
        return 403 if name.endswith(".webp") else 0

    bucket.refuses = refuse
    assert stored().thumbnail_url is None

    def wait(method: str, name: str) -> int:
        time.sleep(5 if name.endswith(".webp") else 0)
        return 0

    bucket.refuses = wait
    started = time.monotonic()
    assert stored().thumbnail_url is None
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "error",
    [
        RetryError("gave up", None),
        requests.ConnectionError("refused"),
        requests.Timeout("slow"),
        ConnectionResetError("reset"),
        TimeoutError("slow"),
    ],
)
def test_a_storage_that_cannot_be_reached_is_no_defect(
    bucket: FakeBucket, mocker: MockerFixture, error: Exception
) -> None:
    mocker.patch("google.cloud.storage.Blob.upload_from_string", side_effect=error)
    with pytest.raises(GeneratorError) as failed:
        stored()
    assert (failed.value.reason, failed.value.retryable) == ("IMAGE_NOT_STORED", True)


def test_the_client_does_not_try_again_by_itself(bucket: FakeBucket) -> None:
    uploads = []

    def refuse(method: str, name: str) -> int:
        uploads.append(name)
        return 503

    bucket.refuses = refuse
    with pytest.raises(GeneratorError):
        stored(picture=Picture(b"png", "image/png", 1, 1))
    assert len(uploads) == 1


def test_one_client_serves_the_instance(bucket: FakeBucket, mocker: MockerFixture) -> None:
    made = mocker.spy(bucket_module, "_new_client")
    stored(job({}, attempt_id="one"))
    stored(job({}, attempt_id="two"))
    assert len({id(client) for client in made.spy_return_list}) == 1


@pytest.mark.parametrize(
    ("parameter", "firebase_config", "expected"),
    [
        ("mine", '{"storageBucket": "theirs"}', "mine"),
        ("", '{"storageBucket": "p.firebasestorage.app"}', "p.firebasestorage.app"),
        ("", '{"projectId": "p"}', None),
        ("", "not json", None),
        ("", None, None),
    ],
)
def test_the_bucket_is_configured_and_never_guessed(
    monkeypatch: pytest.MonkeyPatch,
    parameter: str,
    firebase_config: str | None,
    expected: str | None,
) -> None:
    monkeypatch.setenv("IMAGE_BUCKET", parameter)
    monkeypatch.delenv("FIREBASE_CONFIG", raising=False)
    if firebase_config is not None:
        monkeypatch.setenv("FIREBASE_CONFIG", firebase_config)
    if expected is None:
        with pytest.raises(GeneratorError) as failed:
            bucket_module.name()
        assert failed.value.reason == "STORAGE_NOT_CONFIGURED"
    else:
        assert bucket_module.name() == expected


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<!doctype html><p>hello",
        b"\x89PNG\r\n\x1a\n broken",
        image(64, 64, "GIF"),
        image(9000, 9000, mode="1"),
        image(64, 64) + bytes(photos.MAX_BYTES),
    ],
    ids=["empty", "html", "broken", "gif", "too many pixels", "too long"],
)
def test_what_is_no_photo_is_not_stored(bucket: FakeBucket, data: bytes) -> None:
    with pytest.raises(NotAnImage):
        photos.save("ann", data, timeout_seconds=10)
    assert not bucket.objects
