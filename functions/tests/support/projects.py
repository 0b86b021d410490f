"""Projects of the Firestore emulator that a test or a benchmark has for itself."""

import os
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
from demo.seed import catalogue
from google.cloud import firestore

from imagegen.audit import project as audit
from support.orders import now, order_body

BALANCE = 5
POLL_SECONDS = 0.2


def empty(project: str) -> firestore.Client:
    """A client of the project, in which is nothing."""
    host = os.environ["FIRESTORE_EMULATOR_HOST"]
    database = f"http://{host}/emulator/v1/projects/{project}/databases/(default)/documents"
    httpx.delete(database, timeout=60).raise_for_status()
    return firestore.Client(project=project)


def with_options_of(client: firestore.Client, project: str) -> firestore.Client:
    """A client of the project, in which is what `client` offers to order, and nothing else."""
    own = empty(project)
    for collection in ("models", "styles", "colors", "sizes"):
        for option in client.collection(collection).stream():
            own.document(f"{collection}/{option.id}").set(option.to_dict() or {})
    return own


def fresh(project: str, models: Mapping[str, Mapping[str, Any]]) -> firestore.Client:
    """A client of the project, in which is the catalogue, `models` and nothing else."""
    client = empty(project)
    batch = client.batch()
    for path, fields in catalogue("http://127.0.0.1:5000").items():
        batch.set(client.document(path), fields)
    for name, settings in models.items():
        shown = {"imageUrl": "https://example.com/i.png", "enabled": True, "sortOrder": 90}
        batch.set(client.document(f"models/{name}"), {**shown, **settings})
    batch.commit()
    return client


def orders(client: firestore.Client, count: int, model: str) -> list[dict[str, Any]]:
    """Orders of as many users, who have `BALANCE` credits each; an order costs one."""
    users = [f"user-{number}" for number in range(count)]
    batch = client.batch()
    for user_id in users:
        batch.set(client.document(f"users/{user_id}"), {"credits": BALANCE})
    batch.commit()
    return [order_body(user_id, model=model) for user_id in users]


def requests_with(client: firestore.Client, status: str) -> list[Any]:
    """All generation requests that have the status."""
    found = client.collection("generationRequests").where(
        filter=firestore.FieldFilter("status", "==", status)
    )
    return list(found.stream())


def wait_until_pending(client: firestore.Client, count: int, timeout_seconds: float) -> None:
    """Return when so many requests are pending: from its charge on, while its model runs."""
    deadline = time.monotonic() + timeout_seconds
    while (running := len(requests_with(client, "pending"))) < count:
        if time.monotonic() > deadline:
            raise AssertionError(f"only {running} of {count} run at once")
        time.sleep(POLL_SECONDS)


def expire_pending(client: firestore.Client) -> None:
    """Let the time of every pending request be over, for recovery."""
    for request in requests_with(client, "pending"):
        request.reference.update({"expiresAt": now() - timedelta(seconds=1)})


def balances(client: firestore.Client) -> set[int]:
    """The different balances of all users."""
    return {user.get("credits") for user in client.collection("users").stream()}


def findings(client: firestore.Client) -> list[Any]:
    """What the audit of the whole project finds."""
    return audit.run(client, progress=lambda _: None).findings
