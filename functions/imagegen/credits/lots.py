"""Lots: credits of one kind and one expiry that came in together, and the arithmetic on them.

Everything here is pure. The lots of a user are a tuple in the order in which they are spent: by
priority, then by expiry (none last), then by age, then by id. A part of a lot is a `Lot` too, with
the credits of the part: it says all that is needed to put the part back.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any

from imagegen.firestore.stored import array, instant, mapping, text, whole_number


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

    @property
    def is_paid(self) -> bool:
        """Whether money was paid for it, which may be paid back."""
        return self.kind in PAID or self.purchase_id is not None

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
        opening = Lot(OPENING_LOT, Kind.OPENING, surplus, None, PRIORITIES[Kind.OPENING], LONG_AGO)
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


def restore(
    lots: Lots, parts: Iterable[Lot], moment: datetime, grace: timedelta, new_id: str
) -> tuple[Lots, Lots]:
    """`lots`, none of them expired, with `parts` put back; and the parts as they were put.

    A lot that has been emptied comes back under its own expiry. Where that has passed, the part
    becomes a lot of the same kind that lasts for `grace`; its id is `new_id` and a number.
    """
    placed = []
    for number, part in enumerate(parts, start=1):
        if part.is_expired(moment) and all(lot.id != part.id for lot in lots):
            placed.append(replace(part, id=f"{new_id}-{number}", expires_at=moment + grace))
        else:
            placed.append(part)
        lots = put(lots, placed[-1])
    return lots, tuple(placed)


def lapse(lots: Lots, moment: datetime, *, rollover: int, until: datetime) -> tuple[Lots, Lots]:
    """What is left of `lots` at `moment`, and the parts that expire.

    Of the expired allowance, the last `rollover` credits do not expire: they last `until`.
    """
    expired = [lot for lot in lots if lot.is_expired(moment)]
    if not expired:
        return lots, ()
    allowance = tuple(lot for lot in expired if lot.kind is Kind.ALLOWANCE)
    kept, lost = take(allowance, max(0, total(allowance) - rollover))
    others = [lot for lot in expired if lot.kind is not Kind.ALLOWANCE]
    current = [lot for lot in lots if not lot.is_expired(moment)]
    rolled_over = [replace(lot, expires_at=until) for lot in kept]
    return ordered((*current, *rolled_over)), ordered((*lost, *others))


def merged(lots: Lots) -> Lots:
    """`lots` with at most MAX_FREE_LOTS that are not paid for.

    Two of one kind are merged whose expiries are nearest to each other, under the later expiry:
    it costs nobody a credit. Paid lots are never merged, as a clawback has to find its own.
    """
    while len(free := [lot for lot in lots if not lot.is_paid]) > MAX_FREE_LOTS:
        free.sort(key=lambda lot: (lot.kind, lot.expires_at or NEVER, _spend_order(lot)))
        pairs = [(one, other) for one, other in pairwise(free) if one.kind is other.kind]
        one, other = min(pairs, key=_gap)
        others = [lot for lot in lots if lot not in (one, other)]
        lots = ordered((*others, replace(other, credits=one.credits + other.credits)))
    return lots


def _gap(pair: tuple[Lot, Lot]) -> timedelta:
    one, other = pair
    return (other.expires_at or NEVER) - (one.expires_at or NEVER)


def stored(lots: Iterable[Lot]) -> dict[str, dict[str, Any]]:
    """Lots as the user document holds them: by id, with what remains of each."""
    return {lot.id: {"remaining": lot.credits, **_terms(lot)} for lot in lots}


def stored_parts(parts: Iterable[Lot]) -> list[dict[str, Any]]:
    """Parts as a generation request or a purchase keeps them, to put them back later."""
    return [{"lot": part.id, "credits": part.credits, **_terms(part)} for part in parts]


def _terms(lot: Lot) -> dict[str, Any]:
    terms = {
        "kind": lot.kind,
        "priority": lot.priority,
        "grantedAt": lot.granted_at,
        "expiresAt": lot.expires_at,
        "purchaseId": lot.purchase_id,
    }
    return {name: value for name, value in terms.items() if value is not None}


def read(lot_id: str, fields: Any) -> Lot:
    """A lot from the user document. Raises ValueError when it is malformed."""
    return _read(lot_id, mapping(fields), "remaining")


def read_parts(value: Any) -> Lots:
    """Stored parts. Raises ValueError when they are malformed."""
    parts = map(mapping, array(value))
    return tuple(_read(text(part.get("lot")), part, "credits") for part in parts)


def _read(lot_id: str, fields: Mapping[str, Any], credits: str) -> Lot:
    number = whole_number(fields.get(credits))
    if number < 0:
        raise ValueError(f"{credits} is below zero")
    expires_at, purchase_id = fields.get("expiresAt"), fields.get("purchaseId")
    return Lot(
        lot_id,
        Kind(text(fields.get("kind"))),
        number,
        None if expires_at is None else instant(expires_at),
        whole_number(fields.get("priority")),
        instant(fields.get("grantedAt")),
        None if purchase_id is None else text(purchase_id),
    )
