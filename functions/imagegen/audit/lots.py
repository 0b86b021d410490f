"""Lots: those of the user document, and those of purchases against the entries that name them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from imagegen.audit.entries import Entry, is_count
from imagegen.audit.purchases import purchase_of
from imagegen.credits import lots
from imagegen.credits.entries import EntryType


def check_lots(
    user: Mapping[str, Any] | None, entries: Sequence[Entry]
) -> Iterator[tuple[str, str]]:
    """What is wrong with the lots of a user.

    Their sum may differ from the balance: whoever knows `credits` only may have written last. Then,
    and where an entry does not say which lots it changed, nothing can be said of a single lot.
    """
    if user is None:
        return
    if not is_count(user.get("debt", 0)):
        yield "I15", f"the debt is {user['debt']!r}"
    stored = user.get("lots", {})
    if not isinstance(stored, Mapping):
        yield "I12", f"the lots are {stored!r}"
        return
    held = {}
    for lot_id, fields in stored.items():
        try:
            held[lot_id] = lots.read(lot_id, fields).credits
        except ValueError as error:
            yield "I12", f"lot {lot_id} makes no sense: {error}"
            return
    yield from _check_purchases(entries)
    if sum(held.values()) == user.get("credits") and all(entry.lots for entry in entries):
        yield from _check_bought_lots(held, entries)


def _check_purchases(entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """A purchase comes in once, and no more of it is taken back than was bought."""
    bought, taken, moved = Counter[str](), Counter[str](), set[str]()
    for entry in entries:
        if entry.type is EntryType.TRANSFER_OUT:
            moved.update(lot_id for lot_id, _ in entry.lots)
        purchase_id = purchase_of(entry)
        if purchase_id is None:
            continue
        if entry.type is EntryType.PURCHASE:
            if entry.id != f"{purchase_id}-purchase" or purchase_id in bought:
                yield "I13", f"entry {entry.id} is no purchase of its own"
            bought[purchase_id] += entry.delta
        else:
            taken[purchase_id] -= entry.delta
            # What was taken back at another account is given back here if it has returned since.
            least = -bought[purchase_id] if purchase_id in moved else 0
            if purchase_id in bought and not least <= taken[purchase_id] <= bought[purchase_id]:
                yield (
                    "I13",
                    f"after entry {entry.id}, {taken[purchase_id]} of {bought[purchase_id]} bought "
                    "credits are taken back",
                )


def _check_bought_lots(
    held: Mapping[str, int], entries: Sequence[Entry]
) -> Iterator[tuple[str, str]]:
    """What is left of each lot that a purchase brought: such lots are never merged."""
    expected = dict[str, int]()
    for entry in entries:
        for lot_id, credits in entry.lots:
            if entry.type is EntryType.PURCHASE or lot_id in expected:
                change = credits if entry.delta > 0 else -credits
                expected[lot_id] = expected.get(lot_id, 0) + change
                if expected[lot_id] < 0:
                    yield "I12", f"entry {entry.id} takes more of lot {lot_id} than is left"
    for lot_id, left in expected.items():
        if held.get(lot_id, 0) != left:
            found = held.get(lot_id, 0)
            yield "I12", f"lot {lot_id} holds {found}, by the ledger it should hold {left}"


def check_parts(request: Mapping[str, Any], deduction: Entry | None) -> Iterator[tuple[str, str]]:
    """The parts of lots that a request was paid with; older requests have none."""
    if "lots" not in request:
        return
    try:
        parts = lots.read_parts(request["lots"])
    except ValueError as error:
        yield "I12", f"its parts of lots make no sense: {error}"
        return
    if lots.total(parts) != request.get("credits"):
        yield "I12", f"its parts of lots are {lots.total(parts)} of {request.get('credits')!r}"
    elif deduction and deduction.lots != tuple((part.id, part.credits) for part in parts):
        yield "I12", "its parts of lots are not those that were deducted"
    charged_at = request.get("createdAt")
    if isinstance(charged_at, datetime):
        for part in parts:
            if part.is_expired(charged_at):
                yield "I14", f"it was paid from lot {part.id}, which had expired"
