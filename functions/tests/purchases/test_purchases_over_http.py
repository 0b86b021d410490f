"""Buying on the emulators: the stand-in for Stripe sends its events to the deployed webhook."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from google.cloud import firestore
from stripe_stub import beside, delivery, objects
from stripe_stub.prices import PRICES
from stripe_stub.server import Stub
from support.books import check_books, ledger_of
from support.orders import order_body

Json = dict[str, Any]
SECRET = "whsec_emulator"
APP = "http://127.0.0.1:5000"


class Buyer:
    """A user, and the stand-in that sells to nobody else."""

    def __init__(
        self, user_id: str, stub: Stub, call: Callable[..., Any], deployed: httpx.Client
    ) -> None:
        self.user_id = user_id
        self.stub = stub
        self._call = call
        self.deployed = deployed

    def buy(self, product_id: str) -> Json:
        """Go to the checkout and press Pay there; what happens then is told to the webhook."""
        urls = {"successUrl": f"{APP}/ok", "cancelUrl": f"{APP}/no"}
        body = {"userId": self.user_id, "productId": product_id} | urls
        answer = self._call("createCheckoutSession", json=body)
        assert answer.status_code == 200, answer.get_json()
        page = answer.get_json()["url"]
        assert "Pay later" in httpx.get(page).text or "per period" in httpx.get(page).text
        paid = httpx.post(f"{page}/pay", follow_redirects=False)
        assert (paid.status_code, paid.headers["Location"]) == (303, f"{APP}/ok")
        self.stub.delivery.wait()
        return self.stub.world.get(page.rpartition("/")[2])

    def press(self, button: str) -> None:
        """Press a button of the stand-in's list of payments."""
        assert f"action='{button}'" in httpx.get(self.stub.url).text.replace("&amp;", "&")
        assert httpx.post(self.stub.url + button).status_code == 303
        self.stub.delivery.wait()

    def generate(self) -> httpx.Response:
        order = order_body(self.user_id, size="1024x1792")  # four credits
        return self.deployed.post("/createGenerationRequest", json=order)

    def credits(self) -> int:
        answer = self.deployed.get("/getUserCredits", params={"userId": self.user_id})
        found: int = answer.json()["currentCredits"]
        return found

    def purchases(self) -> list[tuple[str, int, int]]:
        answer = self.deployed.get("/listPurchases", params={"userId": self.user_id})
        return [
            (each["status"], each["clawedBackCredits"], each["owedCredits"])
            for each in answer.json()["purchases"]
        ]

    def send(self, event: Json) -> httpx.Response:
        """Deliver an event by hand."""
        body = json.dumps(event).encode()
        headers = {"Stripe-Signature": delivery.signature(body, SECRET)}
        return self.deployed.post("/stripeWebhook", content=body, headers=headers)


@pytest.fixture
def silent(
    call: Callable[..., Any],
    client: firestore.Client,
    deployed: httpx.Client,
    new_user: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Buyer]:
    """A buyer whose stand-in keeps its events for the test to deliver."""
    yield from buyer_with("", call, client, deployed, new_user, monkeypatch)


@pytest.fixture
def buyer(
    call: Callable[..., Any],
    client: firestore.Client,
    deployed: httpx.Client,
    new_user: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Buyer]:
    webhook = f"{deployed.base_url}stripeWebhook"
    yield from buyer_with(webhook, call, client, deployed, new_user, monkeypatch)


def buyer_with(
    webhook_url: str,
    call: Callable[..., Any],
    client: firestore.Client,
    deployed: httpx.Client,
    new_user: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Buyer]:
    beside.put_products(os.environ["FIRESTORE_EMULATOR_HOST"], os.environ["GCLOUD_PROJECT"])
    stub = Stub(PRICES, webhook_url=webhook_url, webhook_secret=SECRET).start()
    for name, value in {
        "PAYMENTS": "both",
        "STRIPE_API_BASE": stub.url,
        "STRIPE_SECRET_KEY": "sk_test_emulator",
        "CHECKOUT_ORIGINS": APP,
    }.items():
        monkeypatch.setenv(name, value)
    yield Buyer(new_user(0), stub, call, deployed)
    stub.stop()


def test_a_pack_is_bought_spent_half_refunded_disputed_and_won(
    buyer: Buyer, client: firestore.Client
) -> None:
    session = buyer.buy("pack-100")
    assert buyer.credits() == 100
    for _ in range(4):
        assert buyer.generate().status_code == 200
    assert buyer.credits() == 84
    payment = f"/payments/{session['payment_intent']}"
    buyer.press(f"{payment}/refund?amount=495")
    assert (buyer.credits(), buyer.purchases()) == (34, [("partially_refunded", 50, 0)])
    buyer.press(f"{payment}/dispute")
    assert (buyer.credits(), buyer.purchases()) == (0, [("disputed", 84, 16)])
    refused = buyer.generate()
    assert refused.status_code == 402
    assert refused.json()["error"]["details"]["reason"] == "OUTSTANDING_DEBT"
    (dispute,) = buyer.stub.world.all("dispute")
    buyer.press(f"/disputes/{dispute['id']}/win")
    assert (buyer.credits(), buyer.purchases()) == (34, [("partially_refunded", 50, 0)])
    assert buyer.generate().status_code == 200
    assert check_books(client, buyer.user_id, opening=0) == 30


def test_a_subscription_over_three_periods(buyer: Buyer, client: firestore.Client) -> None:
    subscription = buyer.buy("monthly-200")["subscription"]
    for _ in range(2):
        buyer.press(f"/subscriptions/{subscription}/renew")
    buyer.press(f"/subscriptions/{subscription}/cancel")
    entries = [(e["type"], e["delta"]) for e in ledger_of(client, buyer.user_id)]
    assert entries == [("purchase", 200)] * 3
    assert buyer.purchases() == [("paid", 0, 0)] * 3
    link = client.document(f"stripeLinks/{subscription}").get().to_dict() or {}
    assert link["status"] == "canceled"
    assert check_books(client, buyer.user_id, opening=0) == 600


@pytest.fixture
def monthly_600(client: firestore.Client) -> Iterator[str]:
    """The price of a larger subscription, which is a product for this test."""
    price, document = "price_monthly_600", client.document("products/monthly-600")
    document.set({"credits": 600, "kind": "subscription", "stripePrice": price, "enabled": False})
    time.sleep(1.5)  # longer than the instances cache the products
    yield price
    document.delete()


def test_an_upgrade_within_three_periods_gives_the_larger_allotment_from_the_next_one_on(
    buyer: Buyer, client: firestore.Client, monthly_600: str
) -> None:
    subscription_id = buyer.buy("monthly-200")["subscription"]
    upgrade(buyer, subscription_id, monthly_600)
    assert buyer.credits() == 200  # the difference was paid, and no period was bought with it
    for _ in range(2):
        buyer.press(f"/subscriptions/{subscription_id}/renew")
    entries = [(e["type"], e["delta"]) for e in ledger_of(client, buyer.user_id)]
    assert entries == [("purchase", 200), ("purchase", 600), ("purchase", 600)]
    assert buyer.purchases() == [("paid", 0, 0)] * 3
    query = {"userId": buyer.user_id, "view": "full"}
    lots = buyer.deployed.get("/getUserCredits", params=query).json()["lots"]
    assert {lot["kind"] for lot in lots} == {"subscription"}
    ends = sorted(lot["expiresAt"] for lot in lots)
    assert len(set(ends)) == 3  # each lot lasts as long as its own period
    assert check_books(client, buyer.user_id, opening=0) == 1400


def upgrade(buyer: Buyer, subscription_id: str, price_id: str) -> None:
    """Change the price within a period: Stripe bills what is left of it, line by line."""
    world = buyer.stub.world
    subscription, price = world.get(subscription_id), world.get(price_id)
    item, start = subscription["items"]["data"][0], objects.now()
    lines = [
        objects.invoice_line(
            each, subscription, start, item["current_period_end"], amount=amount, proration=True
        )
        for each, amount in ((item["price"], -1400), (price, 3300))
    ]
    item["price"] = price
    invoice = world.add(objects.invoice(subscription, lines, start, "subscription_update"))
    world.tell("customer.subscription.updated", subscription)
    world.tell("invoice.paid", invoice)
    buyer.stub.delivery.wait()


def test_deliveries_at_the_same_instant_book_once(silent: Buyer, client: firestore.Client) -> None:
    silent.buy("pack-100")
    events = silent.stub.delivery.sent
    (completed,) = [e for e in events if e["type"] == "checkout.session.completed"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(silent.send, [completed] * 8))
    assert [answer.status_code for answer in answers] == [200] * 8
    entries = [(e["type"], e["delta"]) for e in ledger_of(client, silent.user_id)]
    assert entries == [("purchase", 100)]


@pytest.mark.parametrize("seed", range(3))
def test_events_in_any_order_twice_and_at_once_come_to_the_same(
    silent: Buyer, client: firestore.Client, seed: int
) -> None:
    silent.buy("monthly-200")
    world, (intent,) = silent.stub.world, silent.stub.world.all("payment_intent")
    world.refund(intent["id"], 745)  # half
    events = silent.stub.delivery.sent * 2
    random.Random(seed).shuffle(events)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(silent.send, events))
    # The map from payments to purchases may come last; then Stripe would be asked, in vain here.
    again = [e for e, answer in zip(events, answers, strict=True) if answer.status_code >= 500]
    assert all(silent.send(event).status_code == 200 for event in again)
    assert silent.purchases() == [("partially_refunded", 100, 0)]
    assert check_books(client, silent.user_id, opening=0) == 100


def test_a_store_purchase_is_booked_and_refunded(buyer: Buyer, client: firestore.Client) -> None:
    event: Json = {
        "app_user_id": buyer.user_id,
        "environment": "PRODUCTION",
        "event_timestamp_ms": 1_658_726_378_679,
        "id": "evt",
        "product_id": "com.example.imagegen.pack100",
        "store": "APP_STORE",
        "transaction_id": buyer.user_id,
    }
    headers = {"Authorization": "revenuecat_emulator"}
    refund = {"type": "CANCELLATION", "cancel_reason": "CUSTOMER_SUPPORT"}
    for changes, credits in (({"type": "NON_RENEWING_PURCHASE"}, 100), (refund, 0)):
        sent = {"event": event | changes}
        for _ in range(2):
            answer = buyer.deployed.post("/revenueCatWebhook", json=sent, headers=headers)
            assert answer.status_code == 200
        assert buyer.credits() == credits
    assert check_books(client, buyer.user_id, opening=0) == 0
