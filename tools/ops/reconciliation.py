"""Stripe's payments against our purchases: what one side has and the other has not, or otherwise.

A payment is matched to its purchase by the link of its payment intent, else by its invoice. What
differs can be booked: the payment's session or invoice, its refunds and its disputes are fetched
and handled as the events that should have told of them, by the same rules and as often as you like.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from imagegen import config, db
from imagegen.firestore.store import Query
from imagegen.purchases import links, stripe, stripe_api
from imagegen.purchases.links import LinkDocument
from imagegen.purchases.purchase import Provider, PurchaseDocument
from imagegen.purchases.stripe_api import StripeRefused
from imagegen.purchases.stripe_events import payment_of_invoice
from ops.stripe_payments import StripePayment

READ_AT_ONCE = 100
PAGE = 300
NOT_FOUND = 404


@dataclass(frozen=True)
class Difference:
    """One payment or purchase about which the two sides do not agree."""

    problem: str  # not_here, not_booked, not_at_stripe, amount, refunded, disputed
    purchase_id: str
    payment_intent: str
    message: str

    def as_json(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True)
class Comparison:
    """What was compared: payments of Stripe, purchases of ours, and where they differ."""

    payments: int
    purchases: int
    differences: Sequence[Difference]


def compare(
    payments: Iterable[StripePayment], since: datetime, until: datetime, *, with_api: bool
) -> Comparison:
    """Stripe's `payments` against the purchases that were paid from `since` up to `until`.

    With the API it can be told what a payment was for that is no purchase (a proration, or another
    product of the company), and whether Stripe has a payment after all that was begun before
    `since`; neither is a difference then.
    """
    number, found, matched, rest = 0, list[Difference](), set[str](), iter(payments)
    while batch := [*islice(rest, READ_AT_ONCE)]:
        number += len(batch)
        for payment, purchase in _with_purchases(batch):
            if purchase is not None:
                matched.add(purchase.id)
            if purchase is not None or not with_api or _is_ours(payment.payment_intent):
                found += _of_payment(payment, purchase)
    ours = [each for each in _paid(since, until) if each.id not in matched]
    for purchase in ours:
        if not (with_api and _is_at_stripe(purchase)):
            message = f"{purchase.amount} {purchase.currency} were paid, and Stripe has no payment"
            intent = purchase.payment_intent or ""
            found.append(Difference("not_at_stripe", purchase.id, intent, message))
    return Comparison(number, len(matched) + len(ours), found)


def _with_purchases(
    payments: Sequence[StripePayment],
) -> Iterator[tuple[StripePayment, PurchaseDocument | None]]:
    """Each payment with its purchase, if there is one."""
    linked = db.read(*(links.path(each.payment_intent) for each in payments))
    ids = []
    for payment, document in zip(payments, linked, strict=True):
        purchase_id = LinkDocument(document).purchase_id if document.exists else ""
        by_invoice = f"stripe-{payment.invoice}" if payment.invoice else ""
        ids.append(purchase_id or by_invoice)
    paths = sorted({db.purchase(each) for each in ids if each})
    documents = {each.path: each for each in db.read(*paths)} if paths else {}
    for payment, purchase_id in zip(payments, ids, strict=True):
        found = documents.get(db.purchase(purchase_id)) if purchase_id else None
        yield payment, PurchaseDocument(found) if found is not None and found.exists else None


def _of_payment(payment: StripePayment, purchase: PurchaseDocument | None) -> Iterator[Difference]:
    def difference(problem: str, message: str) -> Difference:
        purchase_id = purchase.id if purchase is not None else ""
        return Difference(problem, purchase_id, payment.payment_intent, message)

    money = f"{payment.amount} {payment.currency}"
    if purchase is None:
        yield difference("not_here", f"Stripe took {money} at {payment.at:%Y-%m-%d %H:%M} UTC")
        return
    if not purchase.is_booked:
        yield difference(
            "not_booked", f"Stripe took {money}, but the purchase is {_state(purchase)}"
        )
        return
    # An invoice may have been paid from the customer's balance in part.
    is_less = purchase.invoice is not None and payment.amount < purchase.amount
    same_amount = payment.amount == purchase.amount or is_less
    if not same_amount or payment.currency != purchase.currency:
        ours = f"{purchase.amount} {purchase.currency}"
        yield difference("amount", f"Stripe took {money}, but the purchase says {ours}")
    refunded = purchase.reversals.refunded(purchase.amount)
    if refunded != payment.refunded:
        text = f"Stripe refunded {payment.refunded}, but the purchase knows of {refunded}"
        yield difference("refunded", f"{text} {payment.currency}")
    if purchase.reversals.is_disputed is not payment.is_disputed:
        states = ("is not disputed", "is disputed")
        text = f"at Stripe it {states[payment.is_disputed]}, but the purchase"
        yield difference("disputed", f"{text} {states[purchase.reversals.is_disputed]}")


def _state(purchase: PurchaseDocument) -> str:
    return f"{purchase.status} ({purchase.reason})" if purchase.reason else str(purchase.status)


def paid_query(since: datetime, until: datetime, after: tuple[datetime, str] | None) -> Query:
    """A page of the purchases that were paid from `since` up to `until`."""
    return Query(
        "purchases",
        where=[("paidAt", ">=", since), ("paidAt", "<", until)],
        order_by=("paidAt", "ASCENDING"),
        limit=PAGE,
        start_after=after,
    )


def _paid(since: datetime, until: datetime) -> Iterator[PurchaseDocument]:
    """Our purchases for which Stripe should have a payment."""
    after = None
    while True:
        page = [PurchaseDocument(each) for each in db.query(paid_query(since, until, after))]
        for purchase in page:
            is_of_mode = purchase.is_test is not config.stripe_is_live()
            is_stripes = purchase.provider is Provider.STRIPE and is_of_mode
            if is_stripes and purchase.is_booked and purchase.amount > 0:
                yield purchase
        if len(page) < PAGE:
            return
        after = (page[-1].document["paidAt"], page[-1].id)


def _is_at_stripe(purchase: PurchaseDocument) -> bool:
    """Whether Stripe has the payment of a purchase, though it was not begun in the period."""
    if purchase.payment_intent is not None:
        found = _asked(f"/v1/payment_intents/{purchase.payment_intent}")
        return found is not None and found["status"] == "succeeded"
    invoice = _asked(f"/v1/invoices/{purchase.invoice}") if purchase.invoice else None
    return invoice is not None and invoice["status"] == "paid"


def _asked(path: str) -> Mapping[str, Any] | None:
    try:
        return stripe_api.get(path, {})
    except StripeRefused as error:
        if error.status == NOT_FOUND:
            return None
        raise


def book(payment_intent: str) -> list[str]:
    """Handle everything that Stripe knows of a payment as its events; what each did, for the log.

    Raises StripeRefused, and what `stripe.handle` raises.
    """
    done = []
    for kind, it, at in _events(payment_intent):
        event = {"type": kind, "livemode": config.stripe_is_live(), "created": at}
        done.append(f"{kind}: {stripe.handle({**event, 'data': {'object': it}})}")
    return done


def _events(payment_intent: str) -> Iterator[tuple[str, Mapping[str, Any], int]]:
    of_payment = {"payment_intent": payment_intent}
    now = int(time.time())  # what is read now is later than what any event has told
    charges = [
        each
        for each in stripe_api.pages("/v1/charges", of_payment)
        if each["status"] == "succeeded"
    ]
    paid_at = charges[0]["created"] if charges else now
    for session in stripe_api.pages("/v1/checkout/sessions", of_payment):
        yield "checkout.session.completed", session, paid_at
    for payment, invoice in _invoices(payment_intent):
        yield "invoice_payment.paid", payment, paid_at
        yield "invoice.paid", invoice, paid_at
    for charge in charges:
        yield "charge.refunded", charge, now
    for refund in stripe_api.pages("/v1/refunds", of_payment):
        yield "refund.updated", refund, now
    for dispute in stripe_api.pages("/v1/disputes", of_payment):
        yield "charge.dispute.updated", dispute, now


def _invoices(payment_intent: str) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """What a payment paid of which invoice."""
    wanted = {"payment[type]": "payment_intent", "payment[payment_intent]": payment_intent}
    for payment in stripe_api.pages("/v1/invoice_payments", wanted):
        if (paid := payment_of_invoice(payment)) is not None:
            yield payment, stripe_api.get(f"/v1/invoices/{paid.invoice}", {})


def _is_ours(payment_intent: str) -> bool:
    """Whether a payment should have bought something: a pack, or a period of a subscription."""
    of_payment = {"payment_intent": payment_intent}
    if any(True for _ in stripe_api.pages("/v1/checkout/sessions", of_payment)):
        return True
    return any(stripe.buys(invoice) for _, invoice in _invoices(payment_intent))
