"""What RevenueCat's events do: which of them book, for whom, and what takes credits back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support import shop as support
from support.shop import Shop

from imagegen.purchases import revenuecat
from imagegen.purchases.booking import PERIOD_MARGIN
from imagegen.purchases.money import smallest_units

shop = pytest.fixture(support.shop)
Json = dict[str, Any]
END_MS = 4_100_000_000_000


@pytest.fixture(autouse=True)
def _only_revenuecat(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYMENTS", "revenuecat")


def event(**changes: Any) -> Json:
    """A purchase as RevenueCat's documentation shows it."""
    fields: Json = {
        "aliases": ["$RCAnonymousID:8069238d6049ce87cc529853916d624c"],
        "app_id": "1234567890",
        "app_user_id": "ann",
        "currency": "USD",
        "environment": "PRODUCTION",
        "event_timestamp_ms": 1_658_726_378_679,
        "expiration_at_ms": END_MS,
        "id": "12345678-1234-1234-1234-123456789012",
        "is_family_share": False,
        "original_app_user_id": "$RCAnonymousID:87c6049c58069238dce29853916d624c",
        "original_transaction_id": "123456789012345",
        "period_type": "NORMAL",
        "price": 14.9,
        "price_in_purchased_currency": 14.9,
        "product_id": "com.example.imagegen.monthly200",
        "purchased_at_ms": 1_658_726_374_000,
        "store": "APP_STORE",
        "transaction_id": "123456789012345",
        "type": "INITIAL_PURCHASE",
    }
    return {"api_version": "1.0", "event": fields | changes}


def pack(**changes: Any) -> Json:
    kind: Json = {"type": "NON_RENEWING_PURCHASE", "expiration_at_ms": None}
    return event(**kind | {"product_id": "com.example.imagegen.pack100"} | changes)


def cancellation(reason: str = "CUSTOMER_SUPPORT", **changes: Any) -> Json:
    return event(type="CANCELLATION", cancel_reason=reason, price=-14.9, **changes)


def test_a_purchase_brings_its_credits_until_a_margin_after_its_period(shop: Shop) -> None:
    assert revenuecat.handle(event()) == "paid"
    assert [*shop.purchases()] == ["revenuecat-app_store-123456789012345"]
    purchase = shop.purchase()
    assert (purchase["userId"], purchase["amount"], purchase["currency"]) == ("ann", 1490, "usd")
    (lot,) = shop.document("users/ann")["lots"].values()
    assert lot["expiresAt"] == datetime.fromtimestamp(END_MS // 1000, UTC) + PERIOD_MARGIN
    assert (lot["kind"], shop.balance()) == ("subscription", 200)


@pytest.mark.parametrize("ended_ms", [1_658_726_374_000, 1_758_726_374_000])
def test_a_period_that_is_told_when_it_is_over_still_brings_its_credits_for_a_while(
    shop: Shop, ended_ms: int
) -> None:
    assert revenuecat.handle(event(expiration_at_ms=ended_ms)) == "paid"
    (lot,) = shop.document("users/ann")["lots"].values()
    (entry,) = shop.store.read(["users/ann/transactions/" + lot["purchaseId"] + "-purchase"], 1)
    assert lot["expiresAt"] == entry["timestamp"] + timedelta(days=7)
    assert (shop.balance(), shop.entries()) == (200, [("purchase", 200)])


def test_a_refund_of_what_cost_nothing_takes_all_of_it_back(shop: Shop) -> None:
    revenuecat.handle(pack(price=0, price_in_purchased_currency=0))
    assert shop.balance() == 100
    revenuecat.handle(cancellation())
    assert (shop.purchase()["status"], shop.balance()) == ("refunded", 0)


def test_initial_purchases_renewals_and_packs_book_each_once(shop: Shop) -> None:
    events = [event(), event(type="RENEWAL", transaction_id="2"), pack(transaction_id="3")]
    for each in events * 2:
        assert revenuecat.handle(each) == "paid"
    assert shop.entries() == [("purchase", 200), ("purchase", 200), ("purchase", 100)]


def test_a_retry_under_another_id_is_the_same_purchase(shop: Shop) -> None:
    revenuecat.handle(event())
    revenuecat.handle(event(id="another"))
    assert shop.balance() == 200


def test_two_stores_may_use_the_same_transaction_id(shop: Shop) -> None:
    revenuecat.handle(event())
    revenuecat.handle(event(store="PLAY_STORE"))
    assert shop.balance() == 400


@pytest.mark.parametrize(
    "kind",
    [
        "TRANSFER",
        "SUBSCRIPTION_PAUSED",
        "PRODUCT_CHANGE",
        "UNCANCELLATION",
        "EXPIRATION",
        "SUBSCRIPTION_EXTENDED",
        "BILLING_ISSUE",
        "TEMPORARY_ENTITLEMENT_GRANT",
        "VIRTUAL_CURRENCY_TRANSACTION",
        "TEST",
        "SOMETHING_NEW",
    ],
)
def test_other_types_book_nothing(shop: Shop, kind: str) -> None:
    assert revenuecat.handle(event(type=kind)) == "ignored: type"
    assert (shop.balance(), shop.purchases()) == (0, {})


def test_a_transfer_that_names_nothing_is_taken(shop: Shop) -> None:
    sent = {"type": "TRANSFER", "id": "x", "transferred_from": ["a"], "transferred_to": ["b"]}
    assert revenuecat.handle({"event": sent}) == "ignored: type"


@pytest.mark.parametrize(
    "free",
    [
        {"period_type": "TRIAL"},
        {"period_type": "PROMOTIONAL"},
        {"store": "PROMOTIONAL"},
        {"is_family_share": True},
    ],
)
def test_what_nobody_paid_for_books_nothing(shop: Shop, free: Json) -> None:
    assert revenuecat.handle(event(**free)).startswith("ignored")
    assert (shop.balance(), shop.purchases()) == (0, {})


def test_an_introductory_price_is_a_price(shop: Shop) -> None:
    assert revenuecat.handle(event(period_type="INTRO")) == "paid"


def test_a_purchase_through_stripe_is_booked_by_stripes_own_events_if_there_are_any(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYMENTS", "both")
    assert revenuecat.handle(event(store="STRIPE")).startswith("ignored")
    assert shop.balance() == 0
    monkeypatch.setenv("PAYMENTS", "revenuecat")
    assert revenuecat.handle(event(store="STRIPE")) == "paid"


def test_sandbox_purchases_give_nothing_except_to_testers(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = event(environment="SANDBOX")
    assert revenuecat.handle(sandbox) == "ignored: sandbox"
    assert (shop.balance(), shop.purchases()) == (0, {})
    monkeypatch.setenv("ALLOW_SANDBOX", "reviewer, ann")
    assert revenuecat.handle(sandbox) == "paid"
    assert (shop.balance(), shop.purchase()["isTest"]) == (200, True)


ANONYMOUS = "$RCAnonymousID:1"


@pytest.mark.parametrize(
    ("ids", "owner"),
    [
        ({"app_user_id": "ann", "original_app_user_id": "bob"}, "ann"),
        ({"app_user_id": ANONYMOUS, "original_app_user_id": "bob"}, "bob"),
        (
            {"app_user_id": ANONYMOUS, "original_app_user_id": ANONYMOUS, "aliases": ["x", "bob"]},
            "bob",
        ),
        ({"app_user_id": "stranger", "original_app_user_id": "bob"}, None),
        ({"app_user_id": ANONYMOUS, "original_app_user_id": ANONYMOUS, "aliases": []}, None),
        (
            {"app_user_id": ANONYMOUS, "original_app_user_id": ANONYMOUS, "aliases": [ANONYMOUS]},
            None,
        ),
    ],
)
def test_a_purchase_belongs_to_whoever_is_signed_in_and_never_to_an_anonymous_id(
    shop: Shop, ids: Json, owner: str | None
) -> None:
    shop.auth_users.add("bob")
    assert revenuecat.handle(event(**ids)) == ("paid" if owner else "unmatched")
    if owner:
        assert shop.balance(owner) == 200
    else:
        assert shop.purchase()["reason"] == "no_user"


def test_a_refund_takes_the_whole_transaction_back_and_a_reversal_gives_it_back(
    shop: Shop,
) -> None:
    revenuecat.handle(event())
    for _ in range(2):
        assert revenuecat.handle(cancellation()) == "refunded"
    assert shop.entries() == [("purchase", 200), ("clawback", -200)]
    later = event(type="REFUND_REVERSED", event_timestamp_ms=1_658_726_999_000)
    for _ in range(2):
        assert revenuecat.handle(later) == "reinstated"
    revenuecat.handle(cancellation())  # late again
    assert shop.entries()[2:] == [("reinstatement", 200)]
    assert shop.balance() == 200


def test_a_refund_before_its_purchase_is_applied_with_it(shop: Shop) -> None:
    assert revenuecat.handle(cancellation()) == "unmatched"
    assert revenuecat.handle(event()) == "refunded"
    assert shop.entries() == [("purchase", 200), ("clawback", -200)]


@pytest.mark.parametrize("reason", ["UNSUBSCRIBE", "BILLING_ERROR", "PRICE_INCREASE", "UNKNOWN"])
def test_a_cancellation_for_another_reason_takes_nothing(shop: Shop, reason: str) -> None:
    revenuecat.handle(event())
    assert revenuecat.handle(cancellation(reason)) == "ignored: type"
    assert shop.balance() == 200


def test_a_transaction_id_with_slashes_is_one_document(shop: Shop) -> None:
    told = pack(store="AMAZON", transaction_id="q1Yq/VbJ/yjH=:1:11")
    assert revenuecat.handle(told) == "paid"
    revenuecat.handle(cancellation(**{k: told["event"][k] for k in ("store", "transaction_id")}))
    assert [*shop.purchases()] == ["revenuecat-amazon-q1Yq%2FVbJ%2FyjH=:1:11"]
    assert shop.entries() == [("purchase", 100), ("clawback", -100)]


@pytest.mark.parametrize("name", ["transaction_id", "store"])
@pytest.mark.parametrize("missing", [None, ""])
def test_what_names_no_store_or_transaction_is_no_purchase(
    shop: Shop, name: str, missing: str | None
) -> None:
    """Else all such purchases would be one, or the same one two."""
    change: Json = {name: missing}
    for each in (pack(**change), cancellation(**change)):
        with pytest.raises(ValueError, match="without a store or a transaction"):
            revenuecat.handle(each)
    assert (shop.balance(), shop.purchases()) == (0, {})


def test_an_unknown_product_is_kept_as_unmatched(shop: Shop) -> None:
    assert revenuecat.handle(event(product_id="unknown")) == "unmatched"
    assert (shop.purchase()["reason"], shop.purchase()["userId"]) == ("no_product", "ann")


@pytest.mark.parametrize(
    ("price", "currency", "units"),
    [(14.9, "usd", 1490), (0.1 + 0.2, "eur", 30), (500, "jpy", 500), (1.234, "kwd", 1234)],
)
def test_prices_are_kept_in_the_currencys_smallest_unit(
    price: float, currency: str, units: int
) -> None:
    assert smallest_units(price, currency) == units
