"""Operators delete and export accounts, and move what was paid for."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from google.cloud import firestore
from support.accounts import bought, lot, with_lots
from support.admin_calls import actions_about
from support.books import check_books

from imagegen import db, tasks

Call = Callable[..., Any]
BY_HAND = ("I13", "I15")  # a lot that was written without the entry of its purchase
WHY = {"reason": "asked for it by e-mail"}


@pytest.fixture(autouse=True)
def queued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The work on accounts that was put on the queue, which nobody does."""
    kinds: list[tuple[str, str]] = []
    monkeypatch.setattr(
        tasks, "enqueue_account", lambda kind, each, **_: kinds.append((kind, each))
    )
    return kinds


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


def test_what_was_paid_for_moves_once_for_each_key(
    admin: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    purchase_id = f"p-{uuid.uuid4().hex}"
    source = new_user(85, **with_lots(lot("trial", 5), bought(purchase_id, 80)))
    target = new_user(0)
    purchase = {
        "userId": source,
        "provider": "stripe",
        "status": "paid",
        "credits": 80,
        "amount": 800,
        "lotId": purchase_id,
        "createdAt": firestore.SERVER_TIMESTAMP,
    }
    client.document(db.purchase(purchase_id)).set(purchase)
    body = {"fromUserId": source, "toUserId": target, "idempotencyKey": "ticket-1"} | WHY
    for _ in range(2):
        moved = admin("POST", "/transfers", json=body)
        assert moved == {"transferredCredits": 80, "currentCredits": 80}
    assert check_books(client, source, opening=85, ignoring=BY_HAND) == 5
    assert check_books(client, target, opening=0, ignoring=BY_HAND) == 80
    for user_id, credits in ((source, -80), (target, 80)):
        (action,) = actions_about(client, db.user(user_id))
        assert (action["action"], action["after"]["credits"]) == ("transfer", credits)


def test_a_key_names_one_transfer_of_an_account(
    admin: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    first, second = (
        new_user(8, **with_lots(bought(f"p-{uuid.uuid4().hex}", 8))) for _ in range(2)
    )
    target, other = new_user(0), new_user(0)

    def transfer(source: str, to: str, code: int) -> dict[str, Any]:
        body = {"fromUserId": source, "toUserId": to, "idempotencyKey": "ticket-2"} | WHY
        return admin("POST", "/transfers", code, json=body)

    assert transfer(first, target, 200)["transferredCredits"] == 8
    for source, to in ((second, target), (first, other), (target, first), (target, other)):
        refused = transfer(source, to, 422)
        assert refused["error"]["details"]["reason"] == "IDEMPOTENCY_KEY_REUSED"
    assert actions_about(client, db.user(second)) == []
    # Nobody of these two has used it.
    assert transfer(second, other, 200) == {"transferredCredits": 8, "currentCredits": 8}


def test_nothing_moves_to_the_same_account(admin: Call, new_user: Callable[..., str]) -> None:
    user_id = new_user(5)
    body = {"fromUserId": user_id, "toUserId": user_id, "idempotencyKey": "k"} | WHY
    refused = admin("POST", "/transfers", 400, json=body)
    (violation,) = refused["error"]["details"]["fieldViolations"]
    assert violation["field"] == "fromUserId"
