"""What Stripe's events do: book payments, apply refunds and disputes, remember who is who.

A pack is booked by its checkout session, a subscription's period by its invoice, and by nothing
else, although Stripe sends both for a subscription's checkout. A subscription's own events give
nothing; they set a status.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from imagegen import clock, config, db, firebase, logger
from imagegen.credits import closures
from imagegen.purchases import booking, buyer, links, reversing, stripe_api, subscriptions
from imagegen.purchases.booking import Payment
from imagegen.purchases.items import Item
from imagegen.purchases.links import LinkDocument
from imagegen.purchases.purchase import Provider, PurchaseStatus
from imagegen.purchases.stripe_api import StripeRefused
from imagegen.purchases.stripe_events import fact, lines_of, payment_of_invoice, purchase_named
from imagegen.purchases.stripe_facts import (
    Invoice,
    InvoicePayment,
    Line,
    Reversal,
    Session,
    Subscription,
)
from imagegen.purchases.subscriptions import ENDED


def handle(event: Mapping[str, Any]) -> str:
    """Do what an event asks for, once however often it comes; what was done, for the log.

    Raises BackendUnavailable where Stripe had better send it again, and KeyError, TypeError or
    ValueError for an event of a known type in a shape that is not: that needs a change of ours,
    and Stripe repeats for three days.
    """
    if event["livemode"] is not config.stripe_is_live():
        return "ignored: other mode"
    if event.get("account"):
        return "ignored: connected account"
    told = fact(event)
    if told is None:
        return "ignored: type"
    doing: Callable[[Any], str] = _DOING[type(told)]
    return doing(told)


def _session(session: Session) -> str:
    _remember([session.user_id], session.subscription, session.customer)
    if not session.is_payment:
        _cancel_if_closed(session.subscription)
        return "noted"
    purchase_id = _purchase_of(session.id, session.purchase_id)
    if session.status is not PurchaseStatus.PAID:
        booking.advance(
            purchase_id,
            session.status,
            session=session.id,
            payment_intent=session.payment_intent,
        )
        return str(session.status)
    payment = Payment(
        purchase_id=purchase_id,
        provider=Provider.STRIPE,
        named=[session.user_id],
        items=[Item("id", session.product_id)],
        amount=session.amount,
        currency=session.currency,
        at=_moment(session.at),
        is_test=not config.stripe_is_live(),
        payment_intent=session.payment_intent,
        ids={"session": session.id},
    )
    return str(booking.book(payment).status)


def _invoice(invoice: Invoice) -> str:
    if invoice.subscription is None:
        return "ignored: no subscription"  # a session's own invoice would pay for a pack twice
    lines = _lines(invoice)
    if not lines:
        return "ignored: nothing but prorations and free lines"
    named = _users_of(invoice)
    _remember(named, invoice.subscription, invoice.customer)
    payment = Payment(
        purchase_id=f"stripe-{invoice.id}",
        provider=Provider.STRIPE,
        named=named,
        items=[Item("stripe_price", line.price, line.quantity) for line in lines],
        amount=invoice.amount,
        currency=invoice.currency,
        at=_moment(invoice.at),
        is_test=not config.stripe_is_live(),
        period_end=_moment(max(line.period_end for line in lines)),
        payment_intent=invoice.payment_intent,
        ids={"invoice": invoice.id, "subscription": invoice.subscription},
    )
    return str(booking.book(payment).status)


def _lines(invoice: Invoice) -> Sequence[Line]:
    if not invoice.has_more:
        return invoice.lines
    return lines_of([*stripe_api.pages(f"/v1/invoices/{invoice.id}/lines", {})])


def buys(it: Mapping[str, Any]) -> bool:
    """Whether an invoice, as the API shows it, is for a period of a subscription."""
    told = fact({"type": "invoice.paid", "data": {"object": it}, "created": it["created"]})
    return isinstance(told, Invoice) and told.subscription is not None and bool(_lines(told))


def _users_of(invoice: Invoice) -> list[str]:
    """Whose an invoice may be: of its subscription, else of its metadata, else of its customer."""
    named = [_linked(invoice.subscription).user_id, invoice.user_id]
    return [*named, _linked(invoice.customer).user_id]


def _invoice_payment(paid: InvoicePayment) -> str:
    reversing.link_payment(paid.payment_intent, f"stripe-{paid.invoice}")
    return "noted"


def _reversal(reversal: Reversal) -> str:
    payment_intent, purchase_id = reversal.payment_intent, reversal.purchase_id
    if purchase_id and not _exists(purchase_id):
        purchase_id = ""
    if not purchase_id and payment_intent is not None:
        purchase_id = _linked(payment_intent).purchase_id or _asked(payment_intent)
        purchase_id = purchase_id or reversing.park(payment_intent, reversal.reversals)
        if not purchase_id:
            return "parked"
    if not purchase_id:
        logger.error("a refund or dispute of no purchase", reversals=reversal.reversals.stored())
        return "unmatched"
    return str(reversing.reverse(purchase_id, Provider.STRIPE, reversal.reversals).status)


def _asked(payment_intent: str) -> str:
    """The purchase of a payment intent as Stripe's API tells it; empty if it does not."""
    try:
        found = stripe_api.get(
            "/v1/invoice_payments",
            {"payment[type]": "payment_intent", "payment[payment_intent]": payment_intent},
        )
        for each in found["data"]:
            if (paid := payment_of_invoice(each)) is not None:
                return f"stripe-{paid.invoice}"
        found = stripe_api.get("/v1/checkout/sessions", {"payment_intent": payment_intent})
        for each in found["data"]:
            return _purchase_of(each["id"], purchase_named(each))
    except StripeRefused as error:  # a restricted key, for instance; the payment may yet come
        logger.error("cannot look up a payment", paymentIntent=payment_intent, error=repr(error))
    return ""


def _purchase_of(session_id: str, named: str) -> str:
    """The purchase of a session: the one it names if that is ours, else one of its own."""
    return named if named and _exists(named) else f"stripe-{session_id}"


def _exists(purchase_id: str) -> bool:
    return buyer.may_be_id(purchase_id) and db.read(db.purchase(purchase_id))[0].exists


def _subscription(subscription: Subscription) -> str:
    """Keep the latest status of a subscription: by its own id, so that no other is touched."""
    _remember([subscription.user_id], subscription.id, subscription.customer)
    path, at = links.path(subscription.id), subscription.at

    def decide(transaction: db.Transaction) -> None:
        link = LinkDocument(transaction[path])
        if link.exists and (link.status in ENDED or link.status_at > at):
            return
        links.write(
            transaction,
            subscription.id,
            clock.now(),
            status=subscription.status,
            status_at=at,
            period_end=_moment(subscription.period_end) if subscription.period_end else None,
            ends_at=_moment(subscription.ends_at) if subscription.ends_at else None,
        )

    db.transact(decide, path)
    _cancel_if_closed(subscription.id)
    return "noted"


def _cancel_if_closed(subscription: str | None) -> None:
    """Cancel the subscription of a closed account: its checkout was open for a day after that.

    Raises PaymentProviderUnavailable.
    """
    link = _linked(subscription)
    if link.status not in ENDED and closures.is_tombstone(link.user_id):
        subscriptions.cancel_in_stripe(link.user_id)


def _remember(named: Sequence[str], *stripe_ids: str | None) -> None:
    """Note whose subscription and customer these are, from when they are first seen."""
    unknown = [each for each in stripe_ids if each is not None and not _linked(each).user_id]
    if not unknown or not any(named):
        return
    is_signed_up = cache(firebase.is_signed_up)

    def decide(transaction: db.Transaction) -> None:
        user_id = buyer.of(transaction, named, is_signed_up)
        if not user_id:
            return
        for stripe_id in unknown:
            link = LinkDocument(transaction[links.path(stripe_id)])
            if not link.exists or not link.user_id:
                links.write(transaction, stripe_id, clock.now(), user_id=user_id)

    db.transact(decide, *map(links.path, unknown))


def _linked(stripe_id: str | None) -> LinkDocument:
    """The link of a Stripe object; an empty one where there is none."""
    document = db.read(links.path(stripe_id))[0] if stripe_id is not None else None
    return LinkDocument(document if document and document.exists else links.NONE)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


_DOING: Mapping[type, Callable[[Any], str]] = {
    Session: _session,
    Invoice: _invoice,
    InvoicePayment: _invoice_payment,
    Reversal: _reversal,
    Subscription: _subscription,
}
