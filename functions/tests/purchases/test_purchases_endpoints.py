"""Purchases over HTTP: who may do what, and what a listing shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from support import shop as support
from support.orders import ANYBODY, now
from support.shop import APP, Shop

from imagegen.api.auth import Caller
from imagegen.errors import InvalidField, NotOwner
from imagegen.purchases.endpoints import (
    CreateCheckoutSession,
    CreatePortalSession,
    ListPurchases,
    create_checkout_session,
    create_portal_session,
    list_purchases,
)

shop = pytest.fixture(support.shop)
Call = Callable[..., Any]


def stored(shop: Shop, count: int, user_id: str = "ann") -> None:
    for number in range(count):
        fields = {
            "userId": user_id,
            "productId": "pack-100",
            "provider": "stripe",
            "status": "paid",
            "credits": 100,
            "amount": 990,
            "currency": "usd",
            "createdAt": now() - timedelta(minutes=number // 2),  # pairs share a moment
        }
        shop.store.put(f"purchases/{user_id}-{number:02d}", fields)


def test_a_checkout_answers_where_to_pay_and_a_portal_where_to_manage(
    call: Call, shop: Shop
) -> None:
    urls = {"successUrl": f"{APP}/ok", "cancelUrl": f"{APP}/no"}
    body = {"userId": "ann", "productId": "pack-100"} | urls
    answer = call("createCheckoutSession", json=body)
    assert answer.status_code == 200
    assert answer.get_json()["url"].startswith(f"{shop.stub.url}/checkout/cs_test_")
    answer = call("createPortalSession", json={"userId": "ann", "returnUrl": APP})
    assert answer.get_json()["url"].startswith(f"{shop.stub.url}/portal/bps_")


@pytest.mark.parametrize("url", ["", "app", "ftp://app.example.com", f"{APP}/a b", f"{APP}/\n"])
def test_a_return_url_is_a_url(call: Call, shop: Shop, url: str) -> None:
    assert call("createPortalSession", json={"userId": "ann", "returnUrl": url}).status_code == 400


def test_only_the_owner_and_an_admin_buy_and_list(shop: Shop) -> None:
    stranger = Caller(uid="stranger")
    buy = CreateCheckoutSession(
        user_id="ann", product_id="pack-100", success_url=APP, cancel_url=APP
    )
    with pytest.raises(NotOwner):
        create_checkout_session(buy, stranger)
    with pytest.raises(NotOwner):
        create_portal_session(CreatePortalSession(user_id="ann", return_url=APP), stranger)
    with pytest.raises(NotOwner):
        list_purchases(ListPurchases(user_id="ann"), stranger)
    assert shop.purchases() == {}
    for caller in (Caller(uid="ann"), Caller(uid="boss", is_admin=True)):
        assert create_checkout_session(buy, caller).url
        assert list_purchases(ListPurchases(user_id="ann"), caller).purchases


def test_a_purchase_is_shown_with_its_state(call: Call, shop: Shop) -> None:
    session = shop.buy()
    shop.deliver()
    shop.spend(80)
    shop.world.refund(session["payment_intent"], 495)
    shop.deliver()
    answer = call("listPurchases", "GET", query_string={"userId": "ann"})
    (purchase,) = answer.get_json()["purchases"]
    assert purchase.pop("createdAt").endswith("Z")
    assert purchase == {
        "purchaseId": session["metadata"]["purchaseId"],
        "productId": "pack-100",
        "provider": "stripe",
        "status": "partially_refunded",
        "credits": 100,
        "clawedBackCredits": 20,
        "owedCredits": 30,
        "amount": 990,
        "currency": "usd",
    }


@pytest.mark.parametrize("page_size", [1, 3, 7, 100])
def test_pages_lead_through_all_of_a_users_purchases_once_newest_first(
    shop: Shop, page_size: int
) -> None:
    stored(shop, 11)
    stored(shop, 3, "bob")
    found: list[str] = []
    token = None
    for _ in range(12):
        body = ListPurchases(user_id="ann", page_size=page_size, page_token=token)
        page = list_purchases(body, ANYBODY)
        found += [purchase.purchase_id for purchase in page.purchases]
        token = page.next_page_token
        if token is None:
            break
    assert sorted(found) == [f"ann-{number:02d}" for number in range(11)]
    assert [number // 2 for number in map(int, (each[-2:] for each in found))] == sorted(
        number // 2 for number in range(11)
    )


def test_a_page_token_is_good_for_its_user_only(shop: Shop) -> None:
    stored(shop, 3)
    token = list_purchases(ListPurchases(user_id="ann", page_size=1), ANYBODY).next_page_token
    with pytest.raises(InvalidField):
        list_purchases(ListPurchases(user_id="bob", page_token=token), ANYBODY)


def test_a_purchase_that_cannot_be_shown_does_not_hide_the_others(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    stored(shop, 3)
    shop.store.put("purchases/ann-01", {**shop.document("purchases/ann-01"), "status": "lost"})
    found = list_purchases(ListPurchases(user_id="ann"), ANYBODY).purchases
    assert [purchase.purchase_id for purchase in found] == ["ann-00", "ann-02"]
    assert "ann-01" in capsys.readouterr().err
