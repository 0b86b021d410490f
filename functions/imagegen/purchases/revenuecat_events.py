"""What RevenueCat's events say, as small facts: pure functions over JSON.

https://www.revenuecat.com/docs/integrations/webhooks/event-types-and-fields
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagegen.purchases.money import smallest_units

Json = Mapping[str, Any]

BOOKED = frozenset({"INITIAL_PURCHASE", "RENEWAL", "NON_RENEWING_PURCHASE"})
FREE_PERIODS = frozenset({"TRIAL", "PROMOTIONAL"})
ANONYMOUS = "$RCAnonymousID:"


@dataclass(frozen=True)
class StoreEvent:
    """What every event about a transaction of a store says."""

    store: str
    transaction_id: str
    user_ids: Sequence[str]  # whom it may belong to, the likeliest first
    aliases: Sequence[str]  # of whom one may be a user, if there is nobody in `user_ids`
    is_sandbox: bool
    at: int  # seconds since 1970

    @property
    def purchase_id(self) -> str:
        # A store may put any sign into its ids; to Firestore, a slash ends the id of a document.
        transaction_id = self.transaction_id.replace("/", "%2F")
        return f"revenuecat-{self.store.lower()}-{transaction_id}"


@dataclass(frozen=True)
class StorePayment(StoreEvent):
    """A transaction that was paid for. `ends_at` of a subscription's period, in seconds."""

    product: str
    amount: int
    currency: str
    ends_at: int | None


@dataclass(frozen=True)
class StoreRefund(StoreEvent):
    """A transaction that was refunded, or whose refund was reversed."""

    is_reversed: bool


@dataclass(frozen=True)
class Ignored:
    """An event that books nothing, and why."""

    reason: str


def fact(event: Json, *, with_stripe: bool) -> StorePayment | StoreRefund | Ignored:
    """What an event says. `with_stripe`: purchases of the store STRIPE are told by Stripe itself.

    Raises KeyError, TypeError or ValueError when it lacks what its type always has.
    """
    kind, store = event["type"], event.get("store") or ""
    is_refund = kind == "CANCELLATION" and event.get("cancel_reason") == "CUSTOMER_SUPPORT"
    if kind not in BOOKED and not is_refund and kind != "REFUND_REVERSED":
        return Ignored("type")
    if store == "STRIPE" and with_stripe:
        return Ignored("told by Stripe")
    if store == "PROMOTIONAL" or event.get("period_type") in FREE_PERIODS:
        return Ignored("free")
    if event.get("is_family_share"):
        return Ignored("family share")
    # Both are in the purchase's id, by which a repetition is known.
    if not store or not event["transaction_id"]:
        raise ValueError("a purchase without a store or a transaction")
    ids = [event.get("app_user_id"), event.get("original_app_user_id")]
    common: dict[str, Any] = {
        "store": store,
        "transaction_id": str(event["transaction_id"]),
        "user_ids": [each for each in ids if _is_known(each)],
        "aliases": [each for each in event.get("aliases") or () if _is_known(each)],
        "is_sandbox": event["environment"] != "PRODUCTION",
        "at": event["event_timestamp_ms"] // 1000,
    }
    if kind not in BOOKED:
        return StoreRefund(**common, is_reversed=not is_refund)
    currency = (event.get("currency") or "").lower()
    price = event.get("price_in_purchased_currency") or 0
    ends_at = event.get("expiration_at_ms")
    return StorePayment(
        **common,
        product=event["product_id"],
        amount=smallest_units(price, currency),
        currency=currency,
        ends_at=ends_at // 1000 if ends_at else None,
    )


def _is_known(user_id: Any) -> bool:
    """Whether somebody signed in under that id; an anonymous one belongs to nobody."""
    return isinstance(user_id, str) and bool(user_id) and not user_id.startswith(ANONYMOUS)
