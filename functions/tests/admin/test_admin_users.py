"""Operators find users, look at them, grant credits and repair accounts."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from firebase_admin import auth as accounts
from google.cloud import firestore
from support.books import check_books, ledger_of
from support.operators import OPERATOR, bearer
from support.orders import now, order_body

from imagegen import actions, db, firebase

Call = Callable[..., Any]


@pytest.fixture
def admin(call: Call, client: firestore.Client) -> Call:
    """Calls the function as an operator; every answer is as the description has it."""

    def request(method: str, path: str, code: int = 200, **kwargs: Any) -> Any:
        answer = call("admin", method, path, headers=bearer(), **kwargs)
        assert answer.status_code == code, answer.text
        return answer.get_json()

    return request


@pytest.fixture
def signed_up(client: firestore.Client) -> Callable[..., str]:
    """Makes a user who can sign in; the uid."""

    def make(balance: int | None = None, **fields: Any) -> str:
        uid = f"known-{uuid.uuid4().hex[:12]}"
        accounts.create_user(app=firebase.app(), uid=uid, **fields)
        if balance is not None:
            client.document(db.user(uid)).set({"credits": balance, "createdAt": now()})
        return uid

    return make


def actions_about(client: firestore.Client, path: str) -> list[dict[str, Any]]:
    found = client.collection(actions.COLLECTION).where(
        filter=firestore.FieldFilter("subject", "==", path)
    )
    return [each.to_dict() or {} for each in found.stream()]


def test_the_newest_accounts_come_first_and_in_pages(
    admin: Call, signed_up: Callable[..., str]
) -> None:
    made = [signed_up(5) for _ in range(3)]
    first = admin("GET", "/users?pageSize=2")
    second = admin("GET", f"/users?pageSize=2&pageToken={first['nextPageToken']}")
    found = [user["userId"] for user in (*first["users"], *second["users"])]
    assert found[:3] == [*reversed(made)]
    admin("GET", f"/users?query=x&pageToken={first['nextPageToken']}", code=400)


def test_a_user_is_found_by_uid_its_beginning_and_the_exact_address(
    admin: Call, signed_up: Callable[..., str]
) -> None:
    email = f"{uuid.uuid4().hex}@example.com"
    user_id = signed_up(5, email=email)
    for query in (user_id, user_id[:-3], email, f"  {email.upper()} "):
        users = admin("GET", "/users", query_string={"query": query})["users"]
        assert [user["userId"] for user in users] == [user_id], query
        assert (users[0]["email"], users[0]["credits"], users[0]["debt"]) == (email, 5, 0)
    for query in (user_id[1:], email[1:], "nobody@example.com", "no @ address", "a/b", "__x__"):
        assert admin("GET", "/users", query_string={"query": query})["users"] == [], query


def test_the_users_of_a_beginning_come_in_pages(admin: Call, client: firestore.Client) -> None:
    beginning = uuid.uuid4().hex
    made = [beginning, *(f"{beginning}-{number}" for number in range(4))]
    for user_id in made:
        client.document(db.user(user_id)).set({"credits": 1})
    found: list[str] = []
    token = ""
    while token is not None:
        page = {"query": beginning, "pageSize": 2} | ({"pageToken": token} if token else {})
        answer = admin("GET", "/users", query_string=page)
        assert len(answer["users"]) <= 2
        found += [user["userId"] for user in answer["users"]]
        token = answer.get("nextPageToken")
    assert found == made


def test_who_signed_up_and_never_called_is_found_too(
    admin: Call, signed_up: Callable[..., str]
) -> None:
    email = f"{uuid.uuid4().hex}@example.com"
    user_id = signed_up(email=email)
    (user,) = admin("GET", "/users", query_string={"query": email})["users"]
    assert (user["userId"], user["credits"]) == (user_id, None)
    seen = admin("GET", f"/users/{user_id}")
    assert seen["balance"] is None
    assert (seen["user"]["hasAuthUser"], seen["user"]["usable"]) == (True, True)


def test_a_user_is_shown_with_the_balance_and_what_it_consists_of(
    admin: Call, call: Call, signed_up: Callable[..., str]
) -> None:
    email = f"{uuid.uuid4().hex}@example.com"
    user_id = signed_up(5, email=email, email_verified=True, password="imagegen")
    call("createGenerationRequest", json=order_body(user_id, model="Slow Model", mode="async"))
    seen = admin("GET", f"/users/{user_id}")
    user, balance = seen["user"], seen["balance"]
    assert (user["email"], user["emailVerified"], user["isAnonymous"]) == (email, True, False)
    assert user["signInProviders"] == ["password"]
    assert user["openRequests"] == 1
    assert balance["currentCredits"] == 4
    assert [(lot["kind"], lot["remaining"]) for lot in balance["lots"]] == [("opening", 4)]
    assert sum(balance["totals"].values()) == 4


def test_a_user_without_an_identity_is_shown_as_one(
    admin: Call, new_user: Callable[..., str]
) -> None:
    seen = admin("GET", f"/users/{new_user(5)}")
    assert (seen["user"]["hasAuthUser"], seen["user"]["isAnonymous"]) == (False, False)
    assert seen["balance"]["currentCredits"] == 5


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
    admin: Call, new_user: Callable[..., str]
) -> None:
    user_id, end = new_user(0), now() + timedelta(days=3)
    grant = {"credits": 10, "reason": "r", "idempotencyKey": "k", "expiresAt": end.isoformat()}
    admin("POST", f"/users/{user_id}/grants", json=grant)
    (lot,) = admin("GET", f"/users/{user_id}")["balance"]["lots"]
    assert lot["expiresAt"] == end.isoformat(timespec="microseconds").replace("+00:00", "Z")
    late = grant | {"idempotencyKey": "l", "expiresAt": "2020-01-01T00:00:00Z"}
    admin("POST", f"/users/{user_id}/grants", 400, json=late)


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
