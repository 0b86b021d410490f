"""Ledger entries: each by itself, and all of them against the balance."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

from imagegen.credits.entries import SIGNS, EntryType
from imagegen.firestore.stored import array, text, whole_number

MAX_CREDITS = 2**53  # JavaScript clients read no larger number exactly
# The types of entries that exist only for a generation request.
OF_REQUESTS = (EntryType.DEDUCTION, EntryType.REFUND)


class Entry(NamedTuple):
    """A ledger entry that makes sense by itself."""

    id: str
    type: EntryType
    delta: int  # what it did to the balance, signed
    request_id: str | None
    balance_after: int
    sequence: int
    lots: tuple[tuple[str, int], ...]  # what of which lot; empty in entries without lots


def read_entry(entry_id: str, fields: Mapping[str, Any]) -> Entry:
    """A stored entry.

    Raises ValueError if its type is unknown, or if its fields are malformed or contradict each
    other.
    """
    stored_type: Any = fields.get("type")
    try:
        entry_type = EntryType(stored_type)
    except ValueError:
        raise ValueError(f"its type {stored_type!r} is unknown") from None
    request_id = fields.get("generationRequestId")
    if not (isinstance(request_id, str) or (request_id is None and entry_type not in OF_REQUESTS)):
        raise ValueError(f"its generationRequestId is {request_id!r}")
    credits = _number(fields, "credits")
    if credits <= 0:
        raise ValueError(f"its credits are {credits}")
    delta = SIGNS[entry_type] * credits
    if fields.get("delta") is not None and _number(fields, "delta") != delta:
        raise ValueError(f"its delta is {fields['delta']}, but it is a {entry_type} of {credits}")
    if not isinstance(fields.get("timestamp"), datetime):
        raise ValueError(f"its timestamp is {fields.get('timestamp')!r}")
    balance_after, sequence = _number(fields, "balanceAfter"), _number(fields, "sequence")
    lots = _lots(fields)
    if lots and sum(part for _, part in lots) != credits:
        raise ValueError(f"its lots are {fields['lots']!r}, but its credits are {credits}")
    return Entry(entry_id, entry_type, delta, request_id, balance_after, sequence, lots)


def _lots(fields: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    try:
        parts = array(fields.get("lots", ()))
        return tuple((text(part["lot"]), whole_number(part["credits"])) for part in parts)
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"its lots are {fields['lots']!r}") from None


def _number(fields: Mapping[str, Any], name: str) -> int:
    try:
        return whole_number(fields.get(name))
    except ValueError:
        raise ValueError(f"its {name} is {fields.get(name)!r}") from None


def check_balance(
    user: Mapping[str, Any] | None, entries: Sequence[Entry], opening: int | None
) -> Iterator[tuple[str, str]]:
    if user is None:
        if entries:
            yield "I2", f"there is no user document, but {len(entries)} ledger entries"
        return
    balance = user.get("credits", 0)
    if not is_count(balance):
        yield "I1", f"the balance is {balance!r}"
    for entry in entries:
        if entry.balance_after < 0:
            yield "I1", f"entry {entry.id} left a balance of {entry.balance_after}"
    if opening is None and entries:
        opening = entries[0].balance_after - entries[0].delta
    if opening is None:
        return
    expected = opening + sum(entry.delta for entry in entries)
    if balance != expected:
        yield "I2", f"the balance is {balance!r}, by the ledger it should be {expected}"
    if entries and entries[0].balance_after != opening + entries[0].delta:
        yield "I3", f"entry {entries[0].id} does not follow from the opening balance {opening}"


def check_sequence(
    user: Mapping[str, Any] | None, entries: Sequence[Entry]
) -> Iterator[tuple[str, str]]:
    for position, entry in enumerate(entries, start=1):
        if entry.sequence != position:
            yield "I3", f"entry {entry.id} is number {entry.sequence}, it should be {position}"
            return  # the numbers of all later ones are wrong as well
    for before, after in pairwise(entries):
        expected = before.balance_after + after.delta
        if after.balance_after != expected:
            yield (
                "I3",
                f"entry {after.id} says balanceAfter {after.balance_after}, "
                f"it should be {expected}",
            )
    last = 0 if user is None else user.get("ledgerSequence", 0)
    if not is_count(last):
        yield "I3", f"ledgerSequence is {last!r}"
    elif user is not None and last != len(entries):
        yield "I3", f"ledgerSequence is {last}, but there are {len(entries)} entries"


def is_count(value: Any) -> bool:
    """Whether the ledger can work with a number: whole, 100.0 included, and not below zero."""
    try:
        return 0 <= whole_number(value) <= MAX_CREDITS
    except ValueError:
        return False
