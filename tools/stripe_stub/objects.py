"""Stripe's objects as its API shows them, with the fields that are used here."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


def new_id(prefix: str) -> str:
    return f"{prefix}_{uuid.uuid4().hex[:24]}"


def now() -> int:
    return int(time.time())


def made(kind: str, prefix: str, **fields: Any) -> Json:
    """A new object; what every object has comes first."""
    identity = {"id": new_id(prefix), "object": kind, "created": now(), "livemode": False}
    return identity | fields


def listing(url: str, data: list[Json], *, has_more: bool = False) -> Json:
    return {"object": "list", "url": url, "has_more": has_more, "data": data}


def price(price_id: str, amount: int, interval: str | None) -> Json:
    return made(
        "price",
        "price",
        active=True,
        currency="usd",
        metadata={},
        product=f"prod_{price_id}",
        recurring=interval and {"interval": interval, "interval_count": 1},
        type="recurring" if interval else "one_time",
        unit_amount=amount,
    ) | {"id": price_id}


def customer(form: Mapping[str, Any]) -> Json:
    return made("customer", "cus", email=form.get("email"), metadata=form.get("metadata", {}))


def session(form: Mapping[str, Any], total: int, url: str) -> Json:
    it = made(
        "checkout.session",
        "cs_test",
        amount_total=total,
        cancel_url=form["cancel_url"],
        client_reference_id=form.get("client_reference_id"),
        currency="usd",
        customer=form.get("customer"),
        expires_at=now() + 86_400,
        invoice=None,
        metadata=form.get("metadata", {}),
        mode=form["mode"],
        payment_intent=None,
        payment_status="unpaid",
        status="open",
        subscription=None,
        success_url=form["success_url"],
    )
    return it | {"url": f"{url}/checkout/{it['id']}"}


def payment_intent(amount: int, customer_id: str | None, metadata: Json) -> Json:
    return made(
        "payment_intent",
        "pi",
        amount=amount,
        currency="usd",
        customer=customer_id,
        latest_charge=None,
        metadata=metadata,
        status="processing",
    )


def charge(intent: Json) -> Json:
    """The charge of a payment intent, which hands its metadata on."""
    return made(
        "charge",
        "ch",
        amount=intent["amount"],
        amount_captured=intent["amount"],
        amount_refunded=0,
        currency="usd",
        customer=intent["customer"],
        disputed=False,
        metadata=dict(intent["metadata"]),
        paid=True,
        payment_intent=intent["id"],
        refunded=False,
        status="succeeded",
    )


def refund(of: Json, amount: int) -> Json:
    """A refund: it has no `livemode`, and no metadata of its charge."""
    it = made(
        "refund",
        "re",
        amount=amount,
        charge=of["id"],
        currency="usd",
        metadata={},
        payment_intent=of["payment_intent"],
        reason=None,
        status="succeeded",
    )
    del it["livemode"]
    return it


def dispute(of: Json, status: str) -> Json:
    return made(
        "dispute",
        "du",
        amount=of["amount"] - of["amount_refunded"],
        charge=of["id"],
        currency="usd",
        is_charge_refundable=False,
        metadata={},
        payment_intent=of["payment_intent"],
        reason="fraudulent",
        status=status,
    )


def subscription(customer_id: str | None, of: Json, metadata: Json, start: int, end: int) -> Json:
    """A subscription to a price; its period is its items'."""
    it = made(
        "subscription",
        "sub",
        cancel_at=None,
        cancel_at_period_end=False,
        canceled_at=None,
        currency="usd",
        customer=customer_id,
        ended_at=None,
        latest_invoice=None,
        metadata=metadata,
        start_date=start,
        status="active",
    )
    item = {
        "id": new_id("si"),
        "object": "subscription_item",
        "created": start,
        "current_period_start": start,
        "current_period_end": end,
        "metadata": {},
        "price": of,
        "quantity": 1,
        "subscription": it["id"],
    }
    return it | {"items": listing("/v1/subscription_items", [item])}


def invoice_line(of: Json, sub: Json, start: int, end: int, **changes: Any) -> Json:
    """A line for one period; `changes` make a proration or another amount of it."""
    details = {
        "invoice_item": None,
        "proration": changes.pop("proration", False),
        "proration_details": None,
        "subscription": sub["id"],
        "subscription_item": sub["items"]["data"][0]["id"],
    }
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": of["unit_amount"],
        "currency": "usd",
        "description": of["id"],
        "livemode": False,
        "metadata": dict(sub["metadata"]),
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": details,
            "type": "subscription_item_details",
        },
        "period": {"start": start, "end": end},
        "pricing": {
            "price_details": {"price": of["id"], "product": of["product"]},
            "type": "price_details",
            "unit_amount_decimal": str(of["unit_amount"]),
        },
        "quantity": 1,
    } | changes


def invoice(sub: Json, lines: list[Json], start: int, reason: str) -> Json:
    """A paid invoice. Its own period is the past one; on the first it has no length."""
    total = sum(line["amount"] for line in lines)
    it = made(
        "invoice",
        "in",
        amount_due=total,
        amount_paid=total,
        amount_remaining=0,
        billing_reason=reason,
        currency="usd",
        customer=sub["customer"],
        metadata={},
        parent={
            "quote_details": None,
            "subscription_details": {
                "metadata": dict(sub["metadata"]),
                "subscription": sub["id"],
                "subscription_proration_date": None,
            },
            "type": "subscription_details",
        },
        period_start=start,
        period_end=start,
        status="paid",
        subtotal=total,
        total=total,
    )
    return it | {"lines": listing(f"/v1/invoices/{it['id']}/lines", lines)}


def invoice_payment(of: Json, intent: Json) -> Json:
    return made(
        "invoice_payment",
        "inpay",
        amount_paid=of["amount_paid"],
        amount_requested=of["amount_due"],
        currency="usd",
        invoice=of["id"],
        is_default=True,
        payment={"payment_intent": intent["id"], "type": "payment_intent"},
        status="paid",
        status_transitions={"canceled_at": None, "paid_at": now()},
    )


def event(kind: str, it: Json) -> Json:
    return made(
        "event",
        "evt",
        api_version="2026-10-28.endive",
        data={"object": it},
        pending_webhooks=1,
        request={"id": None, "idempotency_key": None},
        type=kind,
    )
