"""The server: it takes orders on loopback, counts what is billed, and hands out pictures."""

from __future__ import annotations

import ssl
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from studio import fal, gemini, openai, replicate
from studio.drawing import HTML_PAGE, bomb, draw
from studio.faults import Fault
from studio.wire import NOT_FOUND, Job, Reply, Request

PROTOCOLS = {
    "openai": openai.answer,
    "gemini": gemini.answer,
    "fal": fal.answer,
    "replicate": replicate.answer,
}
DRIP_SECONDS = 0.2


class Studio:
    """Serves on `url` from `start()` to `stop()`.

    `seconds` is how long a picture takes, `slow_seconds` how long one with the fault `slow` does.
    `requests` holds what came, `billed` counts the pictures that a vendor would charge for, and
    `jobs` are the jobs by id.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        seconds: float = 0.0,
        slow_seconds: float = 30.0,
        certificate: tuple[str, str] | None = None,
    ) -> None:
        self.seconds = seconds
        self.slow_seconds = slow_seconds
        self.requests: list[Request] = []
        self.billed = 0
        self.jobs: dict[str, Job] = {}
        self.pictures: dict[str, Reply] = {}
        self._lock = threading.Lock()
        handler = type("StudioHandler", (_Handler,), {"studio": self})
        self._server = _Server(("127.0.0.1", port), handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "http" if certificate is None else "https"
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"{scheme}://{self.host}"

    def start(self) -> Studio:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reply(self, request: Request) -> Reply:
        self.requests.append(request)
        kind, _, rest = request.path.lstrip("/").partition("/")
        if kind == "pictures":
            return self.pictures.get(rest, NOT_FOUND)
        if kind not in PROTOCOLS:
            return NOT_FOUND
        return PROTOCOLS[kind](self, request, rest.partition("?")[0])

    def accept(self, fault: Fault | None, refused: Mapping[Fault, Reply]) -> Reply | None:
        """Take an order and bill it; a reply where the fault ends it here."""
        if fault is Fault.DROP_BEFORE:
            return Reply(lost=True)
        if fault is not None and fault in refused:
            return refused[fault]
        if fault is not Fault.REFUSAL:
            with self._lock:
                self.billed += 1
        return Reply(lost=True) if fault is Fault.DROP_AFTER else None

    def paint(self, job: Job) -> bytes:
        """The picture of an order, or what is sent in its place."""
        if job.fault is Fault.HTML:
            return HTML_PAGE
        if job.fault is Fault.BOMB:
            return bomb()
        return draw(job.prompt, job.width, job.height, job.photo)

    def hang_out(self, job: Job, base_url: str) -> str:
        """The URL of a picture; with the fault `expired-url` there is nothing behind it."""
        name = f"{job.id}.png"
        if job.fault is not Fault.EXPIRED_URL:
            content_type = "text/html" if job.fault is Fault.HTML else "image/png"
            drips = job.fault is Fault.DRIP
            self.pictures[name] = Reply(self.paint(job), content_type=content_type, drip=drips)
        return f"{base_url}/pictures/{name}"

    def work(self, job: Job) -> None:
        """Take the time that a picture takes."""
        time.sleep(self.slow_seconds if job.fault is Fault.SLOW else self.seconds)

    def is_done(self, job: Job) -> bool:
        seconds = self.slow_seconds if job.fault is Fault.SLOW else self.seconds
        return time.monotonic() - job.started >= seconds


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A customer who hangs up is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    studio: Studio

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        request = Request(
            self.command,
            self.path,
            self.headers,
            self.rfile.read(length),
            f"{self.studio.url.partition(':')[0]}://{self.headers['Host']}",
        )
        self._send(self.studio.reply(request))

    do_GET = do_PUT = do_POST  # noqa: N815 - the names that http.server looks for

    def _send(self, reply: Reply) -> None:
        if reply.lost:
            self.close_connection = True
            return
        body = reply.body()
        self.send_response(reply.status)
        headers = {"Content-Type": reply.content_type, **reply.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not reply.drip:
            self.wfile.write(body)
            return
        for position in range(len(body)):
            self.wfile.write(body[position : position + 1])
            time.sleep(DRIP_SECONDS)

    def log_message(self, *_: Any) -> None:
        """The caller logs."""
