"""What operators do to purchases: waivers of debt, and refunds that no store tells of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from google.api_core import exceptions
from support import shop as support
from support.shop import Shop

from imagegen import clock, db
from imagegen.errors import (
    IdempotencyKeyReused,
    InvalidField,
    PurchaseNotFound,
    PurchaseNotRefundable,
    UserNotFound,
)
from imagegen.purchases import listing, operators, revenuecat
from imagegen.purchases.operators import Waived

shop = pytest.fixture(support.shop)
STORE = "revenuecat-app_store-1"


def waive(credits: int, key: str = "ticket", *, user_id: str = "ann", reason: str = "sorry") -> Any:
    return operators.waive(user_id, credits, by="cli:test", key=key, reason=reason)


def refund(purchase_id: str = STORE, *, undo: bool = False) -> Any:
    return operators.refund(purchase_id, by="cli:test", reason="told by Apple", undo=undo)


def store_event(shop: Shop, kind: str = "RENEWAL", at_ms: int = 4_000_000_000_000) -> None:
    revenuecat.handle(
        {
            "event": {
                "type": kind,
                "app_user_id": "ann",
                "environment": "PRODUCTION",
                "store": "APP_STORE",
                "transaction_id": "1",
                "product_id": "com.example.imagegen.monthly200",
                "price_in_purchased_currency": 14.9,
                "currency": "USD",
                "event_timestamp_ms": at_ms,
                "expiration_at_ms": 4_100_000_000_000,
            }
        }
    )


def in_debt(shop: Shop, spent: int = 70) -> str:
    """Ann has bought 100 credits, spent some of them, and her money was paid back."""
    session = shop.buy()
    shop.deliver()
    shop.spend(spent)
    shop.world.refund(session["payment_intent"])
    shop.deliver()
    return next(reversed(shop.purchases()))


def state(shop: Shop, purchase_id: str) -> tuple[int, int, int, int]:
    """Taken back, owed and waived of a purchase, and the debt of ann; the books are checked."""
    shop.balance()
    purchase = shop.document(f"purchases/{purchase_id}")
    fields = [purchase.get(name, 0) for name in ("clawedBack", "owed", "waived")]
    debt: int = shop.document("users/ann").get("debt", 0)
    return fields[0], fields[1], fields[2], debt


def actions(shop: Shop) -> list[tuple[str, str]]:
    found = [d for path, d in shop.store.documents.items() if path.startswith("adminActions/")]
    return [(each["action"], each["by"]) for each in found]


def test_a_waiver_makes_the_debt_smaller_and_whole_it_lets_the_user_spend(shop: Shop) -> None:
    purchase_id = in_debt(shop)
    assert state(shop, purchase_id) == (30, 70, 0, 70)
    assert waive(20) == Waived(is_new=True, debt=50)
    assert state(shop, purchase_id) == (30, 50, 20, 50)
    assert waive(50, "another") == Waived(is_new=True, debt=0)
    assert state(shop, purchase_id) == (30, 0, 70, 0)
    shop.buy()
    shop.deliver()
    assert state(shop, purchase_id) == (30, 0, 70, 0)
    shop.spend(100)
    assert actions(shop) == [("waive", "cli:test")] * 2


def test_a_waiver_is_made_once_for_each_key(shop: Shop) -> None:
    purchase_id = in_debt(shop)
    for is_new in (True, False):
        assert waive(20) == Waived(is_new, 50)
    for other in ({"credits": 21}, {"credits": 20, "reason": "another"}):
        with pytest.raises(IdempotencyKeyReused):
            waive(**other)
    assert state(shop, purchase_id) == (30, 50, 20, 50)
    waive(50, "the rest")
    assert waive(20) == Waived(is_new=False, debt=0)  # also when nothing is owed any more


def test_a_waiver_whose_commit_was_answered_to_nobody_is_told_as_new(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_debt(shop)
    commit = shop.store.commit

    def lose_the_reply(*args: Any) -> Any:
        monkeypatch.setattr(shop.store, "commit", commit)
        commit(*args)
        raise exceptions.ServiceUnavailable("lost")

    monkeypatch.setattr(shop.store, "commit", lose_the_reply)
    assert waive(20) == Waived(is_new=True, debt=50)
    assert waive(20) == Waived(is_new=False, debt=50)


def test_a_debt_that_is_paid_while_it_is_waived_is_found_paid(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_debt(shop)
    query = db.query

    def pay_first(wanted: Any) -> Any:
        monkeypatch.setattr(db, "query", query)
        shop.buy()
        shop.deliver()
        return query(wanted)

    monkeypatch.setattr(db, "query", pay_first)
    with pytest.raises(InvalidField) as refused:
        waive(70)
    assert "more than the debt, which is 0" in str(refused.value.details)


def test_more_than_the_debt_cannot_be_waived(shop: Shop) -> None:
    purchase_id = in_debt(shop)
    with pytest.raises(InvalidField) as refused:
        waive(71)
    assert refused.value.details["fieldViolations"] == [
        {"field": "credits", "description": "are more than the debt, which is 70"}
    ]
    assert state(shop, purchase_id) == (30, 70, 0, 70)
    with pytest.raises(UserNotFound):
        waive(1, user_id="nobody")
    for bad in ({"credits": 0}, {"credits": 1, "reason": " "}, {"credits": 1, "key": ""}):
        with pytest.raises(ValueError, match="a waiver needs"):
            waive(**bad)


def test_a_waiver_covers_several_purchases(shop: Shop) -> None:
    first = in_debt(shop, 100)
    waive(90)
    second = in_debt(shop, 0)  # pays the ten that are left of the first
    assert (state(shop, first), state(shop, second)) == ((10, 0, 90, 10), (90, 10, 0, 10))
    assert waive(10, "rest").debt == 0
    assert state(shop, second) == (90, 0, 10, 0)


def test_money_that_comes_back_after_a_waiver_gives_back_only_what_was_taken(shop: Shop) -> None:
    session = shop.buy()
    shop.deliver()
    shop.spend(70)
    dispute = shop.world.dispute(session["payment_intent"])
    shop.deliver()
    (purchase_id,) = shop.purchases()
    waive(40)
    assert state(shop, purchase_id) == (30, 30, 40, 30)
    shop.world.close_dispute(dispute["id"], won=True)
    shop.deliver()
    assert state(shop, purchase_id) == (0, 0, 0, 0)
    assert shop.balance() == 30
    assert shop.purchase()["status"] == "reinstated"


def test_a_refund_that_no_store_tells_takes_the_credits_back_once(shop: Shop) -> None:
    store_event(shop)
    shop.spend(50)
    for _ in range(2):
        assert refund().status == "refunded"
    assert state(shop, STORE) == (150, 50, 0, 50)
    assert shop.entries()[-1] == ("clawback", -150)
    assert actions(shop) == [("refund", "cli:test")]


def test_the_store_may_tell_of_the_refund_or_of_its_end_later(shop: Shop) -> None:
    store_event(shop)
    refund()
    store_event(shop, "CANCELLATION")
    assert shop.purchase()["status"] == "refunded"
    assert shop.balance() == 0
    store_event(shop, "REFUND_REVERSED", at_ms=4_000_000_001_000)
    assert (shop.purchase()["status"], shop.balance()) == ("reinstated", 200)


def test_a_refund_can_be_undone(shop: Shop) -> None:
    store_event(shop)
    assert refund(undo=True).status == "paid"  # nothing to undo
    refund()
    for _ in range(2):
        assert refund(undo=True).status == "reinstated"
    assert state(shop, STORE) == (0, 0, 0, 0)
    assert shop.balance() == 200
    assert actions(shop) == [("refund", "cli:test"), ("undo refund", "cli:test")]


def test_a_refund_that_was_undone_can_be_noted_again_within_a_second(shop: Shop) -> None:
    store_event(shop)
    for _ in range(3):
        assert refund().status == "refunded"
        assert shop.balance() == 0
        assert refund(undo=True).status == "reinstated"
        assert shop.balance() == 200


def test_only_store_purchases_that_are_booked_can_be_noted_as_refunded(shop: Shop) -> None:
    with pytest.raises(PurchaseNotFound):
        refund("nothing")
    shop.buy()
    shop.deliver()
    (purchase_id,) = shop.purchases()
    with pytest.raises(PurchaseNotRefundable) as refused:
        refund(purchase_id)
    assert refused.value.details["provider"] == "stripe"
    shop.store.put(f"purchases/{STORE}", {"provider": "revenuecat", "status": "unmatched"})
    with pytest.raises(PurchaseNotRefundable):
        refund()
    with pytest.raises(ValueError, match="a reason"):
        operators.refund(STORE, by="cli:test", reason=" ")


def test_what_is_left_of_a_purchase_is_what_its_refund_takes_back(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = shop.buy("monthly-200")
    shop.deliver()
    (purchase_id,) = shop.purchases()
    shop.spend(50)
    later = clock.now() + timedelta(days=40)
    monkeypatch.setattr(clock, "now", lambda: later)
    shop.buy()
    shop.deliver()  # books the expiry, too
    before = listing.get(purchase_id)
    assert (before.credits, before.expired_credits) == (200, 150)
    intent = shop.world.all("invoice_payment", invoice=session["invoice"])[0]["payment"]
    shop.world.refund(intent["payment_intent"])
    shop.deliver()
    after = listing.get(purchase_id)
    assert after.clawed_back_credits == before.credits - before.expired_credits
    assert after.expired_credits == 150


def test_a_purchase_is_shown_with_everything_that_is_known(shop: Shop) -> None:
    purchase_id = in_debt(shop)
    shown = listing.get(purchase_id)
    assert (shown.user_id, shown.product_id, shown.owed_credits) == ("ann", "pack-100", 70)
    assert (shown.amount, shown.refunded_amount, shown.is_disputed) == (990, 990, False)
    assert set(shown.provider_ids) == {"session", "paymentIntent"}
    with pytest.raises(PurchaseNotFound):
        listing.get("nothing")
