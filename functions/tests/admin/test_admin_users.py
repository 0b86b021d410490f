"""Operators find users and look at them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from firebase_admin import auth as accounts
from google.cloud import firestore
from support.orders import now, order_body

from imagegen import db, firebase

Call = Callable[..., Any]


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
