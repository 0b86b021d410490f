"""Operators disable, delete and export accounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.cloud import firestore
from support.admin_calls import actions_about
from support.books import check_books
from support.orders import order_body

from imagegen import db, tasks

Call = Callable[..., Any]
WHY = {"reason": "asked for it by e-mail"}


@pytest.fixture(autouse=True)
def queued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The work on accounts that was put on the queue, which nobody does."""
    kinds: list[tuple[str, str]] = []
    monkeypatch.setattr(
        tasks, "enqueue_account", lambda kind, each, **_: kinds.append((kind, each))
    )
    return kinds


def test_an_account_is_disabled_and_made_active_again(
    admin: Call, call: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    for _ in range(2):
        disabled = {"status": "disabled", "reason": "chargebacks"}
        assert admin("PUT", f"/users/{user_id}/status", json=disabled)["status"] == "disabled"
    assert admin("GET", f"/users/{user_id}")["user"]["status"] == "disabled"
    refused = call("createGenerationRequest", json=order_body(user_id))
    assert refused.get_json()["error"]["details"]["reason"] == "ACCOUNT_DISABLED"
    grant = {"credits": 1, "reason": "r", "idempotencyKey": "k"}
    admin("POST", f"/users/{user_id}/grants", 403, json=grant)
    admin("PUT", f"/users/{user_id}/status", json={"status": "active", "reason": "settled"})
    assert call("createGenerationRequest", json=order_body(user_id)).status_code == 200
    assert check_books(client, user_id, opening=5) == 4
    logged = sorted(actions_about(client, db.user(user_id)), key=lambda action: action["at"])
    assert [action["after"]["status"] for action in logged] == ["disabled", "active"]


def test_an_account_is_closed_at_once_and_deleted_in_the_background(
    admin: Call, client: firestore.Client, new_user: Callable[..., str], queued: list[Any]
) -> None:
    user_id = new_user(5)
    for _ in range(2):
        answer = admin("DELETE", f"/users/{user_id}", 202, query_string=WHY)
        assert answer == {"status": "closing", "storeSubscriptions": []}
    assert admin("GET", f"/users/{user_id}")["user"]["status"] == "closing"
    assert {kind for kind, _ in queued} == {"closureId"}
    (action,) = actions_about(client, db.user(user_id))
    assert (action["action"], action["userId"]) == ("delete", user_id)
    grant = {"credits": 1, "reason": "r", "idempotencyKey": "k"}
    refused = admin("POST", f"/users/{user_id}/grants", 409, json=grant)
    assert refused["error"]["details"]["reason"] == "ACCOUNT_CLOSING"
    admin("DELETE", "/users/nobody-at-all", 404, query_string=WHY)


def test_an_export_is_begun_once_and_logged(
    admin: Call,
    client: firestore.Client,
    new_user: Callable[..., str],
    queued: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IMAGE_BUCKET", "pictures")
    user_id = new_user(5)
    for _ in range(2):
        answer = admin("POST", f"/users/{user_id}/exports", 202, json=WHY)
        assert answer == {"url": None, "expiresAt": None}
    assert queued == [("exportOf", user_id)]
    assert [each["action"] for each in actions_about(client, db.user(user_id))] == ["export"]
