"""A bucket of Cloud Storage in memory, which Google's own client speaks to over HTTP."""

import base64
import json
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit


class FakeBucket:
    """Serves on `url`. `objects` are metadata and bytes by name.

    `refuses` is asked with the method and the name before anything is done: a status other than 0
    is the answer.
    """

    def __init__(self) -> None:
        self.objects: dict[str, tuple[dict[str, Any], bytes]] = {}
        self.uploads: dict[str, tuple[dict[str, Any], bytes]] = {}  # in chunks, not complete yet
        self.longest_chunk = 0
        self.refuses: Callable[[str, str], int] = lambda method, name: 0
        handler = type("BucketHandler", (_Handler,), {"bucket": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def data(self, name: str) -> bytes:
        return self.objects[name][1]

    def metadata(self, name: str) -> dict[str, Any]:
        return self.objects[name][0]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone away is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bucket: FakeBucket

    def do_POST(self) -> None:
        if "uploadType=resumable" in self.path:
            self._begin()
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        # multipart/related: a part with the metadata as JSON, a part with the content.
        boundary = b"--" + self.headers["Content-Type"].partition('boundary="')[2][:-1].encode()
        _, about, content, _ = body.split(boundary)
        fields = json.loads(about.partition(b"\r\n\r\n")[2])
        header, _, data = content.removesuffix(b"\r\n").partition(b"\r\n\r\n")
        if self._refused(fields["name"]):
            return
        content_type = header.decode().partition("content-type: ")[2].strip()
        fields |= {"contentType": content_type, "bucket": "pictures"}
        fields["timeCreated"] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        self.bucket.objects[fields["name"]] = (fields, data)
        self._answer(200, fields)

    def _begin(self) -> None:
        """Begin an upload in chunks: its address is the answer."""
        fields = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.bucket.uploads[fields["name"]] = fields, b""
        self.send_response(200)
        self.send_header("Location", f"{self.bucket.url}/chunks/o/{quote(fields['name'])}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_PUT(self) -> None:
        """Take a chunk; one whose range names the whole length is the last."""
        name = unquote(self.path.partition("/o/")[2])
        fields, data = self.bucket.uploads[name]
        chunk = self.rfile.read(int(self.headers["Content-Length"]))
        self.bucket.longest_chunk = max(self.bucket.longest_chunk, len(chunk))
        self.bucket.uploads[name] = fields, data + chunk
        if self.headers["Content-Range"].endswith("/*"):
            self.send_response(308)
            self.send_header("Range", f"bytes=0-{len(data + chunk) - 1}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        del self.bucket.uploads[name]
        fields |= {"crc32c": _crc32c(data + chunk)}
        self.bucket.objects[name] = fields, data + chunk
        self._answer(200, fields)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        name, query = unquote(parts.path.partition("/o/")[2]), parse_qs(parts.query)
        if self._refused(name):
            return
        if not name:
            self._answer(200, {"items": self._found(query)})
        elif name not in self.bucket.objects:
            self._answer(404, {"error": {"code": 404, "message": "Not Found"}})
        elif parts.path.startswith("/storage/") and "alt" not in query:
            self._answer(200, self.bucket.metadata(name))
        elif "token" in query and query["token"][0] != self._token(name):
            self._answer(403, {"error": {"code": 403, "message": "Permission denied."}})
        else:
            end = self.headers.get("Range", "").rpartition("-")[2]
            data = self.bucket.data(name)
            self._answer(200, data[: int(end) + 1] if end else data)

    def _found(self, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        """The objects of a listing, in the order of their names."""
        prefix, end = query.get("prefix", [""])[0], query.get("endOffset", [""])[0]
        found = [
            self.bucket.metadata(name)
            for name in sorted(self.bucket.objects)
            if name.startswith(prefix) and (not end or name < end)
        ]
        return found[: int(query.get("maxResults", ["1000"])[0])]

    def do_DELETE(self) -> None:
        name = unquote(urlsplit(self.path).path.partition("/o/")[2])
        if self._refused(name):
            return
        gone = self.bucket.objects.pop(name, None) or self.bucket.uploads.pop(name, None)
        self._answer(204 if gone else 404, b"")

    def _token(self, name: str) -> str:
        metadata = self.bucket.metadata(name).get("metadata") or {}
        return str(metadata.get("firebaseStorageDownloadTokens"))

    def _refused(self, name: str) -> bool:
        status = self.bucket.refuses(self.command, name)
        if status:
            self._answer(status, {"error": {"code": status, "message": "refused"}})
        return bool(status)

    def _answer(self, status: int, content: dict[str, Any] | bytes) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """The test asserts what has arrived."""


CRC32C = 0x82F63B78  # Castagnoli's polynomial, reflected


def _table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (CRC32C if byte & 1 else 0)  # noqa: PLW2901 - shifted eight times
        table.append(byte)
    return table


TABLE = _table()


def _crc32c(data: bytes) -> str:
    """The checksum that Cloud Storage names of an object."""
    checksum = 0xFFFFFFFF
    for byte in data:
        checksum = TABLE[(checksum ^ byte) & 0xFF] ^ checksum >> 8
    return base64.b64encode((checksum ^ 0xFFFFFFFF).to_bytes(4, "big")).decode()
