"""The stores of phones, and RevenueCat, which tells of them.

Shapes: https://www.revenuecat.com/docs/integrations/webhooks/event-types-and-fields
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from simulation.post import Post
from simulation.sales import PRODUCTS, Back, Sale, Sales
from simulation.world import EPOCH, World

Json = dict[str, Any]
ANONYMOUS = "$RCAnonymousID:8069238d6049ce87cc529853916d624c"
TESTER = "user0"  # of ALLOW_SANDBOX
STORES = ("APP_STORE", "PLAY_STORE", "AMAZON")
# What no credits follow from, although some of it looks like a purchase.
NOT_SALES: tuple[Json, ...] = (
    {"type": "PRODUCT_CHANGE"},
    {"type": "TRANSFER"},
    {"type": "CANCELLATION", "cancel_reason": "UNSUBSCRIBE"},
    {"type": "VIRTUAL_CURRENCY_TRANSACTION"},
    {"type": "INITIAL_PURCHASE", "period_type": "TRIAL"},
    {"type": "INITIAL_PURCHASE", "is_family_share": True},
    {"type": "NON_RENEWING_PURCHASE", "store": "PROMOTIONAL"},
    {"type": "INITIAL_PURCHASE", "store": "STRIPE"},  # Stripe tells of it
)


class StoreWorld:
    """What is bought in the stores; each act changes what is true, and RevenueCat tells it."""

    def __init__(self, world: World, sales: Sales, post: Post) -> None:
        self._world = world
        self._sales = sales
        self._post = post

    def buy(
        self, user_id: str, product: str, kind: str, *, lasts: float | None = None, **changes: Any
    ) -> tuple[Sale, Json]:
        """A purchase or renewal: the sale, and its event, from which those of its refund follow."""
        random = self._world.random
        event = self._event(user_id, product, kind) | changes
        price, amount, currency = random.choice(
            ((4.99, 499, "USD"), (500, 500, "JPY"), (0.005 * 2, 1, "EUR"), (0, 0, "USD"))
        )
        event |= {"price": price, "price_in_purchased_currency": price, "currency": currency}
        ends = None if lasts is None else EPOCH.timestamp() + self._world.seconds + lasts
        event["expiration_at_ms"] = None if ends is None else int(ends * 1000)
        is_test = event["environment"] != "PRODUCTION"
        sale = Sale(
            f"revenuecat-{event['store'].lower()}-{event['transaction_id']}",
            user_id,
            product,
            amount,
            self._at(event["event_timestamp_ms"]),
            None if ends is None else self._at(event["expiration_at_ms"]),
            names_user=event["app_user_id"] == user_id or user_id in event["aliases"],
            is_ours=not is_test or user_id == TESTER,
            is_test=is_test,
        )
        self._tell(f"{user_id} pays {amount} {currency} for {product} ({kind})")
        self._send(event)
        return self._sales.add(sale), event

    def refund(self, sale: Sale, event: Json, *, is_reversed: bool) -> None:
        """The store pays back all of it, or takes that back."""
        sale.refunds["all"] = Back(sale.amount, not is_reversed, returned=is_reversed)
        self._tell(f"{sale.amount} of {sale.user_id} are refunded{', no longer' * is_reversed}")
        reason = {} if is_reversed else {"cancel_reason": "CUSTOMER_SUPPORT"}
        kind = "REFUND_REVERSED" if is_reversed else "CANCELLATION"
        self._send(event | {"type": kind, **reason})

    def tell_of_no_sale(self, user_id: str) -> None:
        event = self._event(user_id, "monthly", "") | self._world.random.choice(NOT_SALES)
        self._tell(f"something of {user_id} that nobody has paid for")
        self._send(event)

    def forge(self, user_id: str) -> None:
        self._post.forge("revenuecat", {"event": self._event(user_id, "pack", "RENEWAL")})

    def _event(self, user_id: str, product: str, kind: str) -> Json:
        return {
            "aliases": [ANONYMOUS],
            "app_user_id": user_id,
            "environment": "PRODUCTION",
            "event_timestamp_ms": self._now_ms(),
            "id": f"{self._world.random.getrandbits(64):x}",
            "is_family_share": False,
            "original_app_user_id": ANONYMOUS,
            "period_type": "NORMAL",
            "product_id": PRODUCTS[product]["revenueCatProduct"],
            "price_in_purchased_currency": 4.99,
            "currency": "USD",
            "store": self._world.random.choice(STORES),
            "transaction_id": f"{self._world.random.getrandbits(40)}",
            "type": kind,
        }

    def _send(self, event: Json) -> None:
        identity = f"{self._world.random.getrandbits(64):x}"
        told = event | {"id": identity, "event_timestamp_ms": self._now_ms()}
        self._post.send("revenuecat", {"api_version": "1.0", "event": told})

    def _now_ms(self) -> int:
        return int((EPOCH.timestamp() + self._world.seconds) * 1000)

    def _at(self, milliseconds: int) -> datetime:
        return datetime.fromtimestamp(milliseconds // 1000, UTC)

    def _tell(self, what: str) -> None:
        self._world.tell(f"in a store, {what}")
