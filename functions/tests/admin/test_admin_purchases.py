"""Operators look at purchases, book what was unmatched, and waive debts."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from google.cloud import firestore
from support.admin_calls import actions_about
from support.books import check_books
from support.orders import now
from support.proxy import FirestoreProxy

from imagegen import db
from imagegen.catalogue import products
from imagegen.purchases import booking, reversing
from imagegen.purchases.items import Item
from imagegen.purchases.purchase import Provider
from imagegen.purchases.reversals import Refund, Reversals

Call = Callable[..., Any]
WHY = {"reason": "paid by a link"}
PRICE = "price_of_an_operators_test"


@pytest.fixture
def unmatched(client: firestore.Client) -> str:
    """The id of a purchase of nobody, for a product of 40 credits."""
    product = {"credits": 40, "kind": "purchase", "stripePrice": PRICE}
    client.document("products/of-an-operators-test").set(product)
    products.forget()
    return pay(now())


def pay(
    at: datetime,
    provider: Provider = Provider.STRIPE,
    item: Item = Item("stripe_price", PRICE),  # noqa: B008 - immutable
    user_id: str = "",
) -> str:
    payment = booking.Payment(
        purchase_id=f"p-{uuid.uuid4().hex}",
        provider=provider,
        named=[user_id] if user_id else [],
        items=[item],
        amount=990,
        currency="usd",
        at=at,
        is_test=True,
    )
    return booking.book(payment).id


def test_an_unmatched_purchase_is_found_and_booked_for_its_buyer_once(
    admin: Call, client: firestore.Client, new_user: Callable[..., str], unmatched: str
) -> None:
    user_id = new_user(5)
    listed = admin("GET", "/purchases?status=unmatched&pageSize=100")["purchases"]
    (found,) = [each for each in listed if each["purchaseId"] == unmatched]
    assert (found["userId"], found["reason"]) == ("", "no_user")
    for _ in range(2):
        booked = admin("POST", f"/purchases/{unmatched}/book", json={"userId": user_id} | WHY)
        assert (booked["status"], booked["userId"], booked["credits"]) == ("paid", user_id, 40)
    assert check_books(client, user_id, opening=5) == 45
    (action,) = actions_about(client, db.purchase(unmatched))
    assert (action["action"], action["userId"]) == ("book", user_id)
    assert admin("GET", f"/purchases/{unmatched}")["status"] == "paid"
    (owned,) = admin("GET", f"/purchases?userId={user_id}")["purchases"]
    assert owned["purchaseId"] == unmatched


def test_a_purchase_is_booked_for_users_only(
    admin: Call, client: firestore.Client, unmatched: str
) -> None:
    path = f"/purchases/{unmatched}/book"
    admin("POST", path, 404, json={"userId": "nobody-at-all"} | WHY)
    assert admin("POST", path, json=WHY)["status"] == "unmatched"
    assert actions_about(client, db.purchase(unmatched)) == []
    admin("POST", "/purchases/not-there/book", 404, json=WHY)
    admin("GET", "/purchases/not-there", 404)


def test_a_booking_whose_commit_was_answered_to_nobody_is_logged_once(
    admin: Call,
    client: firestore.Client,
    new_user: Callable[..., str],
    unmatched: str,
    proxy: FirestoreProxy,
) -> None:
    user_id = new_user(5)
    proxy.lose_reply_to_commit()
    admin("POST", f"/purchases/{unmatched}/book", json={"userId": user_id} | WHY)
    assert check_books(client, user_id, opening=5) == 45
    (action,) = actions_about(client, db.purchase(unmatched))
    assert (action["before"]["status"], action["after"]["status"]) == ("unmatched", "paid")
    assert (action["before"]["userId"], action["after"]["userId"]) == ("", user_id)


def test_another_buyer_of_a_purchase_that_stays_unmatched_is_logged(
    admin: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    first, second = new_user(5), new_user(5)
    purchase_id = pay(now(), item=Item("stripe_price", "price_of_nothing"), user_id=first)
    for _ in range(2):
        told = admin("POST", f"/purchases/{purchase_id}/book", json={"userId": second} | WHY)
        assert (told["status"], told["reason"], told["userId"]) == (
            "unmatched",
            "no_product",
            second,
        )
    (action,) = actions_about(client, db.purchase(purchase_id))
    assert (action["before"], action["after"]) == ({"userId": first}, {"userId": second})


def test_credits_that_are_taken_back_when_a_purchase_is_booked_again_are_logged(
    admin: Call, client: firestore.Client, new_user: Callable[..., str], unmatched: str
) -> None:
    user_id, path = new_user(5), f"/purchases/{unmatched}/book"
    admin("POST", path, json={"userId": user_id} | WHY)
    user = client.document(db.user(user_id))
    fields = user.get().to_dict() or {}
    user.delete()  # by hand, so the refund finds no account
    refund = Reversals(refunds={"r": Refund(None, "succeeded", 1)})
    reversing.reverse(unmatched, Provider.STRIPE, refund)
    user.set(fields)
    for _ in range(2):
        admin("POST", path, json={"reason": "the account is back"})
    assert check_books(client, user_id, opening=5) == 5
    logged = {each["reason"]: each for each in actions_about(client, db.purchase(unmatched))}
    assert logged.keys() == {WHY["reason"], "the account is back"}
    assert logged["the account is back"]["after"]["clawedBack"] == 40
    assert len(actions_about(client, db.purchase(unmatched))) == 2


def test_a_refund_of_stripe_is_not_noted_by_hand(
    admin: Call, new_user: Callable[..., str], unmatched: str
) -> None:
    admin("POST", f"/purchases/{unmatched}/book", json={"userId": new_user(5)} | WHY)
    refused = admin("POST", f"/purchases/{unmatched}/refund", 409, json=WHY)
    assert refused["error"]["details"]["reason"] == "PURCHASE_NOT_REFUNDABLE"


def test_a_refund_in_a_store_is_noted_and_undone(
    admin: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    client.document("products/of-a-store").set(
        {"credits": 40, "kind": "purchase", "revenueCatProduct": "com.example.forty"}
    )
    products.forget()
    purchase_id = pay(
        now(), Provider.REVENUECAT, Item("revenue_cat_product", "com.example.forty"), user_id
    )
    path = f"/purchases/{purchase_id}/refund"
    for _ in range(2):
        noted = admin("POST", path, json=WHY)
        assert (noted["status"], noted["clawedBackCredits"]) == ("refunded", 40)
    assert check_books(client, user_id, opening=5) == 5
    for _ in range(2):
        undone = admin("DELETE", f"{path}?reason=another+purchase")
        assert (undone["status"], undone["clawedBackCredits"]) == ("reinstated", 0)
    assert check_books(client, user_id, opening=5) == 45
    logged = {
        (each["action"], each["reason"]) for each in actions_about(client, db.purchase(purchase_id))
    }
    assert logged == {("refund", WHY["reason"]), ("undo refund", "another purchase")}
    admin("DELETE", path, 400)


def test_no_more_is_waived_than_is_owed(
    admin: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    body = {"credits": 3, "idempotencyKey": "k"} | WHY
    refused = admin("POST", f"/users/{user_id}/debtWaivers", 400, json=body)
    (violation,) = refused["error"]["details"]["fieldViolations"]
    assert violation["field"] == "credits"
    assert actions_about(client, db.user(user_id)) == []


def test_a_debt_is_waived_once_for_each_key(
    admin: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5, debt=4)
    purchase = {
        "userId": user_id,
        "provider": "stripe",
        "status": "refunded",
        "credits": 4,
        "amount": 400,
        "owed": 4,
        "createdAt": now(),
    }
    client.document(db.purchase(f"p-{uuid.uuid4().hex}")).set(purchase)
    body = {"credits": 3, "idempotencyKey": "ticket-1"} | WHY
    first = admin("POST", f"/users/{user_id}/debtWaivers", json=body)
    again = admin("POST", f"/users/{user_id}/debtWaivers", json=body)
    assert (first, again) == ({"isNew": True, "debt": 1}, {"isNew": False, "debt": 1})
    assert len(actions_about(client, db.user(user_id))) == 1
