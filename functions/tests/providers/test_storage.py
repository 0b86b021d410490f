"""Images and photos in Cloud Storage: what happens when it does not answer; which bucket it is."""

import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
import requests
from google.api_core.exceptions import RetryError
from pytest_mock import MockerFixture
from support.bucket import FakeBucket
from support.images import image
from support.models import job

from imagegen import clock
from imagegen.providers import bucket as bucket_module
from imagegen.providers import photos, storage
from imagegen.providers.base import MAX_PHOTO_BYTES, GenerationJob, GeneratorError, StoredImage
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
        image(64, 64) + bytes(MAX_PHOTO_BYTES),
    ],
    ids=["empty", "html", "broken", "gif", "too many pixels", "too long"],
)
def test_what_is_no_photo_is_not_stored(bucket: FakeBucket, data: bytes) -> None:
    with pytest.raises(NotAnImage):
        photos.save("ann", data, timeout_seconds=10)
    assert not bucket.objects


def test_photos_are_deleted_alone_with_their_owner_and_when_they_have_expired(
    bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = datetime.now(UTC)
    yesterday = today - timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: yesterday)
    old = photos.save("ann", image(8, 8), timeout_seconds=10).upload_id
    monkeypatch.setattr(clock, "now", lambda: today)
    ids = [
        photos.save(user, image(8, 8), timeout_seconds=10).upload_id
        for user in ("ann", "ann", "bob")
    ]
    photos.delete("ann", ids[0], timeout_seconds=10)
    photos.delete("ann", ids[0], timeout_seconds=10)
    assert len(bucket.objects) == 3
    # The fake stores everything today; what is looked at is found by the day in its path.
    assert photos.delete_expired(today + timedelta(minutes=1), timeout_seconds=10) == 3
    again = photos.save("ann", image(8, 8), timeout_seconds=10).upload_id
    assert photos.delete_expired(today - timedelta(days=3), timeout_seconds=10) == 0
    assert photos.delete_all("ann", since=today, timeout_seconds=10) == 1
    assert {old, again}.isdisjoint(name.rpartition("/")[2] for name in bucket.objects)


def test_expired_uploads_are_deleted_some_at_a_time_and_the_others_not_looked_at(
    bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photos, "DELETED_AT_ONCE", 2)
    day = datetime(2026, 11, 20, 12, tzinfo=UTC)
    for number in range(5):
        moment = day + timedelta(hours=12 * number)
        monkeypatch.setattr(clock, "now", lambda moment=moment: moment)
        photos.save("ann", image(8, 8), timeout_seconds=10)
        name = list(bucket.objects)[-1]
        bucket.metadata(name)["timeCreated"] = f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"
    horizon = day + timedelta(days=1, hours=1)  # three are older, of which one on its day
    assert photos.delete_expired(horizon, timeout_seconds=10) == 2
    assert photos.delete_expired(horizon, timeout_seconds=10) == 1
    assert photos.delete_expired(horizon, timeout_seconds=10) == 0
    assert len(bucket.objects) == 2


def test_an_upload_can_be_ordered_from_for_a_day(
    bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = photos.save("ann", image(8, 8), timeout_seconds=10).upload_id
    stored_at = datetime.now(UTC)
    for hours, is_usable in ((23, True), (25, False)):
        moment = stored_at + timedelta(hours=hours)
        monkeypatch.setattr(clock, "now", lambda moment=moment: moment)
        assert photos.is_usable("ann", upload_id, timeout_seconds=10) == is_usable


def test_the_uploads_that_are_kept_of_a_user_are_counted_up_to_a_limit(bucket: FakeBucket) -> None:
    for user in ("ann", "ann", "ann", "bob"):
        photos.save(user, image(8, 8), timeout_seconds=10)
    assert photos.kept("ann", at_most=10, timeout_seconds=10) == 3
    assert photos.kept("ann", at_most=2, timeout_seconds=10) == 2
    assert photos.kept("carl", at_most=10, timeout_seconds=10) == 0


def test_the_emulators_store_nothing_in_a_real_bucket(
    bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FUNCTIONS_EMULATOR", "true")
    assert bucket_module.is_configured()
    monkeypatch.delenv("STORAGE_EMULATOR_HOST")
    assert not bucket_module.is_configured()
