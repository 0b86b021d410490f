"""The stand-in beside running emulators: its events go to their webhook, its products are there."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stripe_stub.prices import PRICES, PRODUCTS
from stripe_stub.server import Stub

PORT = 12111  # where functions/.env.demo-imagegen says that Stripe's API is
WEBHOOK_SECRET = "whsec_emulator"  # noqa: S105 - as that file has it; it guards nothing


@contextmanager
def emulators(
    *, functions_url: str, firestore: str, project: str, port: int = PORT
) -> Iterator[Stub]:
    """Run the stand-in until the exit. `firestore` is the host and port of the emulator."""
    put_products(firestore, project)
    stub = Stub(
        PRICES,
        port=port,
        webhook_url=f"{functions_url}/stripeWebhook",
        webhook_secret=WEBHOOK_SECRET,
    ).start()
    try:
        yield stub
    finally:
        stub.stop()


def put_products(firestore: str, project: str) -> None:
    """Write the products of the demo, which are never part of emulator-data."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    root = f"http://{firestore}/v1/projects/{project}/databases/(default)/documents"
    for path, fields in PRODUCTS.items():
        body = json.dumps({"fields": {name: _value(each) for name, each in fields.items()}})
        headers = {"Authorization": "Bearer owner", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{root}/{path}", body.encode(), headers, method="PATCH")
        direct.open(request, timeout=30).close()


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"booleanValue": value}
    if isinstance(value, int):
        return {"integerValue": str(value)}
    return {"stringValue": value}
