"""What Stripe's events say, as small facts: pure functions over JSON.

An endpoint keeps the API version it was made with, so two shapes keep coming: before and after
2025-03-31, when invoices lost `subscription` and `payment_intent` and their lines `price` and
`proration`. Which one it is is read from the keys. Identifiers may be strings or whole objects.
https://docs.stripe.com/changelog/basil
"""

from collections.abc import Mapping, Sequence
from typing import Any

from imagegen.purchases.purchase import PurchaseStatus
from imagegen.purchases.reversals import Dispute, Refund, Reversals
from imagegen.purchases.stripe_facts import (
    Fact,
    Invoice,
    InvoicePayment,
    Line,
    Reversal,
    Session,
    Subscription,
)

Json = Mapping[str, Any]


def fact(event: Json) -> Fact | None:
    """What an event says that concerns us; None for types that do not.

    Raises KeyError, TypeError or ValueError when it lacks what its type always has.
    """
    kind, it, at = event["type"], event["data"]["object"], event["created"]
    match kind.split("."):
        case ["checkout", "session", what]:
            found: Fact | None = _session(it, what, at)
        case ["invoice", "paid" | "payment_succeeded"]:
            found = _invoice(it, at)
        case ["invoice_payment", "paid"]:
            found = payment_of_invoice(it)
        case ["charge", "refunded"]:
            found = _refunded_charge(it, at)
        case ["refund", _] | ["charge", "refund", "updated"]:
            found = _refund(it, at)
        case ["charge", "dispute", what]:
            found = _dispute(it, at, withdrawn=what == "funds_withdrawn")
        case ["customer", "subscription", _]:
            found = _subscription(it, at)
        case _:
            found = None
    return found


def lines_of(lines: Sequence[Json]) -> list[Line]:
    """The lines that are paid for in full; prorations and what cost nothing are left out."""
    return [
        Line(price, _quantity(each), each["period"]["end"])
        for each in lines
        if each["amount"] > 0 and not _is_proration(each) and (price := _price(each))
    ]


def payment_of_invoice(it: Json) -> InvoicePayment | None:
    """Which payment intent paid an invoice, if it was one."""
    invoice, payment_intent = _id(it["invoice"]), _id(it["payment"].get("payment_intent"))
    return InvoicePayment(invoice, payment_intent) if invoice and payment_intent else None


def purchase_named(it: Json) -> str:
    """The purchase that the metadata of an object names; empty if it names none."""
    return str(_metadata(it).get("purchaseId") or "")


_ENDINGS = {
    "expired": PurchaseStatus.EXPIRED,
    "async_payment_failed": PurchaseStatus.FAILED,
    "async_payment_succeeded": PurchaseStatus.PAID,
}


def _session(it: Json, what: str, at: int) -> Session | None:
    if what != "completed" and what not in _ENDINGS:
        return None
    # 100 % off is `no_payment_required`, and no later event says that it was paid.
    paid = PurchaseStatus.PROCESSING if it["payment_status"] == "unpaid" else PurchaseStatus.PAID
    metadata = _metadata(it)
    return Session(
        id=it["id"],
        is_payment=it["mode"] == "payment",
        status=_ENDINGS.get(what, paid),
        user_id=metadata.get("userId") or it.get("client_reference_id") or "",
        product_id=metadata.get("productId", ""),
        purchase_id=purchase_named(it),
        payment_intent=_id(it.get("payment_intent")),
        subscription=_id(it.get("subscription")),
        customer=_id(it.get("customer")),
        amount=it.get("amount_total") or 0,
        currency=it.get("currency") or "",
        at=at,
    )


def _invoice(it: Json, at: int) -> Invoice:
    details = (it.get("parent") or {}).get("subscription_details") or {}
    older = it.get("subscription_details") or {}
    lines = it["lines"]["data"]
    named = [_metadata(details), _metadata(older), *map(_metadata, lines)]
    return Invoice(
        id=it["id"],
        subscription=_id(details.get("subscription")) or _id(it.get("subscription")),
        customer=_id(it.get("customer")),
        payment_intent=_id(it.get("payment_intent")),
        user_id=next((each["userId"] for each in named if each.get("userId")), ""),
        lines=lines_of(lines),
        has_more=it["lines"].get("has_more", False),
        # What the period cost, also where the customer's balance paid a part of it. Prorations may
        # come to more than the lines: the rest goes to the balance, and nothing was paid.
        amount=max(0, it["total"]),
        currency=it["currency"],
        at=at,
    )


def _price(line: Json) -> str | None:
    details = (line.get("pricing") or {}).get("price_details") or {}
    return _id(details.get("price")) or _id(line.get("price")) or _id(line.get("plan"))


def _quantity(line: Json) -> int:
    """How many were bought; Stripe leaves it null where a price has no quantity."""
    quantity = line.get("quantity") or 1
    if type(quantity) is not int or quantity < 0:
        raise ValueError(f"a quantity of {quantity!r}")
    return quantity


def _is_proration(line: Json) -> bool:
    parent = line.get("parent") or {}
    item = parent.get("subscription_item_details") or parent.get("invoice_item_details") or line
    return bool(item.get("proration"))


def _refunded_charge(it: Json, at: int) -> Reversal:
    # Events of versions before 2022-11-15 hold the refunds, too.
    refunds = (it.get("refunds") or {}).get("data") or ()
    known = Reversals(
        refunded_amount=it["amount_refunded"],
        refunds={each["id"]: _refund_state(each, at) for each in refunds},
    )
    return Reversal(known, _id(it.get("payment_intent")), purchase_named(it))


def _refund(it: Json, at: int) -> Reversal:
    known = Reversals(refunds={it["id"]: _refund_state(it, at)})
    return Reversal(known, _id(it.get("payment_intent")), _purchase_of_charge(it))


def _refund_state(it: Json, at: int) -> Refund:
    return Refund(it["amount"], it.get("status") or "succeeded", at)


def _dispute(it: Json, at: int, *, withdrawn: bool) -> Reversal:
    known = Reversals(disputes={it["id"]: Dispute(it["amount"], it["status"], at, withdrawn)})
    return Reversal(known, _id(it.get("payment_intent")), _purchase_of_charge(it))


def _purchase_of_charge(it: Json) -> str:
    charge = it.get("charge")
    return purchase_named(charge) if isinstance(charge, Mapping) else ""


def _subscription(it: Json, at: int) -> Subscription:
    items = (it.get("items") or {}).get("data") or ()
    ends = [end for each in items if (end := each.get("current_period_end"))]
    period_end = max(ends, default=None) or it.get("current_period_end")
    ends_at = it.get("cancel_at") or (period_end if it.get("cancel_at_period_end") else None)
    return Subscription(
        id=it["id"],
        customer=_id(it.get("customer")),
        user_id=_metadata(it).get("userId", ""),
        status=it["status"],
        period_end=period_end,
        ends_at=ends_at,
        at=at,
    )


def _metadata(it: Json) -> Json:
    return it.get("metadata") or {}


def _id(value: Any) -> str | None:
    """The id of what is a string, a whole object or nothing."""
    found = value.get("id") if isinstance(value, Mapping) else value
    return found if isinstance(found, str) and found else None
