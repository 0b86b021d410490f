"""Merging accounts of which one owes credits: what the other has bought pays them at once."""

from __future__ import annotations

import pytest
from support import shop as support
from support.leaving import Queue
from support.shop import Shop

from imagegen.accounts import merge

shop = pytest.fixture(support.shop)


def owe(shop: Shop, user_id: str, credits: int) -> None:
    """Have the user spend `credits` of a pack that is refunded then."""
    session = shop.buy("pack-100", user_id)
    shop.deliver()
    shop.spend(credits, user_id)
    shop.world.refund(session["payment_intent"])
    shop.deliver()
    assert shop.document(f"users/{user_id}")["debt"] == credits


@pytest.fixture(params=["the one that closes", "the one that stays"])
def debtor(request: pytest.FixtureRequest, shop: Shop) -> str:
    shop.store.put("users/bob", {"credits": 0})
    return "ann" if request.param == "the one that closes" else "bob"


def test_what_the_other_has_bought_pays_the_debt(
    shop: Shop, account_queue: Queue, debtor: str
) -> None:
    owe(shop, debtor, 60)
    shop.buy("pack-100", "bob" if debtor == "ann" else "ann")
    shop.deliver()
    assert merge.merge("ann", "bob").balance == 40
    shop.spend(40, "bob")
    assert shop.balance("bob") == 0
    assert shop.document("users/bob")["debt"] == 0


def test_what_is_not_covered_stays_owed(shop: Shop, account_queue: Queue, debtor: str) -> None:
    owe(shop, debtor, 100)
    session = shop.buy("pack-100", "bob" if debtor == "ann" else "ann")
    shop.deliver()
    shop.spend(70, "bob" if debtor == "ann" else "ann")
    assert merge.merge("ann", "bob").balance == 0
    assert shop.balance("bob") == 0
    assert shop.document("users/bob")["debt"] == 70
    shop.world.refund(session["payment_intent"])
    shop.deliver()
    assert shop.balance("bob") == 0
    assert shop.document("users/bob")["debt"] == 170


def test_two_debts_are_added_up(shop: Shop, account_queue: Queue, debtor: str) -> None:
    owe(shop, "ann", 60)
    owe(shop, "bob", 30)
    merge.merge("ann", "bob")
    assert shop.balance("bob") == 0
    assert shop.document("users/bob")["debt"] == 90
