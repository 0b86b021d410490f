"""The HTTP server of the stand-in, on this machine's loopback only."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from stripe_stub import pages
from stripe_stub.api import Api
from stripe_stub.delivery import Delivery
from stripe_stub.objects import Json
from stripe_stub.world import NoSuch, World

HOST = "127.0.0.1"
DECLINED = "Your card was declined."


class Handler(BaseHTTPRequestHandler):
    """Routes requests to the API, the pages and their buttons."""

    protocol_version = "HTTP/1.1"
    api: ClassVar[Api]

    def do_GET(self) -> None:
        path, query = self._asked()
        if path.startswith("/v1/"):
            self._json(*self.api.answer("GET", path, query, None))
            return
        try:
            self._page(_page(self.api.world, path, query))
        except NoSuch:
            self._page(pages.page("Not found", "<main>There is no such page.</main>"), 404)

    def do_POST(self) -> None:
        path, query = self._asked()
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        if path.startswith("/v1/"):
            self._json(*self.api.answer("POST", path, body, self.headers.get("Idempotency-Key")))
            return
        try:
            self._redirect(_press(self.api.world, path, query))
        except NoSuch as error:
            self._page(pages.page("Not possible", f"<main>There is no {error}.</main>"), 404)

    def do_DELETE(self) -> None:
        path, query = self._asked()
        self._json(*self.api.answer("DELETE", path, query, None))

    def _asked(self) -> tuple[str, str]:
        parts = urlsplit(self.path)
        return parts.path, parts.query

    def _json(self, status: int, content: Json) -> None:
        self._send(status, json.dumps(content), {"Content-Type": "application/json"})

    def _page(self, text: str, status: int = 200) -> None:
        self._send(status, text, {"Content-Type": "text/html; charset=utf-8"})

    def _redirect(self, to: str) -> None:
        self._send(303, "", {"Location": to})

    def _send(self, status: int, text: str, headers: Mapping[str, str]) -> None:
        content = text.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


class Stub:
    """A running stand-in. `webhook_url` empty: events are kept and not sent."""

    def __init__(
        self,
        prices: Sequence[Json],
        *,
        port: int = 0,
        webhook_url: str = "",
        webhook_secret: str = "",
    ) -> None:
        self.delivery = Delivery(webhook_url, webhook_secret)
        self.world = World(self.delivery)
        for price in prices:
            self.world.add(price)
        api = Api(self.world)
        self._server = ThreadingHTTPServer((HOST, port), type("Bound", (Handler,), {"api": api}))
        self.url = self.world.url = f"http://{HOST}:{self._server.server_address[1]}"

    def start(self) -> Stub:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def serve_forever(self) -> None:
        self._server.serve_forever()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _page(world: World, path: str, query: str) -> str:
    match path.strip("/").split("/"):
        case [""]:
            return pages.dashboard(world)
        case ["checkout", session_id]:
            return pages.checkout(world.get(session_id), DECLINED if query == "declined" else "")
        case ["portal", session_id]:
            return pages.portal(world, world.get(session_id))
    raise NoSuch(path)


def _press(world: World, path: str, query: str) -> str:
    """Do what a button says; where the browser goes next."""
    amount = parse_qs(query).get("amount")
    for pattern, act in BUTTONS.items():
        found = re.fullmatch(pattern, path)
        if found is not None:
            return act(world, found[1], int(amount[0]) if amount else None)
    raise NoSuch(path)


def _then(act: Callable[[World, str, int | None], object]) -> Callable[..., str]:
    """A button of the list of payments, which is shown again."""

    def press(world: World, object_id: str, amount: int | None) -> str:
        act(world, object_id, amount)
        return "/"

    return press


BUTTONS: Mapping[str, Callable[[World, str, int | None], str]] = {
    "/checkout/(.+)/pay": lambda world, it, _: str(world.pay(it)["success_url"]),
    "/checkout/(.+)/later": lambda world, it, _: str(world.pay(it, later=True)["success_url"]),
    "/checkout/(.+)/decline": lambda world, it, _: f"/checkout/{it}?declined",
    "/checkout/(.+)/succeed": _then(lambda world, it, _: world.finish(it, succeeds=True)),
    "/checkout/(.+)/fail": _then(lambda world, it, _: world.finish(it, succeeds=False)),
    "/payments/(.+)/refund": _then(lambda world, it, amount: world.refund(it, amount)),
    "/payments/(.+)/dispute": _then(lambda world, it, _: world.dispute(it)),
    "/disputes/(.+)/win": _then(lambda world, it, _: world.close_dispute(it, won=True)),
    "/disputes/(.+)/lose": _then(lambda world, it, _: world.close_dispute(it, won=False)),
    "/subscriptions/(.+)/renew": _then(lambda world, it, _: world.renew(it)),
    "/subscriptions/(.+)/cancel": _then(lambda world, it, _: world.cancel(it)),
}
