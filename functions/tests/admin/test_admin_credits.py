"""Operators grant credits, move them, and repair accounts."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from google.cloud import firestore
from support.accounts import bought, lot, with_lots
from support.admin_calls import actions_about
from support.books import check_books, ledger_of
from support.operators import OPERATOR
from support.orders import now, order_body
from support.proxy import FirestoreProxy
from support.sign_in import sign_up

from imagegen import clock, db
from imagegen.api.auth import Caller
from imagegen.credits import closures, ledger

Call = Callable[..., Any]
BY_HAND = ("I13", "I15")  # a lot that was written without the entry of its purchase
WHY = {"reason": "asked for it by e-mail"}


def test_credits_are_granted_once_for_each_key_and_logged_with_the_grant(
    admin: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    grant = {"credits": 10, "reason": "waited too long", "idempotencyKey": "ticket-1"}
    first = admin("POST", f"/users/{user_id}/grants", json=grant)
    second = admin("POST", f"/users/{user_id}/grants", json=grant)
    assert (first["isNew"], second["isNew"]) == (True, False)
    assert first["entryId"] == second["entryId"]
    assert second["currentCredits"] == check_books(client, user_id, opening=5) == 15
    (entry,) = ledger_of(client, user_id)
    assert (entry["type"], entry["reason"]) == ("grant", "waited too long")
    (action,) = actions_about(client, db.user(user_id))
    assert (action["by"], action["action"], action["reason"]) == (
        OPERATOR,
        "grant",
        grant["reason"],
    )
    assert action["after"]["grantedCredits"] == 10
    assert (action["at"], action["userId"]) == (entry["timestamp"], user_id)


def test_a_grant_whose_commit_was_answered_to_nobody_is_told_as_new(
    admin: Call, client: firestore.Client, new_user: Callable[..., str], proxy: FirestoreProxy
) -> None:
    user_id = new_user(5)
    proxy.lose_reply_to_commit()
    grant = {"credits": 10, "reason": "waited too long", "idempotencyKey": "ticket-1"}
    told = [admin("POST", f"/users/{user_id}/grants", json=grant)["isNew"] for _ in range(2)]
    assert told == [True, False]
    assert check_books(client, user_id, opening=5) == 15


def test_a_grant_opens_the_account_of_who_has_signed_up(
    admin: Call, client: firestore.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id, _ = sign_up()
    grant = {"credits": 10, "reason": "tests for us", "idempotencyKey": "ticket-1"}
    granted = admin("POST", f"/users/{user_id}/grants", json=grant)
    assert (granted["isNew"], granted["currentCredits"]) == (True, 10)
    assert check_books(client, user_id, opening=0) == 10
    monkeypatch.setenv("SIGNUP_CREDITS", "7")  # the opening grant is still due
    assert ledger.read_account(user_id, Caller(uid=user_id)).credits == 17


def test_a_grant_does_not_open_an_account_that_was_closed(
    admin: Call, client: firestore.Client
) -> None:
    user_id, _ = sign_up()
    closed = {"status": "closed", "tombstone": closures.new_tombstone()}
    client.document(closures.path(user_id)).set(closed)
    grant = {"credits": 10, "reason": "r", "idempotencyKey": "k"}
    admin("POST", f"/users/{user_id}/grants", 404, json=grant)


@pytest.mark.parametrize(
    "change", [{"credits": 11}, {"reason": "another"}, {"expiresAt": "2999-01-01T00:00:00Z"}]
)
def test_a_key_gives_one_grant_only(
    admin: Call, client: firestore.Client, new_user: Callable[..., str], change: dict[str, Any]
) -> None:
    user_id = new_user(5)
    grant = {"credits": 10, "reason": "waited too long", "idempotencyKey": "ticket-1"}
    admin("POST", f"/users/{user_id}/grants", json=grant)
    refused = admin("POST", f"/users/{user_id}/grants", 422, json=grant | change)
    assert refused["error"]["details"] == {"reason": "IDEMPOTENCY_KEY_REUSED"}
    assert check_books(client, user_id, opening=5) == 15
    assert len(actions_about(client, db.user(user_id))) == 1


def test_granted_credits_expire_when_the_operator_says(
    admin: Call, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id, end = new_user(0), now() + timedelta(days=3)
    grant = {"credits": 10, "reason": "r", "idempotencyKey": "k", "expiresAt": end.isoformat()}
    admin("POST", f"/users/{user_id}/grants", json=grant)
    (lot,) = admin("GET", f"/users/{user_id}")["balance"]["lots"]
    assert lot["expiresAt"] == end.isoformat(timespec="microseconds").replace("+00:00", "Z")
    late = grant | {"idempotencyKey": "l", "expiresAt": "2020-01-01T00:00:00Z"}
    admin("POST", f"/users/{user_id}/grants", 400, json=late)
    monkeypatch.setattr(clock, "now", lambda: end + timedelta(days=1))
    assert admin("POST", f"/users/{user_id}/grants", json=grant)["isNew"] is False


def test_a_refused_grant_is_not_logged(admin: Call, client: firestore.Client) -> None:
    grant = {"credits": 10, "reason": "r", "idempotencyKey": "k"}
    admin("POST", "/users/nobody-at-all/grants", 404, json=grant)
    assert actions_about(client, db.user("nobody-at-all")) == []


def test_a_malformed_account_is_shown_and_repaired(
    admin: Call, call: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    call("createGenerationRequest", json=order_body(user_id))
    client.document(db.user(user_id)).update({"credits": "4 credits"})
    seen = admin("GET", f"/users/{user_id}")
    assert (seen["user"]["usable"], seen["balance"]) == (False, None)
    assert seen["user"]["malformed"] == {"credits": "'4 credits'"}
    (listed,) = admin("GET", "/users", query_string={"query": user_id})["users"]
    assert listed["credits"] is None
    done = admin("POST", f"/users/{user_id}/repair", json={"reason": "by hand", "credits": 6})
    assert done == {
        "malformed": {"credits": "'4 credits'"},
        "grantedCredits": 2,
        "currentCredits": 6,
    }
    (action,) = actions_about(client, db.user(user_id))
    assert (action["action"], action["before"]) == ("repair", {"credits": "'4 credits'"})
    assert action["after"] == {"credits": 4, "grantedCredits": 2}
    again = admin("POST", f"/users/{user_id}/repair", json={"reason": "by hand"})
    assert again["malformed"] == {}
    assert len(actions_about(client, db.user(user_id))) == 1


def test_a_repair_that_needs_to_be_told_the_balance_says_so(
    admin: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(0)
    client.document(db.user(user_id)).update({"credits": -1})
    refused = admin("POST", f"/users/{user_id}/repair", 400, json={"reason": "r"})
    (violation,) = refused["error"]["details"]["fieldViolations"]
    assert violation["field"] == "credits"


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
    first, second = (new_user(8, **with_lots(bought(f"p-{uuid.uuid4().hex}", 8))) for _ in range(2))
    target, other = new_user(0), new_user(0)

    def transfer(source: str, to: str, code: int) -> Any:
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
