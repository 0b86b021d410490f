"""What Stripe tells us, as small facts."""

from collections.abc import Sequence
from dataclasses import dataclass

from imagegen.purchases.purchase import PurchaseStatus
from imagegen.purchases.reversals import Reversals


@dataclass(frozen=True)
class Session:
    """A checkout session, and how far its payment has come."""

    id: str
    is_payment: bool  # else a subscription, which its invoices book
    status: PurchaseStatus
    user_id: str
    product_id: str
    purchase_id: str
    payment_intent: str | None
    subscription: str | None
    customer: str | None
    amount: int
    currency: str
    at: int


@dataclass(frozen=True)
class Line:
    """A line of an invoice that is paid for in full: no proration, a positive amount."""

    price: str
    quantity: int
    period_end: int


@dataclass(frozen=True)
class Invoice:
    """A paid invoice. `has_more`: its event does not hold all lines."""

    id: str
    subscription: str | None
    customer: str | None
    payment_intent: str | None
    user_id: str
    lines: Sequence[Line]
    has_more: bool
    amount: int
    currency: str
    at: int


@dataclass(frozen=True)
class InvoicePayment:
    """Which payment intent paid an invoice."""

    invoice: str
    payment_intent: str


@dataclass(frozen=True)
class Reversal:
    """A refund or dispute, and what may lead to its purchase."""

    reversals: Reversals
    payment_intent: str | None
    purchase_id: str = ""  # from the charge's metadata


@dataclass(frozen=True)
class Subscription:
    """The state of a subscription as of `at`. `ends_at`: when it is scheduled to end."""

    id: str
    customer: str | None
    user_id: str
    status: str
    period_end: int | None
    ends_at: int | None
    at: int


Fact = Session | Invoice | InvoicePayment | Reversal | Subscription
