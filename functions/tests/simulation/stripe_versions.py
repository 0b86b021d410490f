"""Stripe's events as an endpoint gets them that was made with an earlier version of the API."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

Json = dict[str, Any]
NEWEST, BEFORE_BASIL, OLDEST = "2026-10-28.endive", "2024-06-20", "2020-08-27"


def as_sent(
    event: Json, version: str, payment_intent_of: Callable[[str], str | None]
) -> Json | None:
    """The event in the shape of `version`; None for a type that the version does not have.

    `payment_intent_of` says which payment intent has paid an invoice.
    """
    if version == NEWEST:
        return event
    event = deepcopy(event) | {"api_version": version}
    it, kind = event["data"]["object"], event["type"]
    event["id"] += "_old"  # another endpoint, another event
    if kind == "invoice_payment.paid":
        return None
    if it["object"] == "invoice":
        event["data"]["object"] = _invoice(it, payment_intent_of(it["id"]))
    if it["object"] == "subscription":
        it["current_period_end"] = it["items"]["data"][0].pop("current_period_end")
    if version == OLDEST and it["object"] == "refund":
        if kind == "refund.created":
            return None  # told by `charge.refunded`, which holds the refunds
        event["type"] = "charge.refund.updated"
    return event


def with_refunds(event: Json, refunds_of: Callable[[str], list[Json]]) -> Json:
    """A charge's event as in the oldest version: with its refunds, as they were then."""
    it = event["data"]["object"]
    it["refunds"] = {"object": "list", "data": deepcopy(refunds_of(it["id"])), "has_more": False}
    return event


def _invoice(it: Json, payment_intent: str | None) -> Json:
    details = it.pop("parent")["subscription_details"]
    it["lines"]["data"] = [_line(each) for each in it["lines"]["data"]]
    return it | {
        "paid": True,
        "payment_intent": payment_intent,
        "subscription": details["subscription"],
        "subscription_details": {"metadata": details["metadata"]},
    }


def _line(line: Json) -> Json:
    details = line.pop("parent")["subscription_item_details"]
    price = line.pop("pricing")["price_details"]["price"]
    return line | {
        "plan": {"id": price, "object": "plan"},
        "price": {"id": price, "object": "price"},
        "proration": details["proration"],
        "subscription": details["subscription"],
        "type": "subscription",
    }
