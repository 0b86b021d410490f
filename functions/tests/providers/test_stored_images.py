"""Images and photos on the Storage emulator: paths, URLs, who may see what, deletion."""

import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from google.cloud.storage import Bucket
from support.images import image, size_of
from support.models import job
from support.waiting import wait_until

from imagegen.providers import bucket as bucket_module
from imagegen.providers import photos, registry, storage
from imagegen.providers.base import GeneratedImage, GenerationJob, GeneratorError, StoredImage
from imagegen.providers.images import Picture
from imagegen.providers.run import run_provider


def soon() -> float:
    return time.monotonic() + 10


def stored(order: GenerationJob) -> StoredImage:
    picture = Picture(b"\x89PNG", "image/png", 512, 512, b"webp")
    return storage.store(order, picture, deadline=soon(), token=str(uuid.uuid4()))


def names(bucket: Bucket) -> list[str]:
    return sorted(blob.name for blob in bucket.list_blobs())


def test_an_image_is_served_under_its_url_with_its_type_and_not_without_the_token(
    storage_emulator: str, emulated_bucket: Bucket
) -> None:
    answer = stored(job({}))
    path = f"/v0/b/{emulated_bucket.name}/o/generations%2Fr1%2Fattempt1.png?alt=media&token="
    assert answer.url.startswith(storage_emulator + path)
    served = httpx.get(answer.url)
    assert (served.status_code, served.content) == (200, b"\x89PNG")
    assert served.headers["content-type"] == "image/png"
    assert served.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert httpx.get(str(answer.thumbnail_url)).content == b"webp"
    image_token = answer.url.partition("&token=")[2]
    for url in (answer.url.partition("&token=")[0], answer.url[:-1] + "!"):
        assert httpx.get(url).status_code == 403
    thumbnail = str(answer.thumbnail_url).partition("&token=")[0]
    assert httpx.get(f"{thumbnail}&token={image_token}").status_code == 403


def test_no_client_may_read_list_or_write_past_the_functions(
    storage_emulator: str, emulated_bucket: Bucket
) -> None:
    stored(job({}))
    objects = f"{storage_emulator}/v0/b/{emulated_bucket.name}/o"
    user = {"Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ."}
    for headers in ({}, user):
        name = f"{objects}/generations%2Fr1%2Fattempt1.png"
        assert httpx.get(name, headers=headers).status_code == 403
        assert httpx.delete(name, headers=headers).status_code == 403
        assert httpx.get(objects, headers=headers).status_code == 403
        put = httpx.post(f"{objects}?name=mine.png", content=b"x", headers=headers)
        assert put.status_code == 403
    assert names(emulated_bucket) == [
        "generations/r1/attempt1-512.webp",
        "generations/r1/attempt1.png",
    ]


class Painter:
    """Gives the attempt "late" another image than the others."""

    def generate(self, job: GenerationJob, *, deadline: float) -> GeneratedImage:
        data = image(512, 512, mode="L" if job.attempt_id == "late" else "RGB")
        return GeneratedImage(data=data, mime_type="image/png")


def test_an_attempt_that_uploads_after_it_was_given_up_harms_no_delivered_image(
    emulated_bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.GENERATORS, "painter", Painter())
    given_up, may_upload, arrived = threading.Event(), threading.Event(), threading.Semaphore(0)
    upload = bucket_module.upload

    def slow_upload(path: str, data: bytes, mime_type: str, **options: Any) -> str:
        if given_up.is_set():
            return upload(path, data, mime_type, **options)
        may_upload.wait(30)  # on its way when its attempt is given up
        try:
            return upload(path, data, mime_type, **{**options, "deadline": soon()})
        finally:
            arrived.release()

    monkeypatch.setattr(bucket_module, "upload", slow_upload)
    with pytest.raises(GeneratorError) as failed:
        run_provider("painter", job({}, attempt_id="late"), timeout_seconds=2)
    assert failed.value.reason == "GENERATION_TIMEOUT"
    given_up.set()
    delivered = run_provider("painter", job({}, attempt_id="next"), timeout_seconds=20)
    before = httpx.get(delivered.url)
    may_upload.set()
    assert all(arrived.acquire(timeout=10) for _ in ("image", "thumbnail"))
    after = httpx.get(delivered.url)
    assert (after.status_code, after.content) == (200, before.content)
    assert size_of(httpx.get(str(delivered.thumbnail_url)).content) == (512, 512)
    # What nobody was given is deleted by who brought it.
    wait_until(lambda: len(names(emulated_bucket)) <= 2, seconds=30)
    assert names(emulated_bucket) == ["generations/r1/next-512.webp", "generations/r1/next.png"]


def test_images_go_with_their_request_and_only_with_it(emulated_bucket: Bucket) -> None:
    gone, _, kept = (
        stored(job({}, generation_request_id=request_id, attempt_id=attempt_id))
        for request_id, attempt_id in (("r1", "one"), ("r1", "two"), ("r10", "one"))
    )
    assert storage.delete_images("r1", deadline=soon()) == 4
    assert names(emulated_bucket) == ["generations/r10/one-512.webp", "generations/r10/one.png"]
    assert httpx.get(gone.url).status_code in {403, 404}
    assert httpx.get(kept.url).status_code == 200
    assert storage.delete_images("r1", deadline=soon()) == 0


def test_an_uploaded_photo_is_private_and_its_owners(
    storage_emulator: str, emulated_bucket: Bucket
) -> None:
    data = image(640, 480, "JPEG")
    photo = photos.save("ann", data, timeout_seconds=10)
    assert (photo.mime_type, photo.width, photo.height) == ("image/jpeg", 640, 480)
    (name,) = names(emulated_bucket)
    assert not emulated_bucket.get_blob(name).metadata  # no token, so no URL
    assert "ann" not in name
    source = {"type": "photo", "uploadId": photo.upload_id}
    assert photos.load(job({}, source=source), deadline=soon()).data == data
    assert photos.is_usable("ann", photo.upload_id, timeout_seconds=10)
    assert not photos.is_usable("bob", photo.upload_id, timeout_seconds=10)
    with pytest.raises(GeneratorError) as failed:
        photos.load(job({}, source=source, user_id="bob"), deadline=soon())
    assert (failed.value.reason, failed.value.billed) == ("SOURCE_NOT_USABLE", False)


def test_photos_are_deleted_alone_with_their_owner_and_after_a_day(
    emulated_bucket: Bucket,
) -> None:
    ids = [
        photos.save(user, image(8, 8), timeout_seconds=10).upload_id
        for user in ("ann", "ann", "ann", "bob")
    ]
    photos.delete("ann", ids[0], timeout_seconds=10)
    photos.delete("ann", ids[0], timeout_seconds=10)
    assert len(names(emulated_bucket)) == 3
    yesterday = datetime.now(UTC) - timedelta(days=1)
    assert photos.delete_expired(yesterday, timeout_seconds=10) == 0
    assert photos.delete_all("ann", since=yesterday, timeout_seconds=10) == 2
    assert photos.delete_expired(datetime.now(UTC), timeout_seconds=10) == 1
    assert names(emulated_bucket) == []
