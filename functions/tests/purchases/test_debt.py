"""Nobody has both, paid credits and debt: whatever comes into paid lots pays what is owed."""

from __future__ import annotations

import pytest
from support import shop as support
from support.shop import Shop

from imagegen import clock, db
from imagegen.credits import ledger
from imagegen.credits.lots import Lots

shop = pytest.fixture(support.shop)


def paid(shop: Shop) -> str:
    """The payment intent of a pack of 100 that has come in."""
    session = shop.buy()
    shop.deliver()
    return str(session["payment_intent"])


def debt(shop: Shop) -> int:
    shop.balance()  # checks the debt against the purchases
    return int(shop.document("users/ann").get("debt", 0))


def test_credits_that_a_won_dispute_gives_back_pay_what_another_purchase_owes(shop: Shop) -> None:
    first, second = paid(shop), paid(shop)
    dispute = shop.world.dispute(first)
    shop.deliver()
    shop.spend(60)
    shop.world.refund(second)
    shop.deliver()
    assert (shop.balance(), debt(shop)) == (0, 60)
    shop.world.close_dispute(dispute["id"], won=True)
    shop.deliver()
    assert (shop.balance(), debt(shop)) == (40, 0)
    assert shop.entries()[-2:] == [("reinstatement", 100), ("clawback", -60)]
    shop.spend(40)


def test_credits_that_a_failed_generation_gives_back_pay_what_another_purchase_owes(
    shop: Shop,
) -> None:
    paid(shop)
    second, moment = paid(shop), clock.now()
    parts: Lots = ()

    def charge(transaction: db.Transaction) -> None:
        nonlocal parts
        parts = ledger.deduct(transaction, "ann", "request", 100, moment)

    def fail(transaction: db.Transaction) -> None:
        ledger.refund(
            transaction,
            "ann",
            "request",
            100,
            moment,
            charged_at=moment,
            reason="BUSY",
            parts=parts,
        )

    db.transact(charge, db.user("ann"))
    shop.spend(70)
    shop.world.refund(second)
    shop.deliver()
    assert (shop.balance(), debt(shop)) == (0, 70)
    db.transact(fail, db.user("ann"))
    assert (shop.balance(), debt(shop)) == (30, 0)
    assert shop.entries()[-2:] == [("refund", 100), ("clawback", -70)]
