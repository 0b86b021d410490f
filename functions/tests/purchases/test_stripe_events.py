"""Events of Stripe in the shapes before and after 2025-03-31 say the same."""

from __future__ import annotations

from typing import Any

import pytest

from imagegen.purchases.purchase import PurchaseStatus
from imagegen.purchases.reversals import Dispute, Refund, Reversals
from imagegen.purchases.stripe_events import fact
from imagegen.purchases.stripe_facts import (
    Invoice,
    InvoicePayment,
    Line,
    Reversal,
    Session,
    Subscription,
)

Json = dict[str, Any]
START, END = 1_760_000_000, 1_762_592_000


def event(kind: str, it: Json) -> Json:
    return {"id": "evt_1", "type": kind, "created": START, "data": {"object": it}}


NEWER_LINE: Json = {
    "id": "il_1",
    "object": "line_item",
    "amount": 1490,
    "metadata": {"userId": "ann"},
    "parent": {
        "type": "subscription_item_details",
        "subscription_item_details": {"proration": False, "subscription": "sub_1"},
    },
    "period": {"start": START, "end": END},
    "pricing": {
        "price_details": {"price": "price_1", "product": "prod_1"},
        "type": "price_details",
    },
    "quantity": 1,
}
NEWER: Json = {
    "id": "in_1",
    "object": "invoice",
    "currency": "usd",
    "customer": "cus_1",
    "lines": {"object": "list", "has_more": False, "data": [NEWER_LINE]},
    "parent": {
        "type": "subscription_details",
        "subscription_details": {"subscription": "sub_1", "metadata": {"userId": "ann"}},
    },
    "period_start": START,
    "period_end": START,
    "total": 1490,
}
OLDER_LINE: Json = {
    "id": "il_1",
    "object": "line_item",
    "amount": 1490,
    "metadata": {"userId": "ann"},
    "period": {"start": START, "end": END},
    "plan": {"id": "price_1", "object": "plan"},
    "price": {"id": "price_1", "object": "price"},
    "proration": False,
    "quantity": 1,
    "subscription": "sub_1",
    "type": "subscription",
}
OLDER: Json = {
    "id": "in_1",
    "object": "invoice",
    "charge": "ch_1",
    "currency": "usd",
    "customer": "cus_1",
    "lines": {"object": "list", "has_more": False, "data": [OLDER_LINE]},
    "paid": True,
    "payment_intent": "pi_1",
    "period_start": START,
    "period_end": START,
    "subscription": "sub_1",
    "subscription_details": {"metadata": {"userId": "ann"}},
    "total": 1490,
}


def invoice(it: Json) -> Invoice:
    found = fact(event("invoice.paid", it))
    assert isinstance(found, Invoice)
    return found


def with_line(it: Json, **changes: Any) -> Json:
    lines = it["lines"]
    return it | {"lines": lines | {"data": [lines["data"][0] | changes]}}


def test_both_shapes_of_an_invoice_say_the_same_except_for_its_payment() -> None:
    expected = Invoice(
        id="in_1",
        subscription="sub_1",
        customer="cus_1",
        payment_intent=None,
        user_id="ann",
        lines=[Line("price_1", 1, END)],
        has_more=False,
        amount=1490,
        currency="usd",
        at=START,
    )
    assert invoice(NEWER) == expected
    assert vars(invoice(OLDER)) == vars(expected) | {"payment_intent": "pi_1"}


def test_its_twin_is_the_same_invoice() -> None:
    assert fact(event("invoice.payment_succeeded", NEWER)) == invoice(NEWER)


def test_identifiers_may_be_whole_objects() -> None:
    details = {"subscription": {"id": "sub_1", "object": "subscription"}, "metadata": {}}
    expanded = NEWER | {
        "customer": {"id": "cus_1", "object": "customer"},
        "parent": {"subscription_details": details},
    }
    price = {"price_details": {"price": {"id": "price_1", "object": "price"}}}
    assert invoice(with_line(expanded, pricing=price)) == invoice(NEWER)


@pytest.mark.parametrize("shape", [NEWER, OLDER])
def test_the_user_is_found_in_the_lines_where_the_invoice_does_not_say(shape: Json) -> None:
    silent = shape | {"subscription_details": None}
    if shape is NEWER:
        details = {"subscription": "sub_1", "metadata": None}
        silent |= {"parent": {"subscription_details": details}}
    assert invoice(silent).user_id == "ann"


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 0},
        {"amount": -1490},
        {"pricing": None},
        {"pricing": {"type": "price_details"}},
        {"pricing": {"type": "price_details", "price_details": None}},
        {"parent": {"subscription_item_details": {"proration": True}}},
        {"parent": {"invoice_item_details": {"proration": True}}},
    ],
)
def test_lines_that_are_free_or_prorations_or_without_a_price_buy_nothing(changes: Json) -> None:
    assert invoice(with_line(NEWER, **changes)).lines == []


@pytest.mark.parametrize(
    "changes", [{"amount": 0}, {"proration": True}, {"price": None, "plan": None}]
)
def test_so_do_those_of_the_older_shape(changes: Json) -> None:
    assert invoice(with_line(OLDER, **changes)).lines == []


def test_the_price_of_an_older_line_may_be_its_plan() -> None:
    assert invoice(with_line(OLDER, price=None)) == invoice(OLDER)


SESSION: Json = {
    "id": "cs_1",
    "object": "checkout.session",
    "amount_total": 990,
    "client_reference_id": "ann",
    "currency": "usd",
    "customer": "cus_1",
    "metadata": {"userId": "ann", "productId": "pack", "purchaseId": "p1"},
    "mode": "payment",
    "payment_intent": "pi_1",
    "payment_status": "paid",
    "subscription": None,
}


@pytest.mark.parametrize(
    ("what", "payment_status", "status"),
    [
        ("completed", "paid", PurchaseStatus.PAID),
        ("completed", "no_payment_required", PurchaseStatus.PAID),
        ("completed", "unpaid", PurchaseStatus.PROCESSING),
        ("async_payment_succeeded", "paid", PurchaseStatus.PAID),
        ("async_payment_failed", "unpaid", PurchaseStatus.FAILED),
        ("expired", "unpaid", PurchaseStatus.EXPIRED),
    ],
)
def test_a_session_says_how_far_its_payment_has_come(
    what: str, payment_status: str, status: PurchaseStatus
) -> None:
    told = event(f"checkout.session.{what}", SESSION | {"payment_status": payment_status})
    assert fact(told) == Session(
        id="cs_1",
        is_payment=True,
        status=status,
        user_id="ann",
        product_id="pack",
        purchase_id="p1",
        payment_intent="pi_1",
        subscription=None,
        customer="cus_1",
        amount=990,
        currency="usd",
        at=START,
    )


@pytest.mark.parametrize("mode", ["subscription", "setup"])
def test_a_session_of_another_mode_pays_for_no_pack(mode: str) -> None:
    found = fact(event("checkout.session.completed", SESSION | {"mode": mode}))
    assert isinstance(found, Session)
    assert not found.is_payment


CHARGE: Json = {
    "id": "ch_1",
    "object": "charge",
    "amount_refunded": 500,
    "metadata": {"purchaseId": "p1"},
    "payment_intent": "pi_1",
}
REFUND: Json = {
    "id": "re_1",
    "object": "refund",
    "amount": 500,
    "charge": "ch_1",
    "payment_intent": "pi_1",
    "status": "succeeded",
}


def test_a_refunded_charge_tells_a_sum_and_its_purchase() -> None:
    expected = Reversal(Reversals(refunded_amount=500), "pi_1", "p1")
    assert fact(event("charge.refunded", CHARGE)) == expected


def test_before_2022_11_15_a_charge_tells_its_refunds_too() -> None:
    older = CHARGE | {"refunds": {"object": "list", "data": [REFUND]}}
    known = Reversals(500, {"re_1": Refund(500, "succeeded", START)})
    assert fact(event("charge.refunded", older)) == Reversal(known, "pi_1", "p1")


@pytest.mark.parametrize(
    "kind", ["refund.created", "refund.updated", "refund.failed", "charge.refund.updated"]
)
def test_all_events_of_a_refund_tell_its_state(kind: str) -> None:
    known = Reversals(refunds={"re_1": Refund(500, "succeeded", START)})
    assert fact(event(kind, REFUND)) == Reversal(known, "pi_1")


@pytest.mark.parametrize("what", ["created", "updated", "closed", "funds_reinstated"])
def test_the_events_of_a_dispute_tell_its_state(what: str) -> None:
    dispute = {"id": "du_1", "amount": 990, "status": "lost", "payment_intent": "pi_1"}
    known = Reversals(disputes={"du_1": Dispute(990, "lost", START)})
    assert fact(event(f"charge.dispute.{what}", dispute)) == Reversal(known, "pi_1")
    withdrawn = Reversals(disputes={"du_1": Dispute(990, "lost", START, withdrawn=True)})
    told = event("charge.dispute.funds_withdrawn", dispute)
    assert fact(told) == Reversal(withdrawn, "pi_1")


def test_a_charge_that_is_a_whole_object_names_the_purchase() -> None:
    found = fact(event("refund.created", REFUND | {"charge": CHARGE}))
    assert isinstance(found, Reversal)
    assert found.purchase_id == "p1"


@pytest.mark.parametrize(
    ("payment", "expected"),
    [
        ({"type": "payment_intent", "payment_intent": "pi_1"}, InvoicePayment("in_1", "pi_1")),
        ({"type": "charge", "charge": "ch_1"}, None),
    ],
)
def test_an_invoice_payment_links_an_invoice_and_a_payment_intent(
    payment: Json, expected: InvoicePayment | None
) -> None:
    told = event("invoice_payment.paid", {"id": "inpay_1", "invoice": "in_1", "payment": payment})
    assert fact(told) == expected


@pytest.mark.parametrize(
    "periods",
    [
        {"items": {"data": [{"current_period_end": END}]}},
        {"current_period_end": END, "items": {"data": [{"id": "si_1"}]}},
    ],
)
def test_the_period_of_a_subscription_is_its_items_or_in_older_shapes_its_own(
    periods: Json,
) -> None:
    it = {"id": "sub_1", "customer": "cus_1", "metadata": {"userId": "ann"}, "status": "active"}
    ending = it | periods | {"cancel_at_period_end": True}
    expected = Subscription("sub_1", "cus_1", "ann", "active", END, END, START)
    assert fact(event("customer.subscription.updated", ending)) == expected


@pytest.mark.parametrize(
    "kind", ["charge.succeeded", "invoice.created", "checkout.session.unheard_of", "new.kind"]
)
def test_other_types_say_nothing(kind: str) -> None:
    assert fact(event(kind, {})) is None


@pytest.mark.parametrize("kind", ["invoice.paid", "checkout.session.completed", "charge.refunded"])
def test_a_known_type_in_no_known_shape_is_an_error(kind: str) -> None:
    with pytest.raises(KeyError):
        fact(event(kind, {"id": "x"}))
