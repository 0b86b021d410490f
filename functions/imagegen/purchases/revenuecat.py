"""What RevenueCat's events do: book the stores' payments, and take back what they refunded."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from imagegen import config
from imagegen.purchases import booking, reversing
from imagegen.purchases.booking import Payment
from imagegen.purchases.items import Item
from imagegen.purchases.purchase import Provider
from imagegen.purchases.revenuecat_events import (
    Ignored,
    StoreEvent,
    StorePayment,
    StoreRefund,
    fact,
)
from imagegen.purchases.reversals import Refund, Reversals


def handle(sent: Mapping[str, Any]) -> str:
    """Do what an event asks for, once however often it comes; what was done, for the log.

    Raises as `stripe.handle` does.
    """
    told = fact(sent["event"], with_stripe=config.sells_through(Provider.STRIPE))
    if isinstance(told, Ignored):
        return f"ignored: {told.reason}"
    if told.is_sandbox and not _is_tester(told):
        return "ignored: sandbox"
    if isinstance(told, StoreRefund):
        return _refund(told)
    return _payment(told)


def _is_tester(told: StoreEvent) -> bool:
    """Whether sandbox purchases count: for those who test, and for the stores' reviewers."""
    testers = config.listed(config.ALLOW_SANDBOX.value)
    return any(each in testers for each in (*told.user_ids, *told.aliases))


def _payment(paid: StorePayment) -> str:
    payment = Payment(
        purchase_id=paid.purchase_id,
        provider=Provider.REVENUECAT,
        # Its signed-in user; only where there is none, one of its aliases.
        named=paid.user_ids[:1] or paid.aliases,
        items=[Item("revenue_cat_product", paid.product)],
        amount=paid.amount,
        currency=paid.currency,
        at=datetime.fromtimestamp(paid.at, UTC),
        is_test=paid.is_sandbox,
        period_end=datetime.fromtimestamp(paid.ends_at, UTC) if paid.ends_at else None,
        ids={"store": paid.store, "transaction_id": paid.transaction_id},
    )
    return str(booking.book(payment).status)


def _refund(told: StoreRefund) -> str:
    """A store refunds a transaction as a whole, and may take that back."""
    status = "canceled" if told.is_reversed else "succeeded"
    known = Reversals(refunds={told.transaction_id: Refund(None, status, told.at)})
    return str(reversing.reverse(told.purchase_id, Provider.REVENUECAT, known).status)
