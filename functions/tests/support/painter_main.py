"""main.py with one model more, which gives image bytes as providers do; it runs as a function."""

import random
import struct
import time
import zlib
from typing import Any

from imagegen.providers import registry as providers
from imagegen.providers.base import GeneratedImage, GenerationJob
from main import createGenerationRequest  # noqa: F401 - the function of this source

SIDE = 1024  # pixels; noise does not compress, so the picture has 3 MB
SECONDS = 2.0  # in which all calls get as far as having their bytes


def noise_png(side: int) -> bytes:
    """A square picture of random pixels."""
    rows = b"".join(b"\0" + random.randbytes(3 * side) for _ in range(side))

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    pixels = zlib.compress(rows, level=0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


class Painter:
    """Waits, and gives every call bytes of its own, as if they had come over a network."""

    def __init__(self) -> None:
        self._picture = noise_png(SIDE)

    def generate(self, job: GenerationJob, *, deadline: float) -> Any:
        time.sleep(SECONDS)
        return GeneratedImage(data=bytes(bytearray(self._picture)), mime_type="image/png")


providers.GENERATORS["painter"] = Painter()
