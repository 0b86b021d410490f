"""Signed events, sent to the webhook one after the other, again and again until it takes them."""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import threading
import time
import urllib.error
import urllib.request

from stripe_stub.objects import Json

PAUSES_SECONDS = (0.5, 1, 2, 5, 10)


class Delivery:
    """Sends events to `url`, in the background; `sent` keeps all of them."""

    def __init__(self, url: str, secret: str) -> None:
        self.url = url
        self._secret = secret
        self.sent: list[Json] = []
        self._waiting: queue.Queue[Json] = queue.Queue()
        if url:
            threading.Thread(target=self._run, daemon=True).start()

    def send(self, event: Json) -> None:
        self.sent.append(event)
        if self.url:
            self._waiting.put(event)

    def wait(self) -> None:
        """Return when everything has been taken, or given up."""
        self._waiting.join()

    def _run(self) -> None:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while True:
            body = json.dumps(self._waiting.get()).encode()
            for pause in (*PAUSES_SECONDS, None):
                if self._post(direct, body) or pause is None:
                    break
                time.sleep(pause)
            self._waiting.task_done()

    def _post(self, direct: urllib.request.OpenerDirector, body: bytes) -> bool:
        headers = {
            "Content-Type": "application/json",
            "Stripe-Signature": signature(body, self._secret),
        }
        try:
            direct.open(urllib.request.Request(self.url, body, headers), timeout=60).close()
        except (urllib.error.URLError, OSError) as error:
            print(f"the webhook did not take an event: {error}", flush=True)
            return False
        return True


def signature(body: bytes, secret: str) -> str:
    """The header Stripe-Signature for `body`, as of now."""
    at = int(time.time())
    digest = hmac.new(secret.encode(), b"%d.%s" % (at, body), hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
