"""A purchase: money that bought a lot of credits, or is about to."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from imagegen.firestore.stored import Field, Stored, boolean, instant, text, whole_number
from imagegen.purchases.reversals import Reversals


class Provider(StrEnum):
    """Who took the money."""

    STRIPE = "stripe"
    REVENUECAT = "revenuecat"


class PurchaseStatus(StrEnum):
    """Where a purchase is in its life. Credits came in with `paid`, and with all below it."""

    PENDING = "pending"
    PROCESSING = "processing"
    FAILED = "failed"
    EXPIRED = "expired"
    UNMATCHED = "unmatched"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    REINSTATED = "reinstated"


# Before its credits come in, a purchase moves only forward: what comes late changes nothing.
_PROGRESS: Mapping[PurchaseStatus, int] = {
    PurchaseStatus.PENDING: 0,
    PurchaseStatus.PROCESSING: 1,
    PurchaseStatus.FAILED: 2,
    PurchaseStatus.EXPIRED: 2,
    PurchaseStatus.UNMATCHED: 3,
}


class Unmatched(StrEnum):
    """Why the money of a purchase has not bought anything yet."""

    NO_PAYMENT = "no_payment"  # a refund or dispute came; the payment itself has not been told
    NO_USER = "no_user"
    NO_PRODUCT = "no_product"


def _items(value: Any) -> Sequence[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
        raise ValueError("not a list of maps")
    return value


class PurchaseDocument(Stored):
    """`purchases/{purchaseId}`. Amounts are in the currency's smallest unit."""

    user_id = Field("userId", text, "")
    product_id = Field("productId", text, "")
    provider = Field("provider", Provider)
    status = Field("status", PurchaseStatus)
    reason: Field[str | None] = Field("reason", text, None)
    credits = Field("credits", whole_number, 0, strict=True)
    amount = Field("amount", whole_number, 0, strict=True)
    currency = Field("currency", text, "")
    valid_until: Field[datetime | None] = Field("validUntil", instant, None)
    is_test = Field("isTest", boolean, False)
    # What was bought, as the provider names it: enough to book an unmatched purchase later.
    items: Field[Sequence[Mapping[str, Any]]] = Field("items", _items, ())
    # The lot, once the credits have come in; and, written by the ledger, what has been taken back
    # of them, what is owed because it had been spent, what was waived of that, and what expired.
    lot_id: Field[str | None] = Field("lotId", text, None)
    clawed_back = Field("clawedBack", whole_number, 0, strict=True)
    owed = Field("owed", whole_number, 0, strict=True)
    waived = Field("waived", whole_number, 0, strict=True)
    expired_credits = Field("expiredCredits", whole_number, 0)
    reversals = Field("reversals", Reversals.of, Reversals(), strict=True)
    session: Field[str | None] = Field("stripeSession", text, None)
    payment_intent: Field[str | None] = Field("stripePaymentIntent", text, None)
    invoice: Field[str | None] = Field("stripeInvoice", text, None)
    subscription: Field[str | None] = Field("stripeSubscription", text, None)
    store: Field[str | None] = Field("store", text, None)
    transaction_id: Field[str | None] = Field("transactionId", text, None)
    created_at = Field("createdAt", instant)
    paid_at: Field[datetime | None] = Field("paidAt", instant, None)
    # The time of the entry that brought the credits in.
    booked_at: Field[datetime | None] = Field("bookedAt", instant, None)
    updated_at: Field[datetime | None] = Field("updatedAt", instant, None)

    @property
    def is_booked(self) -> bool:
        return self.exists and self.lot_id is not None


def may_become(current: PurchaseStatus, told: PurchaseStatus) -> bool:
    """Whether a purchase without credits moves on from `current` to `told`."""
    return current in _PROGRESS and _PROGRESS[told] > _PROGRESS[current]


def booked_status(reversals: Reversals, amount: int) -> PurchaseStatus:
    """The status of a purchase whose credits have come in."""
    if reversals.is_disputed:
        return PurchaseStatus.DISPUTED
    refunded = reversals.refunded(amount)
    if refunded or reversals.is_refunded:  # also what had cost nothing
        return PurchaseStatus.REFUNDED if refunded >= amount else PurchaseStatus.PARTIALLY_REFUNDED
    return PurchaseStatus.REINSTATED if reversals.came_back else PurchaseStatus.PAID
