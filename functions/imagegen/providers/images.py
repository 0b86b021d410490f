"""The bytes of an image: what they really are, cut to the size that was ordered, and a thumbnail.

Bytes that fit are kept as they came, so that what they carry (content credentials, a colour
profile) is not lost. Other images are cropped and scaled down, never up.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagegen.providers.failures import Reason, failure

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 25_000_000  # 75 MB as RGB; the largest of all known models (4K square) has 17 million
THUMBNAIL_PIXELS = 512
THUMBNAIL_QUALITY = 80
JPEG_OR_WEBP_QUALITY = 92

# An image takes its pixels' worth of memory while it is decoded, and the instance has one CPU.
_decoding = threading.BoundedSemaphore(2)

FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/heic": "heic",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """An image that has been decoded once, so it is one."""

    data: bytes
    mime_type: str
    width: int
    height: int
    thumbnail: bytes | None = None  # WebP


class NotAnImage(Exception):
    """The bytes are not an image that can be used."""


def prepare(
    data: bytes, *, width: int, height: int, exact: bool, timeout_seconds: float
) -> Picture:
    """The image for an order of `width` × `height`; with its own size where not `exact`.

    An image smaller than ordered is cropped to the proportions and keeps its scale.

    Raises GeneratorError (NO_IMAGE) when the bytes are no image, or a bomb; IMAGE_NOT_STORED when
    other images took all of the time.
    """
    if not _decoding.acquire(timeout=max(0.0, timeout_seconds)):
        raise failure(Reason.IMAGE_NOT_STORED, "too many images at once")
    try:
        with opened(data, FORMATS) as image:
            kind = format_of(image)
            upright = _upright(image)
            target = _target(upright.size, (width, height)) if exact else upright.size
            if target != image.size or upright is not image:
                upright = _fitted(upright, target)
                data = _encoded(upright, kind)
            return Picture(data, FORMATS[kind], *upright.size, _thumbnail(upright))
    except NotAnImage as error:
        raise failure(Reason.NO_IMAGE, str(error)) from error
    finally:
        _decoding.release()


@contextmanager
def opened(data: bytes, formats: dict[str, str], *, decode: bool = True) -> Iterator[Image.Image]:
    """The image, or only its header.

    Raises NotAnImage, also for whatever Pillow raises while the image is in use.
    """
    # Imported with the first image: it would cost every cold start, and most give none.
    from PIL import Image  # noqa: PLC0415

    try:
        with Image.open(io.BytesIO(data), formats=list(formats)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise NotAnImage("the image has too many pixels")
            if decode:
                image.load()
            yield image
    except NotAnImage:
        raise
    except Exception as error:  # decoders raise anything over malformed bytes
        raise NotAnImage(f"not an image: {type(error).__name__}") from error


def format_of(image: Image.Image) -> str:
    """What kind of file it is: a key of `formats`.

    Cameras append previews to a JPEG. Pillow calls it MPO then; for everybody else it is a JPEG.
    """
    return "JPEG" if image.format == "MPO" else str(image.format)


def _upright(image: Image.Image) -> Image.Image:
    """The image itself, or turned where its metadata says that it lies on its side."""
    from PIL import ExifTags, ImageOps  # noqa: PLC0415

    turned = image.getexif().get(ExifTags.Base.Orientation, 1) not in {0, 1}
    return ImageOps.exif_transpose(image) if turned else image


def _target(size: tuple[int, int], ordered: tuple[int, int]) -> tuple[int, int]:
    """The largest size with the proportions of `ordered` that fits into both."""
    scale = min(1.0, size[0] / ordered[0], size[1] / ordered[1])
    return max(1, round(ordered[0] * scale)), max(1, round(ordered[1] * scale))


def _fitted(image: Image.Image, target: tuple[int, int]) -> Image.Image:
    from PIL import Image, ImageOps  # noqa: PLC0415

    if image.size == target:
        return image
    if image.mode in {"P", "1"}:  # these cannot be scaled smoothly
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    return ImageOps.fit(image, target, method=Image.Resampling.LANCZOS)


def _encoded(image: Image.Image, format_name: str) -> bytes:
    buffer = io.BytesIO()
    options = {} if format_name == "PNG" else {"quality": JPEG_OR_WEBP_QUALITY}
    image.save(buffer, format_name, icc_profile=image.info.get("icc_profile"), **options)
    return buffer.getvalue()


def _thumbnail(image: Image.Image) -> bytes | None:
    """The thumbnail, or None: an image is delivered without one rather than not at all."""
    try:
        return _small(image)
    except (OSError, ValueError, MemoryError):
        return None


def _small(image: Image.Image) -> bytes:
    small = image.convert("RGBA" if image.has_transparency_data else "RGB")
    small.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=THUMBNAIL_QUALITY)
    return buffer.getvalue()
