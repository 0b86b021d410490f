"""Pictures: different for each prompt, the same for the same one."""

import hashlib
import io
import random
import struct
import textwrap
import zlib

from PIL import Image, ImageDraw, ImageFont

HTML_PAGE = b"<!doctype html><title>Sign in</title><p>This is not a picture.</p>"


def draw(prompt: str, width: int, height: int, photo: bytes | None = None) -> bytes:
    """A PNG of that size: shapes in five colours, over the photo where there is one."""
    digest = hashlib.sha256(prompt.encode() + (photo or b"")).digest()
    chance = random.Random(digest)  # noqa: S311 - the same prompt draws the same picture
    colors = [tuple(chance.randrange(256) for _ in range(3)) for _ in range(5)]
    image = Image.new("RGB", (width, height), colors[0])
    if photo is not None:
        image.paste(Image.open(io.BytesIO(photo)).convert("RGB").resize((width, height)))
    pencil = ImageDraw.Draw(image)
    for _ in range(12):
        across = chance.randint(width // 10, width // 3)
        left, top = chance.randint(-across // 2, width), chance.randint(-across // 2, height)
        shape = chance.choice((pencil.ellipse, pencil.rectangle))
        shape((left, top, left + across, top + across), fill=chance.choice(colors[1:]))
    _caption(pencil, prompt, width, height)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _caption(pencil: ImageDraw.ImageDraw, prompt: str, width: int, height: int) -> None:
    size = max(10, width // 40)
    lines = textwrap.wrap(prompt, 60)[:3]
    top = height - (len(lines) + 1) * size * 1.3
    pencil.rectangle((0, top, width, height), fill=(0, 0, 0))
    font = ImageFont.load_default(size)
    pencil.multiline_text((size, top + size / 2), "\n".join(lines), fill="white", font=font)


def bomb() -> bytes:
    """A PNG of 50 KB that would take 400 million pixels."""
    side = 20_000

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)  # black or white, one bit each
    compress = zlib.compressobj(9)
    rows = b"".join(compress.compress(bytes(side // 8 + 1)) for _ in range(side)) + compress.flush()
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts
