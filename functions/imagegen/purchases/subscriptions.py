"""Subscriptions of a user who leaves: Stripe's are canceled, those of the stores are named.

Only the user can end a subscription in an app store. RevenueCat tells of its paid periods, so one
whose period has not ended yet may be renewed.
"""

from dataclasses import dataclass
from datetime import datetime

from imagegen import clock, config, db, logger
from imagegen.errors import PaymentProviderUnavailable
from imagegen.firestore.store import PATH, Query
from imagegen.purchases import stripe_api
from imagegen.purchases.links import LinkDocument
from imagegen.purchases.purchase import Provider, PurchaseDocument
from imagegen.purchases.stripe_api import StripeRefused

ENDED = frozenset({"canceled", "incomplete_expired"})  # a subscription never leaves these
NOT_FOUND = 404  # also of one that has ended, or is of the other mode
PAGE_SIZE = 300


@dataclass(frozen=True)
class StoreSubscription:
    """A subscription in an app store, paid until `period_end`."""

    store: str
    product_id: str
    period_end: datetime


def cancel_in_stripe(user_id: str) -> int:
    """End the user's subscriptions in Stripe at once; how many there were. Safe twice.

    Raises PaymentProviderUnavailable when one may go on: Stripe is out of reach or has refused, or
    is switched off here; BackendUnavailable.
    """
    found = [LinkDocument(document) for document in db.query(links_query(user_id))]
    going_on = [each for each in found if each.status not in ENDED]
    for each in going_on:
        if not config.sells_through(Provider.STRIPE):
            logger.error("subscription not canceled", subscription=each.id, userId=user_id)
            raise PaymentProviderUnavailable
        try:
            stripe_api.delete(f"/v1/subscriptions/{each.id}")
        except StripeRefused as error:
            if error.status != NOT_FOUND:
                logger.error("subscription not canceled", subscription=each.id, userId=user_id)
                raise PaymentProviderUnavailable from error
    return len(going_on)


def links_query(user_id: str) -> Query:
    """The links of the user's subscriptions: `sub_` is the last kind of id."""
    return Query(
        "stripeLinks",
        where=[("userId", "==", user_id)],
        order_by=(PATH, "ASCENDING"),
        start_after=("stripeLinks/sub_", ""),
    )


def in_stores(user_id: str) -> list[StoreSubscription]:
    """The user's subscriptions in app stores that may be renewed, each once."""
    moment = clock.now()
    found: dict[tuple[str, str], StoreSubscription] = {}
    after: tuple[str, str] | None = None
    while True:
        page = db.query(bought_query(user_id, after))
        for purchase in map(PurchaseDocument, page):
            until = purchase.valid_until
            if purchase.provider is not Provider.REVENUECAT or until is None or until <= moment:
                continue
            each = StoreSubscription(purchase.store or "", purchase.product_id, until)
            known = found.get((each.store, each.product_id))
            if known is None or known.period_end < each.period_end:
                found[each.store, each.product_id] = each
        if len(page) < PAGE_SIZE:
            return [found[name] for name in sorted(found)]
        after = (page[-1].path, "")


def bought_query(user_id: str, after: tuple[str, str] | None = None) -> Query:
    """A page of the user's purchases."""
    return Query(
        "purchases",
        where=[("userId", "==", user_id)],
        order_by=(PATH, "ASCENDING"),
        limit=PAGE_SIZE,
        start_after=after,
    )
