"""What a webhook leads to: a real HTTP server on this machine."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from imagegen.report import webhook


class Receiver:
    """A real HTTP server that keeps what it gets and answers as it is told, 200 in the end."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.messages: list[dict[str, Any]] = []
        self.hosts: list[str] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.messages.append(json.loads(body))
                receiver.hosts.append(self.headers["Host"])
                status = receiver.answers.pop(0) if receiver.answers else 200
                if status == 0:  # hangs up without a word
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook?token=secret"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver(emulator: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(webhook, "FIRST_PAUSE_SECONDS", 0.01)
    server = Receiver()
    monkeypatch.setenv("REPORT_WEBHOOK_URL", server.url)
    yield server
    server.stop()
