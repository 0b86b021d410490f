"""One opening grant for each e-mail address, where TRIAL_ONCE_PER_EMAIL is on."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from google.cloud import firestore
from support.books import check_books, ledger_of
from support.orders import order
from support.proxy import FirestoreProxy

from imagegen.api.auth import Caller
from imagegen.credits import free
from imagegen.credits.endpoints import GetUserCredits, get_user_credits
from imagegen.errors import InsufficientCredits
from imagegen.generation import create as generation


@pytest.fixture(autouse=True)
def once(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets parameters; trials are for verified addresses, once."""

    def set_to(**parameters: object) -> None:
        for name, value in parameters.items():
            monkeypatch.setenv(name.upper(), str(value))

    set_to(
        signup_credits=20,
        require_verified_email="true",
        trial_once_per_email="true",
        trial_email_secret="a secret of the tests",
    )
    return set_to


def address() -> str:
    return f"ann-{uuid.uuid4().hex[:12]}@example.com"


def somebody(email: str | None, **claims: Any) -> Caller:
    """A user who is new, and has that address."""
    uid = f"new-{uuid.uuid4().hex[:12]}"
    return Caller(uid=uid, email=email, **{"has_verified_email": True} | claims)


def balance(caller: Caller) -> int:
    return get_user_credits(GetUserCredits(user_id=caller.uid or ""), caller).current_credits


def noted(client: firestore.Client) -> dict[str, dict[str, Any]]:
    return {each.id: each.to_dict() or {} for each in client.collection("trialEmails").stream()}


def test_who_comes_back_with_the_same_address_gets_no_second_trial(
    client: firestore.Client,
) -> None:
    email = address()
    first, second, other = somebody(email), somebody(email), somebody(address())
    assert [balance(each) for each in (first, second, first, second)] == [20, 0, 20, 0]
    assert balance(other) == 20
    for user, credits in ((first, 20), (second, 0), (other, 20)):
        assert check_books(client, user.uid or "", opening=0) == credits


def test_an_account_that_is_deleted_and_made_again_gets_no_second_trial(
    call: Callable[..., Any], client: firestore.Client
) -> None:
    """Over HTTP, with tokens of the Auth emulator."""
    login = {"email": address(), "password": "imagegen", "returnSecureToken": True}
    accounts = f"http://{os.environ['FIREBASE_AUTH_EMULATOR_HOST']}/identitytoolkit.googleapis.com"
    owner = {"Authorization": "Bearer owner"}
    balances = []
    for _ in range(2):
        made = httpx.post(f"{accounts}/v1/accounts:signUp?key=any", json=login).json()
        user_id = made["localId"]
        verified = {"localId": user_id, "emailVerified": True}
        httpx.post(f"{accounts}/v1/accounts:update?key=any", json=verified, headers=owner)
        signed_in = httpx.post(f"{accounts}/v1/accounts:signInWithPassword?key=any", json=login)
        token = {"Authorization": f"Bearer {signed_in.json()['idToken']}"}
        answer = call("getUserCredits", json={"userId": user_id}, headers=token).get_json()
        balances.append(answer["currentCredits"])
        gone = {"localId": user_id}
        httpx.post(f"{accounts}/v1/accounts:delete?key=any", json=gone, headers=owner)
    assert balances == [20, 0]


def test_the_charge_that_would_open_the_account_looks_too(client: firestore.Client) -> None:
    email = address()
    first, second = somebody(email), somebody(email)
    generation.create(order(first.uid or ""), first)
    with pytest.raises(InsufficientCredits) as refused:
        generation.create(order(second.uid or ""), second)
    assert refused.value.details == {"required": 1, "available": 0}
    assert ledger_of(client, second.uid or "") == []  # a refused call books nothing
    assert balance(first) == 19


@pytest.mark.usefixtures("client")
def test_monthly_credits_do_not_depend_on_it(once: Callable[..., None]) -> None:
    once(free_monthly_credits=5)
    email = address()
    assert [balance(somebody(email)) for _ in range(2)] == [25, 5]


def test_what_is_kept_is_a_keyed_hash_and_a_month(
    client: firestore.Client, once: Callable[..., None]
) -> None:
    email, before = address(), noted(client)
    user = somebody(email)
    balance(user)
    ((hashed, fields),) = ((i, each) for i, each in noted(client).items() if i not in before)
    assert len(hashed) == 64
    assert [*fields] == ["month"]
    assert len(fields["month"]) == len("2026-11")
    once(trial_email_secret="another secret")
    assert balance(somebody(email)) == 20  # nobody knows the address under another key


@pytest.mark.parametrize(
    ("one", "other", "are_the_same"),
    [
        ("Ann@Example.com", " ann@example.com ", True),
        ("ann+trial2@example.com", "ann@example.com", True),
        ("a.n.n+x@gmail.com", "ann@googlemail.com", True),
        ("a.nn@example.com", "ann@example.com", False),
        ("ann@example.com", "ann@example.org", False),
        ("+a@example.com", "+b@example.com", False),
        ("\uff41nn@example.com", "ann@example.com", True),
    ],
)
def test_spellings_of_one_address_are_one(one: str, other: str, are_the_same: bool) -> None:
    assert (free.normalized(one) == free.normalized(other)) is are_the_same


def test_two_accounts_of_one_address_at_once_get_one_trial(client: firestore.Client) -> None:
    email = address()
    users = [somebody(email) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        balances = list(pool.map(balance, users))
    assert sorted(balances) == [0] * 5 + [20]


def test_a_lost_reply_to_the_grant_does_not_count_as_another(
    client: firestore.Client, proxy: FirestoreProxy
) -> None:
    user = somebody(address())
    proxy.lose_reply_to_commit()
    assert balance(user) == 20
    assert check_books(client, user.uid or "", opening=0) == 20


def test_where_nothing_is_due_or_it_is_off_nothing_more_is_read(
    proxy: FirestoreProxy, once: Callable[..., None]
) -> None:
    user = somebody(address())
    balance(user)
    proxy.reset()
    balance(user)
    assert proxy.traffic.rpcs == {"BatchGetDocuments": 1, "RunQuery": 1}
    proxy.reset()
    balance(somebody(address()))
    with_it = proxy.traffic.documents_read
    once(trial_once_per_email="false")
    proxy.reset()
    balance(somebody(address()))
    assert with_it - proxy.traffic.documents_read > 0
    assert proxy.traffic.documents_written == 2  # the user and the entry


def test_who_has_no_verified_address_gets_no_trial_and_uses_none_up(
    client: firestore.Client,
) -> None:
    email, before = address(), noted(client)
    assert balance(somebody(email, has_verified_email=False)) == 0
    assert balance(somebody(None)) == 0
    assert noted(client) == before
    assert balance(somebody(email)) == 20


def test_without_the_secret_nothing_is_granted(
    client: firestore.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = somebody(address())
    monkeypatch.delenv("TRIAL_EMAIL_SECRET")
    with pytest.raises(LookupError, match="TRIAL_EMAIL_SECRET"):
        balance(user)
    assert ledger_of(client, user.uid or "") == []


@pytest.mark.parametrize("is_on", [False, True])
def test_the_secret_is_asked_for_and_bound_only_where_it_is_on(
    manifest_with: Callable[..., dict[str, Any]], is_on: bool
) -> None:
    endpoints = manifest_with(TRIAL_ONCE_PER_EMAIL=str(is_on).lower(), FUNCTIONS_EMULATOR="")
    bound = {
        name
        for name, endpoint in endpoints.items()
        if {"key": "TRIAL_EMAIL_SECRET"} in endpoint.get("secretEnvironmentVariables", [])
    }
    # An operator who looks at the own account is its owner.
    books = {"admin", "createGenerationRequest", "getUserCredits"}
    assert bound == (books if is_on else set())
