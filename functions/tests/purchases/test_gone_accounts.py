"""Money for an account that is gone: kept in the books and alarmed, never lost, never reopening."""

from __future__ import annotations

from typing import Any

import pytest
from firebase_admin import auth
from support import shop as support
from support.shop import Shop

from imagegen import logger
from imagegen.credits import closures
from imagegen.purchases import booking, revenuecat, stripe

shop = pytest.fixture(support.shop)
Json = dict[str, Any]
TOMBSTONE = f"{closures.TOMBSTONE}{'0' * 32}"


@pytest.fixture
def alarms(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Json]]:
    """The errors that are logged."""
    logged: list[tuple[str, Json]] = []
    monkeypatch.setattr(logger, "error", lambda text, **fields: logged.append((text, fields)))
    return logged


def close(shop: Shop, user_id: str = "ann", **fields: Any) -> None:
    """Move the account to its tombstone, as a deletion does."""
    user = shop.document(f"users/{user_id}")
    entries = f"users/{user_id}/transactions/"
    for path, document in [*shop.store.documents.items()]:
        if path.startswith(entries):
            moved = f"users/{TOMBSTONE}/transactions/{path.removeprefix(entries)}"
            shop.store.put(moved, document.fields)
            shop.store.put(path, None)
    shop.store.put(f"users/{TOMBSTONE}", {**user, "status": "closed"})
    shop.store.put(f"users/{user_id}", None)
    closure = {"tombstone": TOMBSTONE, "status": "closed", **fields}
    shop.store.put(closures.path(user_id), closure)


def test_a_refund_of_a_missing_user_is_kept_and_alarmed(
    shop: Shop, alarms: list[tuple[str, Json]]
) -> None:
    session = shop.buy()
    shop.deliver()
    shop.store.put("users/ann", None)  # by hand: nothing says where the account went
    shop.world.refund(session["payment_intent"], 990)
    shop.deliver()
    purchase = shop.purchase()
    assert (purchase["status"], purchase["reversals"]["refundedAmount"]) == ("refunded", 990)
    assert "account of a purchase is gone" in [text for text, _ in alarms]
    assert "users/ann" not in shop.store.documents


def test_what_was_kept_is_taken_when_the_account_is_there_again(shop: Shop) -> None:
    session = shop.buy()
    shop.deliver()
    user = shop.document("users/ann")
    shop.store.put("users/ann", None)
    shop.world.refund(session["payment_intent"], 990)
    shop.deliver()
    shop.store.put("users/ann", user)
    (purchase_id,) = shop.purchases()
    booking.book_again(purchase_id)
    assert shop.balance() == 0


def test_a_refund_of_a_closed_account_is_taken_from_its_tombstone(
    shop: Shop, alarms: list[tuple[str, Json]]
) -> None:
    session = shop.buy()
    shop.deliver()
    close(shop)
    shop.world.refund(session["payment_intent"], 495)
    shop.deliver()
    assert shop.balance(TOMBSTONE) == 50
    assert shop.purchase()["userId"] == TOMBSTONE
    assert "purchase of a closed account" in [text for text, _ in alarms]
    assert "users/ann" not in shop.store.documents


def test_a_payment_of_a_closed_account_is_booked_to_its_tombstone(
    shop: Shop, alarms: list[tuple[str, Json]]
) -> None:
    shop.buy()
    close(shop)
    shop.auth_users.add("ann")  # its token, or its user in Authentication, may be left
    shop.deliver()
    assert shop.balance(TOMBSTONE) == 100
    assert shop.purchase()["userId"] == TOMBSTONE
    assert "users/ann" not in shop.store.documents
    assert [fields["userId"] for text, fields in alarms if "closed" in text] == [TOMBSTONE]


def test_a_payment_of_a_merged_account_goes_to_the_account_it_was_merged_into(shop: Shop) -> None:
    shop.buy()
    shop.store.put("users/eve", {"credits": 0})
    close(shop, mergedInto="eve")
    shop.deliver()
    assert shop.balance("eve") == 100


def test_an_account_that_goes_while_its_payment_is_booked_is_not_reopened(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.buy()
    commit = shop.store.commit
    closed: list[bool] = []

    def close_first(writes: Any, timeout_seconds: float) -> Any:
        if not closed:
            closed.append(True)
            close(shop)
        return commit(writes, timeout_seconds)

    events = shop.told()
    monkeypatch.setattr(shop.store, "commit", close_first)
    for event in events:
        stripe.handle(event)
    assert "users/ann" not in shop.store.documents
    assert shop.balance(TOMBSTONE) == 100


def test_an_unmatched_purchase_of_a_closed_account_stays_with_the_tombstone(shop: Shop) -> None:
    purchase_id = unmatched(shop)
    close(shop)
    shop.store.put("products/new", {"credits": 7, "kind": "purchase", "revenueCatProduct": "new"})
    assert booking.book_again(purchase_id).status == "paid"
    assert shop.balance(TOMBSTONE) == 7
    assert "users/ann" not in shop.store.documents


def test_an_operator_books_an_unmatched_purchase_to_somebody_else(shop: Shop) -> None:
    purchase_id = unmatched(shop)
    close(shop)
    shop.store.put("products/new", {"credits": 7, "kind": "purchase", "revenueCatProduct": "new"})
    shop.store.put("users/eve", {"credits": 0})
    assert booking.book_again(purchase_id, "eve").user_id == "eve"
    assert (shop.balance("eve"), shop.balance(TOMBSTONE)) == (7, 0)


def test_nobody_else_gets_it_when_the_operator_names_somebody_unknown(shop: Shop) -> None:
    purchase_id = unmatched(shop)
    shop.store.put("products/new", {"credits": 7, "kind": "purchase", "revenueCatProduct": "new"})
    assert booking.book_again(purchase_id, "nobody").reason == "no_user"
    assert shop.balance() == 0


def test_authentication_is_asked_once_and_only_about_users_without_a_document(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def get_user(uid: str, app: object = None) -> object:
        asked.append(uid)
        return uid

    monkeypatch.setattr(auth, "get_user", get_user)
    shop.buy()
    shop.deliver()
    assert asked == []
    revenuecat.handle(store_purchase("new-user", "com.example.imagegen.pack100"))
    assert asked == ["new-user"]
    assert shop.balance("new-user") == 100


def unmatched(shop: Shop) -> str:
    """A purchase of ann for a product that nobody knows yet; its id."""
    revenuecat.handle(store_purchase("ann", "new"))
    (purchase_id,) = shop.purchases()
    assert shop.purchase()["reason"] == "no_product"
    return purchase_id


def store_purchase(user_id: str, product: str) -> Json:
    return {
        "event": {
            "type": "NON_RENEWING_PURCHASE",
            "id": "e1",
            "app_user_id": user_id,
            "original_app_user_id": user_id,
            "aliases": [user_id],
            "product_id": product,
            "transaction_id": f"t-{user_id}",
            "store": "APP_STORE",
            "environment": "PRODUCTION",
            "period_type": "NORMAL",
            "price_in_purchased_currency": 9.9,
            "currency": "USD",
            "event_timestamp_ms": 1795000000000,
            "purchased_at_ms": 1795000000000,
            "expiration_at_ms": None,
        }
    }
