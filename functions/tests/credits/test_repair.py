"""Accounts whose balance is no balance become usable again, and the books are right."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from google.cloud import firestore
from support.accounts import bought, remaining, with_lots
from support.books import check_books, ledger_of
from support.orders import ANYBODY, order
from support.proxy import FirestoreProxy

from imagegen import db
from imagegen.credits.endpoints import GetUserCredits, get_user_credits
from imagegen.credits.repair import repair
from imagegen.errors import AccountUnusable, InvalidField, UserNotFound
from imagegen.generation import create as generation

REASON = "edited by hand"
OPERATOR = "cli:ann"
MALFORMED = [12.5, -3, "20", None, math.nan, 2**60, True, [20]]


@pytest.fixture
def spender(new_user: Callable[..., str]) -> str:
    """A user of 10 credits, 3 of which are spent."""
    user_id = new_user(10)
    for _ in range(3):
        generation.create(order(user_id), ANYBODY)
    return user_id


def edit(client: firestore.Client, user_id: str, **fields: Any) -> None:
    client.document(db.user(user_id)).update(fields)
    with pytest.raises(AccountUnusable):
        generation.create(order(user_id), ANYBODY)


@pytest.mark.parametrize("value", MALFORMED, ids=repr)
@pytest.mark.parametrize("field", ["credits", "ledgerSequence"])
def test_a_malformed_field_gets_the_value_that_the_ledger_says(
    client: firestore.Client, spender: str, field: str, value: Any
) -> None:
    edit(client, spender, **{field: value})
    repaired = repair(spender, reason=REASON, by=OPERATOR)
    assert list(repaired.malformed) == [field]
    assert (repaired.granted, repaired.balance) == (0, 7)
    assert check_books(client, spender, 10) == 7
    generation.create(order(spender), ANYBODY)
    assert check_books(client, spender, 10) == 6


def test_all_fields_are_mended_at_once_and_a_second_repair_changes_nothing(
    client: firestore.Client, spender: str
) -> None:
    edit(client, spender, credits=None, ledgerSequence="x", debt=-1)
    assert sorted(repair(spender, reason=REASON, by=OPERATOR).malformed) == [
        "credits",
        "debt",
        "ledgerSequence",
    ]
    assert check_books(client, spender, 10) == 7
    before = client.document(db.user(spender)).get()
    again = repair(spender, reason=REASON, by=OPERATOR, credits=9)
    assert (dict(again.malformed), again.granted, again.balance) == ({}, 0, 7)
    assert client.document(db.user(spender)).get().update_time == before.update_time


def test_what_the_user_should_have_beyond_the_ledger_is_granted_with_the_reason(
    client: firestore.Client, spender: str
) -> None:
    edit(client, spender, credits="12")
    repaired = repair(spender, reason=REASON, by=OPERATOR, credits=12)
    assert (repaired.granted, repaired.balance) == (5, 12)
    entry = ledger_of(client, spender)[-1]
    assert (entry["type"], entry["credits"], entry["reason"]) == ("grant", 5, REASON)
    assert check_books(client, spender, 10) == 12


def test_less_than_the_ledger_says_is_refused_and_nothing_changes(
    client: firestore.Client, spender: str
) -> None:
    edit(client, spender, credits="3")
    with pytest.raises(InvalidField) as refused:
        repair(spender, reason=REASON, by=OPERATOR, credits=3)
    (violation,) = refused.value.details["fieldViolations"]
    assert "balance by the ledger, which is 7" in violation["description"]
    user = client.document(db.user(spender)).get().to_dict() or {}
    assert user["credits"] == "3"


def test_an_account_without_entries_gets_what_the_operator_states(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    edit(client, user_id, credits="5 credits")
    with pytest.raises(InvalidField):
        repair(user_id, reason=REASON, by=OPERATOR)
    assert repair(user_id, reason=REASON, by=OPERATOR, credits=5).balance == 5
    assert check_books(client, user_id, opening=0) == 5
    assert remaining(client, user_id) == {"repair-1-grant": 5}


def test_bought_credits_stay_in_their_lot_and_debt_is_what_purchases_owe(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(8, **with_lots(bought("pack", 8)))
    generation.create(order(user_id), ANYBODY)
    for number, owed in enumerate((2, 3, 0)):
        purchase = {"userId": user_id, "credits": 9, "owed": owed}
        client.document(db.purchase(f"{user_id}-{number}")).set(purchase)
    edit(client, user_id, debt="a lot", credits=7.5)
    assert repair(user_id, reason=REASON, by=OPERATOR).balance == 7
    assert remaining(client, user_id) == {"pack": 7}
    user = client.document(db.user(user_id)).get().to_dict() or {}
    assert user["debt"] == 5
    assert get_user_credits(GetUserCredits(user_id=user_id), ANYBODY).current_credits == 7


def test_a_repair_whose_reply_is_lost_grants_once(
    client: firestore.Client, proxy: FirestoreProxy, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    edit(client, user_id, credits="5")
    proxy.lose_reply_to_commit()
    repaired = repair(user_id, reason=REASON, by=OPERATOR, credits=5)
    assert (list(repaired.malformed), repaired.granted, repaired.balance) == (["credits"], 5, 5)
    assert len(ledger_of(client, user_id)) == 1


def test_a_repair_needs_a_user_and_a_reason(client: firestore.Client) -> None:
    with pytest.raises(UserNotFound):
        repair("nobody-at-all", reason=REASON, by=OPERATOR)
    with pytest.raises(ValueError, match="reason"):
        repair("nobody-at-all", reason=" ", by=OPERATOR)
