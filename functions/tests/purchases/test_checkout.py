"""Sending users to the checkout and to the portal."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from support import shop as support
from support.shop import APP, Shop

from imagegen.api.auth import Caller
from imagegen.credits import closures
from imagegen.errors import (
    CustomerNotFound,
    InvalidField,
    PaymentProviderUnavailable,
    ProductNotFound,
    UserNotFound,
)
from imagegen.purchases import checkout, stripe, stripe_api

shop = pytest.fixture(support.shop)


def test_a_checkout_is_a_pending_purchase_and_an_address(shop: Shop) -> None:
    url = checkout.session_url("ann", "pack-100", f"{APP}/ok", f"{APP}/no")
    session = shop.world.get(url.rpartition("/")[2])
    (purchase_id,) = shop.purchases()
    purchase = shop.purchase()
    assert (purchase["status"], purchase["stripeSession"]) == ("pending", session["id"])
    assert (session["mode"], session["metadata"]["purchaseId"]) == ("payment", purchase_id)
    assert (session["success_url"], session["cancel_url"]) == (f"{APP}/ok", f"{APP}/no")
    assert session["invoice"] is None


def test_a_subscriptions_checkout_makes_no_purchase(shop: Shop) -> None:
    session = shop.world.get(shop.checkout("monthly-200"))
    assert shop.purchases() == {}
    assert session["mode"] == "subscription"
    assert session["metadata"] == {"userId": "ann", "productId": "monthly-200"}


@pytest.mark.parametrize("product_id", ["no-such", "disabled", "apples", "broken"])
def test_only_products_on_offer_can_be_bought(shop: Shop, product_id: str) -> None:
    pack = shop.document("products/pack-100")
    shop.store.put("products/disabled", {**pack, "enabled": False})
    shop.store.put("products/apples", {**pack, "stripePrice": None})
    shop.store.put("products/broken", {**pack, "stripePrice": 7})
    with pytest.raises(ProductNotFound):
        shop.checkout(product_id)
    assert shop.purchases() == {}


def test_who_has_no_account_yet_can_buy_one_with_credits(shop: Shop) -> None:
    shop.auth_users.add("new")
    shop.world.pay(shop.checkout(user_id="new", caller=Caller(uid="new")))
    shop.deliver()
    assert shop.entries("new") == [("purchase", 100)]
    assert shop.balance("new") == 100


@pytest.mark.parametrize("caller", [None, Caller(uid=None), Caller(uid="ops", is_admin=True)])
def test_nobody_else_buys_for_who_has_no_account(shop: Shop, caller: Caller | None) -> None:
    with pytest.raises(UserNotFound):
        shop.checkout(user_id="nobody", caller=caller)


def test_an_account_that_was_closed_is_not_opened_by_a_checkout(shop: Shop) -> None:
    shop.store.put(closures.path("gone"), {"status": "closed", "tombstone": "deleted-1"})
    with pytest.raises(UserNotFound):
        shop.checkout(user_id="gone", caller=Caller(uid="gone"))


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com/ok",
        f"{APP}.evil.example.com/ok",
        f"{APP}@evil.example.com/ok",
        "https://user@app.example.com/ok",
        "http://app.example.com/ok",
        f"{APP}:8443/ok",
        "javascript:alert(1)",
        "//app.example.com",
        f"{APP}\\@evil.example.com",
        "http://[",  # what no parser takes
    ],
)
def test_the_browser_is_sent_back_to_our_own_origins_only(shop: Shop, url: str) -> None:
    for urls in ((url, f"{APP}/no"), (f"{APP}/ok", url)):
        with pytest.raises(InvalidField):
            checkout.session_url("ann", "pack-100", *urls)
    with pytest.raises(InvalidField):
        checkout.portal_url("ann", url)
    assert shop.purchases() == {}


def test_two_first_checkouts_at_once_make_one_customer(shop: Shop) -> None:
    with ThreadPoolExecutor(6) as pool:
        sessions = list(pool.map(lambda _: shop.checkout(), range(6)))
    assert len(shop.world.all("customer")) == 1
    assert len({shop.world.get(session)["customer"] for session in sessions}) == 1
    assert len(shop.purchases()) == 6


def test_who_does_not_see_yet_that_there_is_a_customer_gets_the_same_from_stripe(
    shop: Shop,
) -> None:
    first = shop.world.get(shop.checkout())["customer"]
    shop.store.put("stripeCustomers/ann", None)
    assert shop.world.get(shop.checkout())["customer"] == first
    assert len(shop.world.all("customer")) == 1


def test_a_failure_that_stripe_repeats_under_its_key_does_not_keep_the_user_from_paying(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = stripe_api.post

    def post_or_fail(path: str, form: Any, *, idempotency_key: str) -> Any:
        if idempotency_key == "customer-ann":
            raise stripe_api.StripeFailed
        return post(path, form, idempotency_key=idempotency_key)

    monkeypatch.setattr(stripe_api, "post", post_or_fail)
    customers = {shop.world.get(shop.checkout())["customer"] for _ in range(2)}
    assert customers == {shop.document("stripeCustomers/ann")["customer"]}


def test_a_customer_who_went_to_another_user_is_not_shared(shop: Shop) -> None:
    shop.checkout()
    moved = shop.document("stripeCustomers/ann")
    shop.store.put("stripeCustomers/ann", None)
    shop.store.put("stripeCustomers/bob", moved)
    shop.store.put(f"stripeLinks/{moved['customer']}", {"userId": "bob"})
    assert shop.world.get(shop.checkout())["customer"] != moved["customer"]
    assert shop.document("stripeCustomers/ann")["customer"] != moved["customer"]
    assert shop.document(f"stripeLinks/{moved['customer']}")["userId"] == "bob"


def test_a_customer_of_test_mode_is_not_used_with_real_money(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.checkout()
    shop.store.put("stripeCustomers/ann", {"customer": "cus_test", "isLive": False})
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_live_x")
    with pytest.raises(CustomerNotFound):
        checkout.portal_url("ann", APP)
    shop.checkout()
    stored = shop.document("stripeCustomers/ann")
    assert stored["isLive"] is True
    assert stored["customer"] != "cus_test"


def test_the_portal_opens_for_the_stored_customer_only(shop: Shop) -> None:
    with pytest.raises(CustomerNotFound):
        checkout.portal_url("ann", f"{APP}/credits")
    session = shop.world.get(shop.checkout())
    url = checkout.portal_url("ann", f"{APP}/credits")
    portal = shop.world.get(url.rpartition("/")[2])
    assert (portal["customer"], portal["return_url"]) == (session["customer"], f"{APP}/credits")


@pytest.mark.parametrize(("product", "credits"), [("pack-100", 100), ("monthly-200", 200)])
def test_in_place_of_a_customer_that_was_deleted_at_stripe_a_new_one_is_made(
    shop: Shop, product: str, credits: int
) -> None:
    shop.checkout()
    deleted = shop.document("stripeCustomers/ann")["customer"]
    del shop.world.objects[deleted]
    with pytest.raises(CustomerNotFound):
        checkout.portal_url("ann", f"{APP}/back")
    with ThreadPoolExecutor(4) as pool:
        sessions = [*pool.map(lambda _: shop.world.get(shop.checkout(product)), range(4))]
    (customer,) = {each["customer"] for each in sessions}
    assert customer != deleted
    assert shop.document("stripeCustomers/ann")["customer"] == customer
    assert shop.document(f"stripeLinks/{customer}")["userId"] == "ann"
    assert checkout.portal_url("ann", f"{APP}/back")
    shop.world.pay(sessions[0]["id"])
    shop.deliver()
    assert shop.balance() == credits


def test_a_checkout_that_stripe_cannot_make_ends_its_purchase_and_a_new_one_can_be_made(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.checkout()  # so that there is a customer
    with monkeypatch.context() as offline:
        offline.setenv("STRIPE_API_BASE", "http://127.0.0.1:1")
        with pytest.raises(PaymentProviderUnavailable):
            shop.checkout()
    statuses = sorted(purchase["status"] for purchase in shop.purchases().values())
    assert statuses == ["failed", "pending"]
    shop.buy()
    shop.deliver()
    assert shop.balance() == 100


def test_a_purchase_that_seemed_to_fail_is_booked_if_its_money_comes_after_all(
    shop: Shop,
) -> None:
    session = shop.buy()
    path = f"purchases/{session['metadata']['purchaseId']}"
    shop.store.put(path, {**shop.document(path), "status": "failed"})
    shop.deliver()
    assert (shop.purchase()["status"], shop.balance()) == ("paid", 100)


class Answering(httpx.BaseTransport):
    """Answers as it is told, and keeps what it was asked."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = [*answers]
        self.keys: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.keys.append(request.headers["Idempotency-Key"])
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer, json={"id": "x", "error": {"code": "c", "type": "t"}})


def through(transport: httpx.BaseTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    client = httpx.Client(transport=transport)
    monkeypatch.setattr(stripe_api, "PAUSES_SECONDS", (0, 0))
    monkeypatch.setattr(stripe_api, "_client", lambda: client)


@pytest.mark.parametrize("first", [httpx.ReadTimeout("lost"), httpx.ConnectError("none"), 409])
def test_a_lost_connection_or_a_key_in_use_is_tried_again_under_the_same_key(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, first: int | Exception
) -> None:
    transport = Answering(first, first, 200)
    through(transport, monkeypatch)
    assert stripe_api.post("/v1/customers", {}, idempotency_key="k")["id"] == "x"
    assert transport.keys == ["k"] * 3


@pytest.mark.parametrize(
    "answers", [[409] * 3, [httpx.ReadTimeout("lost")] * 3, [429], [500], [503]]
)
def test_a_failure_that_may_pass_is_told_as_one_and_a_failed_key_is_not_used_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, answers: list[int | Exception]
) -> None:
    transport = Answering(*answers)
    through(transport, monkeypatch)
    with pytest.raises(PaymentProviderUnavailable):
        stripe_api.post("/v1/customers", {}, idempotency_key="k")
    assert transport.answers == []


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_carries_stripes_code(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    through(Answering(status), monkeypatch)
    with pytest.raises(stripe_api.StripeRefused, match=f"{status} c"):
        stripe_api.post("/v1/customers", {}, idempotency_key="k")


def test_an_event_before_the_checkout_has_returned_is_not_overwritten(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to our request may be slower than the customer and the webhook."""
    post = stripe_api.post

    def slow(path: str, form: Any, *, idempotency_key: str) -> Any:
        made = post(path, form, idempotency_key=idempotency_key)
        if path == checkout.SESSIONS:
            shop.world.pay(made["id"])
            shop.deliver()
        return made

    monkeypatch.setattr(stripe_api, "post", slow)
    shop.checkout()
    assert (shop.purchase()["status"], shop.balance()) == ("paid", 100)
    assert stripe.handle(shop.stub.delivery.sent[-1]) == "paid"


def test_a_checkout_whose_answer_is_lost_does_not_end_a_purchase_that_is_paid(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.checkout()
    post = stripe_api.post

    def lost(path: str, form: Any, *, idempotency_key: str) -> Any:
        shop.world.pay(post(path, form, idempotency_key=idempotency_key)["id"])
        shop.deliver()
        raise PaymentProviderUnavailable

    monkeypatch.setattr(stripe_api, "post", lost)
    with pytest.raises(PaymentProviderUnavailable):
        shop.checkout()
    statuses = sorted(purchase["status"] for purchase in shop.purchases().values())
    assert (statuses, shop.balance()) == (["paid", "pending"], 100)
