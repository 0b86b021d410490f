"""Bytes of a generator in Cloud Storage, spoken to over HTTP: a small server stands in for it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from imagegen.providers import run as providers
from imagegen.providers import storage
from imagegen.providers.base import GeneratedImage, GenerationJob, GeneratorError


class Bucket(BaseHTTPRequestHandler):
    """Keeps the last upload; refuses when `broken` is set."""

    uploads: list[tuple[str, bytes]]
    broken: bool

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.uploads.append((self.path, body))
        answer = json.dumps({"name": "n", "bucket": "b"}).encode()
        self.send_response(403 if self.broken else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Bucket]]:
    handler = type("FreshBucket", (Bucket,), {"uploads": [], "broken": False})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("IMAGE_BUCKET", "pictures")
    yield handler
    server.shutdown()
    server.server_close()


def test_an_image_is_uploaded_with_its_type_and_the_token_of_its_url(bucket: type[Bucket]) -> None:
    url = storage.store("r1", "a1", b"\x89PNG", "image/png")
    ((path, body),) = bucket.uploads
    assert "/b/pictures/o" in path
    assert b"generations/r1/a1" in body
    assert b"\x89PNG" in body
    assert b"image/png" in body
    assert "/v0/b/pictures/o/generations%2Fr1%2Fa1?alt=media&token=" in url
    assert url.rpartition("token=")[2].encode() in body


def test_an_image_that_cannot_be_stored_is_a_failure_worth_another_try(
    bucket: type[Bucket], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Painter:
        def generate(self, job: GenerationJob, *, deadline: float) -> GeneratedImage:
            return GeneratedImage(data=b"png", mime_type="image/png")

    bucket.broken = True
    monkeypatch.setitem(providers.GENERATORS, "painter", Painter())
    job = GenerationJob("r1", "M", "s", "c", 1, 1, "p")
    with pytest.raises(GeneratorError) as failed:
        providers.run_provider("painter", job, timeout_seconds=10)
    assert (failed.value.reason, failed.value.retryable) == ("IMAGE_NOT_STORED", True)
