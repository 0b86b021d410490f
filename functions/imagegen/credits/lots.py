"""Lots: credits of one kind and one expiry that came in together, and the arithmetic on them.

Everything here is pure. The lots of a user are a tuple in the order in which they are spent: by
priority, then by expiry (none last), then by age, then by id. A part of a lot is a `Lot` too, with
the credits of the part: it says all that is needed to put the part back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import combinations
from typing import Any

from imagegen.firestore.stored import instant, text, whole_number


class Kind(StrEnum):
    """Where the credits of a lot come from."""

    ALLOWANCE = "allowance"
    TRIAL = "trial"
    PROMOTIONAL = "promotional"
    SUBSCRIPTION = "subscription"
    PURCHASE = "purchase"
    GRANT = "grant"
    OPENING = "opening"


# Lower is spent first; a product may say otherwise.
PRIORITIES: Mapping[Kind, int] = {
    Kind.ALLOWANCE: 10,
    Kind.TRIAL: 20,
    Kind.PROMOTIONAL: 30,
    Kind.SUBSCRIPTION: 40,
    Kind.PURCHASE: 50,
    Kind.GRANT: 60,
    Kind.OPENING: 90,
}
PAID = (Kind.SUBSCRIPTION, Kind.PURCHASE)
MAX_FREE_LOTS = 50  # lots that are not paid for; above it, some are merged
OPENING_LOT = "opening"
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot, or a part of one. It is expired from the instant `expires_at` on."""

    id: str
    kind: Kind
    credits: int
    expires_at: datetime | None
    priority: int
    granted_at: datetime
    purchase_id: str | None = None

    def is_expired(self, moment: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= moment


Lots = tuple[Lot, ...]


def _spend_order(lot: Lot) -> tuple[int, datetime, datetime, str]:
    return lot.priority, lot.expires_at or NEVER, lot.granted_at, lot.id


def ordered(lots: Iterable[Lot]) -> Lots:
    """The lots that are not empty, in the order in which they are spent."""
    return tuple(sorted((lot for lot in lots if lot.credits), key=_spend_order))


def total(lots: Iterable[Lot]) -> int:
    """The credits in all of `lots`."""
    return sum(lot.credits for lot in lots)


def held(stored: Iterable[Lot], credits: int) -> Lots:
    """The lots of a user with a balance of `credits`, when these are stored.

    The two differ after a write by somebody who knows `credits` only. What the balance has beyond
    the lots is in the lot `opening`; what it lacks has been taken in the order of spending.
    """
    lots = ordered(stored)
    surplus = credits - total(lots)
    if surplus > 0:
        opening = Lot(
            OPENING_LOT, Kind.OPENING, surplus, None, PRIORITIES[Kind.OPENING], LONG_AGO
        )
        return put(lots, opening)
    return take(lots, -surplus)[0]


def take(lots: Lots, credits: int) -> tuple[Lots, Lots]:
    """What is left of `lots`, and the parts, when `credits` are taken from the first on.

    Raises ValueError when the lots hold fewer.
    """
    missing, parts, left = credits, [], []
    for lot in lots:
        taken = min(lot.credits, missing)
        missing -= taken
        if taken:
            parts.append(replace(lot, credits=taken))
        if taken < lot.credits:
            left.append(replace(lot, credits=lot.credits - taken) if taken else lot)
    if missing:
        raise ValueError(f"{missing} of {credits} credits are missing")
    return tuple(left), tuple(parts)


def put(lots: Lots, added: Lot) -> Lots:
    """`lots` with the credits of `added`: in the lot of its id if there is one, else in a new lot.

    The lot of its id keeps its own expiry.
    """
    if any(lot.id == added.id for lot in lots):
        return tuple(
            replace(lot, credits=lot.credits + added.credits) if lot.id == added.id else lot
            for lot in lots
        )
    return merged(ordered((*lots, added)))


def restore(lots: Lots, parts: Iterable[Lot], moment: datetime, *, grace: Lot) -> Lots: ...
