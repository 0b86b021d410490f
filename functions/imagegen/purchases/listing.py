"""Purchases as operators see them: one by its id, or those of everybody, the newest first."""

from datetime import datetime

from pydantic import Field

from imagegen import db
from imagegen.api.schema import Timestamp, WireModel, is_none
from imagegen.errors import PurchaseNotFound
from imagegen.firestore.store import LATEST, Query
from imagegen.purchases.purchase import Provider, PurchaseDocument, PurchaseStatus


class PurchaseDetails(WireModel):
    """Everything that an operator needs to know of a purchase."""

    purchase_id: str = Field(description="The purchase.")
    user_id: str = Field(description="The buyer; empty if nobody is known.")
    product_id: str = Field(description="The product; empty if it is not known.")
    provider: Provider = Field(description="The payment provider that took the money.")
    status: PurchaseStatus = Field(description="Where it is in its life.")
    reason: str | None = Field(
        default=None, exclude_if=is_none, description="Why it is `unmatched`."
    )
    credits: int = Field(description="Credits that it buys.")
    clawed_back_credits: int = Field(description="Credits taken back because money went back.")
    owed_credits: int = Field(description="Credits to take back that had been spent already.")
    waived_credits: int = Field(description="Owed credits that an operator has waived.")
    expired_credits: int = Field(
        description="Credits that expired unspent; a refund does not take them back."
    )
    amount: int = Field(description="The price, in the currency's smallest unit.")
    refunded_amount: int = Field(description="What was refunded of it.")
    is_disputed: bool = Field(description="Whether the buyer's bank disputes the payment.")
    currency: str = Field(description="ISO 4217, in lower case; empty if it is not known yet.")
    is_test: bool = Field(description="Test mode of Stripe, or the sandbox of a store.")
    items: list[str] = Field(description="What was paid for, as the provider names it.")
    provider_ids: dict[str, str] = Field(
        description="The provider's ids: `session`, `paymentIntent`, `invoice`, `subscription`; "
        "`store`, `transactionId`."
    )
    valid_until: Timestamp | None = Field(
        default=None, exclude_if=is_none, description="The end of a subscription's period."
    )
    created_at: Timestamp = Field(description="When it was begun, or first told of.")
    paid_at: Timestamp | None = Field(
        default=None, exclude_if=is_none, description="When it was paid. Absent if it was not."
    )
    updated_at: Timestamp | None = Field(
        default=None, exclude_if=is_none, description="When it changed last."
    )

    @classmethod
    def from_document(cls, purchase: PurchaseDocument) -> "PurchaseDetails":
        """Raises MalformedDocument."""
        ids = {
            "session": purchase.session,
            "paymentIntent": purchase.payment_intent,
            "invoice": purchase.invoice,
            "subscription": purchase.subscription,
            "store": purchase.store,
            "transactionId": purchase.transaction_id,
        }
        return cls(
            purchase_id=purchase.id,
            user_id=purchase.user_id,
            product_id=purchase.product_id,
            provider=purchase.provider,
            status=purchase.status,
            reason=purchase.reason,
            credits=purchase.credits,
            clawed_back_credits=purchase.clawed_back,
            owed_credits=purchase.owed,
            waived_credits=purchase.waived,
            expired_credits=purchase.expired_credits,
            amount=purchase.amount,
            refunded_amount=purchase.reversals.refunded(purchase.amount),
            is_disputed=purchase.reversals.is_disputed,
            currency=purchase.currency,
            is_test=purchase.is_test,
            items=[str(item.get("name", "")) for item in purchase.items],
            provider_ids={name: value for name, value in ids.items() if value},
            valid_until=purchase.valid_until,
            created_at=purchase.created_at,
            paid_at=purchase.paid_at,
            updated_at=purchase.updated_at,
        )


def get(purchase_id: str) -> PurchaseDetails:
    """Raises PurchaseNotFound, MalformedDocument and BackendUnavailable."""
    (document,) = db.read(db.purchase(purchase_id))
    if not document.exists:
        raise PurchaseNotFound(purchaseId=purchase_id)
    return PurchaseDetails.from_document(PurchaseDocument(document))


def query(
    limit: int,
    after: tuple[datetime, str] | None = None,
    *,
    user_id: str = "",
    status: PurchaseStatus | None = None,
    since: datetime | None = None,
) -> Query:
    """A page of purchases, the newest first; ids break ties."""
    where: list[tuple[str, str, object]] = [("createdAt", "<=", LATEST)]
    if since is not None:
        where.append(("createdAt", ">=", since))
    if user_id:
        where.append(("userId", "==", user_id))
    if status is not None:
        where.append(("status", "==", str(status)))
    return Query(
        "purchases",
        where=where,
        order_by=("createdAt", "DESCENDING"),
        limit=limit,
        start_after=after,
    )
