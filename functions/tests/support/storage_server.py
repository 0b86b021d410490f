"""A small server in the place of Cloud Storage: it takes uploads, slowly, and forgets them."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PIECE_BYTES = 64 * 1024


class Uploads:
    """What has been uploaded: the sizes of the requests' bodies."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.address = ""


@contextmanager
def serving(seconds: float) -> Iterator[Uploads]:
    """A server for as long as the context lasts; every upload takes `seconds`."""
    uploads = Uploads()

    class Upload(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            left = size = int(self.headers["Content-Length"])
            while left:
                left -= len(self.rfile.read(min(PIECE_BYTES, left)))
            time.sleep(seconds)
            uploads.sizes.append(size)
            answer = json.dumps({"name": "image", "bucket": "bucket"}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 1000

    server = Server(("127.0.0.1", 0), Upload)
    uploads.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield uploads
    finally:
        server.shutdown()
        server.server_close()
