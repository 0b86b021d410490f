"""Calls of the operators' function: what they are about, and what they leave in the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.cloud import firestore

from imagegen import actions, tasks
from imagegen.notifications import outbox
from support.books import requests_of
from support.operators import bearer
from support.orders import order_body


@pytest.fixture
def admin(call: Callable[..., Any], client: firestore.Client) -> Callable[..., Any]:
    """Calls the function as an operator, and expects the status `code`, if any; the answer."""

    def request(method: str, path: str, code: int | None = 200, **kwargs: Any) -> Any:
        answer = call("admin", method, path, headers=bearer(), **kwargs)
        assert code in (None, answer.status_code), answer.text
        return answer.get_json()

    return request


def actions_about(client: firestore.Client, path: str) -> list[dict[str, Any]]:
    """What the log says of the document at `path`."""
    found = client.collection(actions.COLLECTION).where(
        filter=firestore.FieldFilter("subject", "==", path)
    )
    return [{"id": each.id, **(each.to_dict() or {})} for each in found.stream()]


@pytest.fixture
def queued_requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the requests that were put on the queue, which nobody works on."""
    ids: list[str] = []
    monkeypatch.setattr(tasks, "enqueue", lambda request_id, **_: ids.append(request_id))
    return ids


@pytest.fixture
def ordered(
    call: Callable[..., Any], client: firestore.Client, new_user: Callable[..., str]
) -> Callable[..., tuple[str, str]]:
    """Orders an image, for a user with five credits; the ids of the user and of the request."""

    def make(**changes: Any) -> tuple[str, str]:
        user_id = new_user(5)
        call("createGenerationRequest", json=order_body(user_id, **changes))
        (request,) = requests_of(client, user_id)
        return user_id, request["id"]

    return make


def path_of(request_id: str, what: str = "") -> str:
    return f"/generationRequests/{request_id}{what}"


@pytest.fixture
def registered(
    admin: Callable[..., Any], client: firestore.Client, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The id of a webhook endpoint of this test, which asks for grants."""
    monkeypatch.setenv("FUNCTIONS_EMULATOR", "true")  # an address on this machine may be called
    monkeypatch.setattr(outbox, "enqueue", lambda *_: None)
    wanted = {"url": "http://127.0.0.1:9/hook", "types": ["credits.granted"], "reason": "moved"}
    made = admin("POST", "/webhookEndpoints", 201, json=wanted)
    assert made["secret"].startswith("whsec_")
    outbox.forget()
    yield made["id"]
    client.document(f"webhookEndpoints/{made['id']}").delete()
    outbox.forget()
