"""Cloud Tasks as firebase_admin sees it: takes tasks over HTTP and hands them on."""

from __future__ import annotations

import base64
import itertools
import json
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Server(ThreadingHTTPServer):
    """Does not print that a caller was killed."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class TaskApi:
    """Listens at `address`; calls `take` with the function and the body of each task."""

    def __init__(self, take: Callable[[str, bytes], None]) -> None:
        order = itertools.count()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"  # connections are kept, as Google's are
            wbufsize = -1  # an answer is one packet

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                content = self.rfile.read(length)
                if len(content) < length:
                    raise ConnectionAbortedError("the caller was killed")
                sent = json.loads(content)
                resource = self.path.strip("/")
                function = resource.split("/queues/")[1].split("/")[0]
                take(function, base64.b64decode(sent["task"]["httpRequest"]["body"]))
                name = f"/{resource}/{next(order)}"  # as the emulator begins it
                answer = json.dumps({"task": {"name": name}}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
