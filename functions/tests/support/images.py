"""Images of every kind, made for one test."""

import io
from typing import Any

from PIL import Image


def image(width: int, height: int, kind: str = "PNG", mode: str = "RGB", **options: Any) -> bytes:
    """A picture with something to see: black on the left, white on the right."""
    picture = Image.linear_gradient("L").resize((width, height)).rotate(90).convert(mode)
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def size_of(data: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(data)).size


def kind_of(data: bytes) -> str | None:
    return Image.open(io.BytesIO(data)).format
