"""Links: what the events of Stripe that carry no metadata of ours are matched by.

One document for each payment intent, subscription and customer, kept from when it is first seen. A
refund or dispute whose payment has not been told yet is parked at its payment intent, and applied
by the transaction that books the payment.
"""

from datetime import datetime

from imagegen import db
from imagegen.firestore.store import Document
from imagegen.firestore.stored import Field, Stored, boolean, instant, text, whole_number
from imagegen.purchases.reversals import Reversals


class LinkDocument(Stored):
    """`stripeLinks/{pi_…, sub_…, cus_…}`."""

    user_id = Field("userId", text, "")
    purchase_id = Field("purchaseId", text, "")
    parked = Field("parked", Reversals.of, Reversals(), strict=True)
    # Of a subscription: its status as of `statusAt` (seconds since 1970), and when it ends.
    status: Field[str | None] = Field("status", text, None)
    status_at = Field("statusAt", whole_number, 0)
    period_end: Field[datetime | None] = Field("periodEnd", instant, None)
    ends_at: Field[datetime | None] = Field("endsAt", instant, None)
    updated_at: Field[datetime | None] = Field("updatedAt", instant, None)


NONE = Document("stripeLinks/none", {})  # in place of a link that there is not


class CustomerDocument(Stored):
    """`stripeCustomers/{userId}`: the one customer of a user."""

    customer = Field("customer", text)
    is_live = Field("isLive", boolean)
    created_at: Field[datetime | None] = Field("createdAt", instant, None)


def path(stripe_id: str) -> str:
    return f"stripeLinks/{stripe_id}"


def customer_path(user_id: str) -> str:
    return f"stripeCustomers/{user_id}"


def write(transaction: db.Transaction, stripe_id: str, moment: datetime, **values: object) -> None:
    """Create or change a link, which the transaction reads, where it differs from `values`."""
    link = LinkDocument(transaction[path(stripe_id)])
    if link.exists and all(getattr(link, name) == value for name, value in values.items()):
        return
    fields = LinkDocument.fields(updated_at=moment, **values)
    if "parked" in values:
        fields["parked"] = values["parked"].stored()  # type: ignore[attr-defined]
    if link.exists:
        transaction.update(link.path, fields)
    else:
        transaction.create(link.path, fields)
