"""Genuine and damaged events in any order, some twice: no more is booked than was paid for.

Each example begins with an empty shop. What may be booked is read from the events that were sent,
by a second, simpler reading.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stripe_stub.prices import PRODUCTS
from support import shop as support
from support.examples import EXAMPLES
from support.shop import Shop
from test_revenuecat import cancellation, pack
from test_stripe_events import NEWER, OLDER, event
from test_webhook_fuzz import (
    CHARGE,
    DOCUMENTED,
    ODD_VALUES,
    REVERSAL,
    SECRET,
    SESSION,
    Call,
    Json,
    damaged,
    of_our_product,
    paths,
    send,
)

shop = pytest.fixture(support.shop)
Sent = tuple[str, Json]


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("REVENUECAT_WEBHOOK_SECRET", SECRET)


def empty(shop: Shop) -> None:
    """Have nothing sold yet."""
    shop.store.documents.clear()
    for path, fields in PRODUCTS.items():
        shop.store.put(path, fields)
    shop.store.put("users/ann", {"credits": 0})


def session(number: int, **changes: Any) -> Json:
    names = {"userId": "ann", "productId": "pack-100"}
    ids = {"id": f"cs_{number}", "payment_intent": f"pi_{number}", "metadata": names}
    return SESSION | ids | changes


def of_stripe(number: int) -> list[Json]:
    """What Stripe may send about the payment `number`."""
    reversal = REVERSAL | {"payment_intent": f"pi_{number}"}
    invoice = of_our_product(OLDER | {"id": f"in_{number}", "payment_intent": f"pi_in_{number}"})
    told = [
        ("checkout.session.completed", session(number)),
        ("checkout.session.completed", session(number, payment_status="unpaid")),
        ("checkout.session.async_payment_succeeded", session(number)),
        ("checkout.session.async_payment_failed", session(number, payment_status="unpaid")),
        ("checkout.session.completed", session(number, mode="subscription")),
        ("invoice.paid", invoice),
        ("invoice.payment_succeeded", of_our_product(NEWER | {"id": f"in_{number}"})),
        ("charge.refunded", CHARGE | {"payment_intent": f"pi_{number}"}),
        ("charge.refunded", CHARGE | {"payment_intent": f"pi_in_{number}"}),
        ("refund.created", reversal | {"status": "pending", "amount": 300}),
        ("refund.failed", reversal | {"status": "failed", "amount": 300}),
        ("charge.dispute.created", reversal | {"id": "dp_1", "status": "needs_response"}),
        ("charge.dispute.closed", reversal | {"id": "dp_1", "status": "won"}),
    ]
    return [{"livemode": False} | event(kind, it) for kind, it in told]


EVENTS: list[Sent] = [
    *(("stripeWebhook", each) for number in (1, 2) for each in of_stripe(number)),
    *(("revenueCatWebhook", pack(transaction_id=each)) for each in ("1", "2")),
    *(("revenueCatWebhook", cancellation(transaction_id=each)) for each in ("1", "2")),
]


@st.composite
def some_events(draw: st.DrawFn) -> list[Sent]:
    """Events in any order, some twice, some with one or two values that are others or missing."""
    sent = []
    for function, whole in draw(st.lists(st.sampled_from(EVENTS), min_size=1, max_size=8)):
        it = copy.deepcopy(whole)
        for _ in range(draw(st.sampled_from((0, 0, 0, 1, 2)))):
            it = damaged(it, draw(st.sampled_from(list(paths(it)))), draw(ODD_VALUES))
        sent += [(function, it)] * draw(st.sampled_from((1, 1, 2)))
    return sent


def may_be_booked(sent: list[Sent]) -> dict[str, int]:
    """By purchase: the credits that its payment buys, as far as these events tell of one."""
    found: dict[str, int] = {}
    for function, whole in sent:
        if function == "revenueCatWebhook":
            it = whole.get("event")
            if isinstance(it, dict):
                name = f"revenuecat-{str(it.get('store')).lower()}-{it.get('transaction_id')}"
                found[name] = max(found.get(name, 0), 200)
            continue
        it = (whole.get("data") or {}).get("object") if isinstance(whole.get("data"), dict) else {}
        it = it if isinstance(it, dict) else {}
        kind, name = str(whole.get("type")), f"stripe-{it.get('id')}"
        is_paid = kind.endswith("succeeded") or it.get("payment_status") != "unpaid"
        if kind.startswith("checkout.") and it.get("mode") == "payment" and is_paid:
            found[name] = max(found.get(name, 0), 100)
        if kind.startswith("invoice."):
            found[name] = max(found.get(name, 0), 200 * quantity(it))
    return found


def quantity(invoice: Json) -> int:
    lines = (invoice.get("lines") or {}).get("data") or [{}]
    return int(lines[0].get("quantity") or 1) if isinstance(lines[0], dict) else 0


@settings(
    max_examples=2 * EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(sent=some_events())
def test_whatever_arrives_books_each_payment_at_most_once_and_no_more_than_it_buys(
    call: Call, shop: Shop, sent: list[Sent]
) -> None:
    empty(shop)
    taken = []
    for each in sent:
        answer = send(call, *each)
        if answer.status_code == 200:
            taken.append(each)
            continue
        reason = answer.get_json()["error"]["details"]["reason"]
        assert (answer.status_code, reason) in DOCUMENTED
    allowed = may_be_booked(taken)
    for path, document in shop.store.documents.items():
        if "/transactions/" in path and document["type"] == "purchase":
            purchase_id = document.id.removesuffix("-purchase")
            assert document["credits"] <= allowed[purchase_id]
            assert shop.document(f"purchases/{purchase_id}")["credits"] == document["credits"]
    shop.balance()  # checks it against entries, lots, debt, and clawbacks against what was bought


# All that happens to one pack: it is paid for, refunded in parts, and disputed.
OF_ONE_PACK = [
    each for each in of_stripe(1) if "pi_1" in str(each) and "subscription" not in str(each)
]


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(sent=st.lists(st.sampled_from(OF_ONE_PACK), min_size=2, max_size=6), random=st.randoms())
def test_genuine_events_lead_to_the_same_purchase_in_any_order_and_however_often(
    call: Call, shop: Shop, sent: list[Json], random: Any
) -> None:
    sent = [OF_ONE_PACK[0], *sent]
    results = []
    for _ in range(2):
        empty(shop)
        for each in sent:
            assert send(call, "stripeWebhook", each).status_code == 200
        purchase = shop.document("purchases/stripe-cs_1")
        taken = purchase.get("clawedBack", 0) + purchase.get("owed", 0)
        results.append((purchase["status"], purchase["credits"], taken, shop.balance()))
        sent = sent + random.sample(sent, k=len(sent) // 2)
        random.shuffle(sent)
    assert results[0] == results[1]
