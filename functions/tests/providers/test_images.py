"""What is made of an image's bytes."""

import contextlib
import io
import re
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from studio.drawing import bomb
from support.images import image, kind_of, size_of

from imagegen.errors import PhotoNotUsable
from imagegen.providers import images, photos
from imagegen.providers.base import GeneratorError
from imagegen.providers.images import Picture


def prepared(data: bytes, width: int, height: int, *, exact: bool = True) -> Picture:
    return images.prepare(data, width=width, height=height, exact=exact, timeout_seconds=10)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_bytes_that_fit_are_kept_as_they_came(kind: str) -> None:
    data = image(64, 48, kind)
    picture = prepared(data, 64, 48)
    assert picture.data is data
    assert (picture.width, picture.height) == (64, 48)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    ("size", "ordered", "expected"),
    [
        ((1024, 1024), (512, 512), (512, 512)),  # scaled down
        ((1200, 1000), (512, 512), (512, 512)),  # cropped as well
        ((768, 1376), (1024, 1792), (768, 1344)),  # too small: cropped, not scaled up
        ((300, 100), (512, 512), (100, 100)),
    ],
)
def test_images_are_cropped_and_scaled_down_but_never_up(
    kind: str, size: tuple[int, int], ordered: tuple[int, int], expected: tuple[int, int]
) -> None:
    picture = prepared(image(*size, kind), *ordered)
    assert (picture.width, picture.height) == expected
    assert size_of(picture.data) == expected
    assert kind_of(picture.data) == kind


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_pixel_can_be_scaled(mode: str) -> None:
    buffer = io.BytesIO()
    Image.new(mode, (200, 100)).save(buffer, "PNG")
    assert size_of(prepared(buffer.getvalue(), 50, 50).data) == (50, 50)


def test_a_photo_that_lies_on_its_side_is_turned() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = prepared(image(200, 100, "JPEG", exif=exif), 100, 200)
    assert size_of(picture.data) == (100, 200)


def test_a_photo_with_a_preview_behind_it_is_a_jpeg() -> None:
    buffer = io.BytesIO()
    preview = Image.new("RGB", (40, 20))
    Image.new("RGB", (200, 100)).save(buffer, "MPO", save_all=True, append_images=[preview])
    assert kind_of(buffer.getvalue()) == "MPO"
    assert photos.inspect(buffer.getvalue()) == ("image/jpeg", (200, 100))
    picture = prepared(buffer.getvalue(), 50, 50)
    assert (picture.mime_type, size_of(picture.data)) == ("image/jpeg", (50, 50))
    assert kind_of(picture.data) == "JPEG"


def test_users_are_asked_for_the_photos_that_can_be_read() -> None:
    Image.init()
    readable = {each for each in photos.PHOTO_FORMATS if each in Image.OPEN}
    assert set(re.findall("JPEG|PNG|WEBP|HEI[CF]", PhotoNotUsable.message.upper())) == readable


def test_the_thumbnail_is_a_webp_of_512_pixels() -> None:
    picture = prepared(image(1024, 1792), 1024, 1792)
    assert picture.thumbnail is not None
    assert kind_of(picture.thumbnail) == "WEBP"
    assert size_of(picture.thumbnail) == (293, 512)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<!doctype html><p>hello",
        image(64, 64)[:-40],
        image(64, 64, "GIF"),
        bomb(),
        image(64, 64, "WEBP")[:60],
    ],
    ids=["empty", "html", "cut off", "gif", "bomb", "cut off early"],
)
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(GeneratorError) as failed:
        prepared(data, 64, 64)
    assert (failed.value.reason, failed.value.billed) == ("NO_IMAGE", True)


@given(st.binary(max_size=200), st.integers(0, 400), st.sampled_from(["PNG", "JPEG", "WEBP"]))
def test_no_bytes_raise_anything_else(noise: bytes, position: int, kind: str) -> None:
    whole = image(32, 32, kind)
    damaged = whole[:position] + noise + whole[position + len(noise) :]
    with contextlib.suppress(GeneratorError):
        picture = prepared(damaged, 16, 16)
        assert size_of(picture.data) == (picture.width, picture.height)


def test_few_images_are_decoded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once, most, lock = 0, 0, threading.Lock()
    thumbnail = images._thumbnail

    def slow(picture: Image.Image) -> bytes | None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        try:
            return thumbnail(picture)
        finally:
            with lock:
                at_once -= 1

    monkeypatch.setattr(images, "_thumbnail", slow)
    threads = [
        threading.Thread(target=prepared, args=(image(512, 512), 256, 256)) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= most <= 2
