"""An account that is disabled, closing or closed: what is refused, and what goes on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.cloud import firestore
from support.books import check_books, ledger_of
from support.orders import ANYBODY, order, order_body
from support.proxy import FirestoreProxy
from support.waiting import wait_until

from imagegen import db
from imagegen.accounts import account
from imagegen.api.auth import Caller
from imagegen.credits import closures, ledger
from imagegen.credits.endpoints import GetUserCredits, get_user_credits
from imagegen.credits.user import AccountStatus
from imagegen.errors import AccountClosing, AccountDisabled, ImagegenError, UserNotFound
from imagegen.generation import create as generation

Users = Callable[..., str]
DISABLED, ACTIVE = AccountStatus.DISABLED, AccountStatus.ACTIVE
REFUSED = [("disabled", AccountDisabled), ("closing", AccountClosing), ("closed", AccountClosing)]


@pytest.mark.parametrize(("status", "error"), REFUSED)
def test_nothing_is_spent_or_granted(
    client: firestore.Client, new_user: Users, status: str, error: type[ImagegenError]
) -> None:
    user_id = new_user(5, status=status)
    with pytest.raises(error):
        generation.create(order(user_id), ANYBODY)
    with pytest.raises(error):
        ledger.grant_credits(user_id, 3, key="k", reason="r", by="cli:test")
    assert check_books(client, user_id, 5) == 5
    assert ledger_of(client, user_id) == []


def test_the_refusal_costs_no_more_than_the_charge(proxy: FirestoreProxy, new_user: Users) -> None:
    user_id = new_user(5, status="disabled")
    with pytest.raises(AccountDisabled):
        generation.create(order(user_id), ANYBODY)
    assert proxy.traffic.rpcs == {"BatchGetDocuments": 1}
    assert proxy.traffic.documents_read == 1


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [("disabled", 403, "ACCOUNT_DISABLED"), ("closing", 409, "ACCOUNT_CLOSING")],
)
def test_over_http_the_refusal_has_its_reason(
    call: Callable[..., Any], new_user: Users, status: str, code: int, reason: str
) -> None:
    answer = call("createGenerationRequest", json=order_body(new_user(5, status=status)))
    assert (answer.status_code, answer.json["error"]["details"]["reason"]) == (code, reason)


def test_a_disabled_account_can_be_read_and_gets_nothing_free(
    client: firestore.Client, new_user: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREE_MONTHLY_CREDITS", "10")
    user_id = new_user(5, status="disabled")
    owner = Caller(uid=user_id, has_verified_email=True)
    assert get_user_credits(GetUserCredits(user_id=user_id), owner).current_credits == 5
    account.set_status(user_id, ACTIVE, by="cli:ann", reason="settled")
    assert get_user_credits(GetUserCredits(user_id=user_id), owner).current_credits == 15
    assert check_books(client, user_id, 5) == 15


def test_what_was_charged_before_is_answered_again(new_user: Users) -> None:
    user_id = new_user(5)
    first = generation.create(order(user_id, idempotencyKey="k"), ANYBODY)
    account.set_status(user_id, DISABLED, by="cli:ann", reason="chargebacks")
    again = generation.create(order(user_id, idempotencyKey="k"), ANYBODY)
    assert again.body == first.body


def test_once_an_account_is_disabled_no_charge_that_is_under_way_commits(
    client: firestore.Client, new_user: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATE_LIMIT_PER_MINUTE", "0")
    user_id = new_user(10_000)

    def spend_until_refused() -> int:
        made = 0
        with contextlib.suppress(AccountDisabled):
            while True:
                generation.create(order(user_id), ANYBODY)
                made += 1
        return made

    with ThreadPoolExecutor(4) as pool:
        spenders = [pool.submit(spend_until_refused) for _ in range(4)]
        wait_until(lambda: len(ledger_of(client, user_id)) >= 9, seconds=30)
        account.set_status(user_id, DISABLED, by="cli:ann", reason="chargebacks")
        charged = len(ledger_of(client, user_id))
        made = sum(each.result() for each in spenders)
    assert len(ledger_of(client, user_id)) == charged == made
    assert check_books(client, user_id, 10_000) == 10_000 - made


def test_an_operator_sets_only_active_and_disabled_and_says_why(new_user: Users) -> None:
    user_id = new_user(5)
    for status, reason in ((AccountStatus.CLOSING, "r"), (DISABLED, " ")):
        with pytest.raises(ValueError, match=r"cannot make|needs a reason"):
            account.set_status(user_id, status, by="cli:ann", reason=reason)
    with pytest.raises(UserNotFound):
        account.set_status(f"nobody-{user_id}", DISABLED, by="cli:ann", reason="r")
    with pytest.raises(AccountClosing):
        account.set_status(new_user(5, status="closing"), ACTIVE, by="cli:ann", reason="r")


def test_a_closed_account_is_not_opened_again_by_its_owners_token(
    client: firestore.Client, new_user: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token is good for an hour, also when its user has been deleted meanwhile."""
    monkeypatch.setenv("SIGNUP_CREDITS", "20")
    user_id = f"gone-{new_user(0)}"
    client.document(closures.path(user_id)).set({"tombstone": closures.new_tombstone()})
    owner = Caller(uid=user_id, has_verified_email=True)
    with pytest.raises(UserNotFound):
        generation.create(order(user_id), owner)
    with pytest.raises(UserNotFound):
        get_user_credits(GetUserCredits(user_id=user_id), owner)
    assert not client.document(db.user(user_id)).get().exists
