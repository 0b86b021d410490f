"""What an outbound request reaches: a real HTTP server on this machine."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from imagegen.report import delivery


class Receiver:
    """A real HTTP server that keeps what it gets and answers as it is told, 200 in the end."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.messages: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.hosts: list[str] = []
        self.headers: list[Message] = []
        self.answers: list[int] = []
        self.content = b""
        self.sends_headers: dict[str, str] = {}
        self.says_its_length = True
        self.breaks_off_after: int | None = None  # bytes of the content
        self.seconds_a_byte = 0.0
        self.hangs_for = 0.0  # seconds before each answer
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.messages.append(json.loads(body))
                receiver.bodies.append(body)
                receiver.hosts.append(self.headers["Host"])
                receiver.headers.append(self.headers)
                status = receiver.answers.pop(0) if receiver.answers else 200
                time.sleep(receiver.hangs_for)
                if status == 0:  # hangs up without a word
                    self.close_connection = True
                    return
                with suppress(OSError):  # the client has gone
                    answer(self, receiver, status)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook?token=secret"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def answer(handler: BaseHTTPRequestHandler, receiver: Receiver, status: int) -> None:
    handler.send_response(status)
    handler.send_header("Location", "/elsewhere")
    for name, value in receiver.sends_headers.items():
        handler.send_header(name, value)
    if receiver.says_its_length:
        handler.send_header("Content-Length", str(len(receiver.content)))
    handler.end_headers()
    content = receiver.content[: receiver.breaks_off_after]
    if not receiver.seconds_a_byte:
        handler.wfile.write(content)
        return
    for byte in content:
        handler.wfile.write(bytes([byte]))
        time.sleep(receiver.seconds_a_byte)


def report_webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A server that is the report's webhook: plain HTTP on this machine, as on the emulators."""
    monkeypatch.setattr(delivery, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setenv("FUNCTIONS_EMULATOR", "true")
    server = Receiver()
    monkeypatch.setenv("REPORT_WEBHOOK_URL", server.url)
    yield server
    server.stop()
