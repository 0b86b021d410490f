"""What must be true of one user's books, in arithmetic of its own: nothing of the app's.

    I1  no balance is below zero
    I2  balance = opening + refunds + grants − deductions
    I3  entries are numbered 1, 2, 3 …, and each balanceAfter follows from the one before
    I4  at most one deduction and one refund for a request
    I5  a refund equals its deduction and never stands without it
    I6  completed: a deduction and no refund; failed or canceled: both; open: a deduction
    I10 no request stays open past its expiresAt and one recovery

The opening is what the user document held before its first entry: whoever was seeded with credits
has nothing in the ledger for them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

# Recovery starts every five minutes and may take nearly as long.
RECOVERY = timedelta(minutes=10)
SIGNS = {"deduction": -1, "refund": 1, "grant": 1}
# status -> the types of entries that a request in it has
ENTRIES_OF = {
    "completed": ["deduction"],
    "failed": ["deduction", "refund"],
    "canceled": ["deduction", "refund"],
    "pending": ["deduction"],
    "processing": ["deduction"],
}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong."""

    invariant: str
    user_id: str
    message: str

    def as_json(self) -> dict[str, str]:
        return {"invariant": self.invariant, "userId": self.user_id, "message": self.message}


class Entry(NamedTuple):
    """A ledger entry whose fields are of the right types; `change` has a sign."""

    id: str
    type: str
    change: int
    request_id: str | None
    balance_after: int
    sequence: int


@dataclass
class Account:
    """All that is known of one user: None and empty where there is no such document."""

    user_id: str
    user: dict[str, Any] | None = None
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)


def faults(account: Account, moment: datetime) -> Iterator[Fault]:
    """Everything that is wrong with one user's books."""

    def fault(invariant: str, message: str) -> Fault:
        return Fault(invariant, account.user_id, message)

    entries = []
    for entry_id, fields in account.entries.items():
        entry = _entry(entry_id, fields)
        if entry is None:
            yield fault("I2", f"entry {entry_id} makes no sense: {fields}")
        else:
            entries.append(entry)
    entries.sort(key=lambda each: (each.sequence, each.id))
    for check in (_balance, _chain):
        for invariant, message in check(account.user, entries):
            yield fault(invariant, message)
    by_request: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.request_id is not None:
            by_request[entry.request_id].append(entry)
    for request_id in sorted({*by_request, *account.requests}):
        request, theirs = account.requests.get(request_id), by_request.get(request_id, [])
        for invariant, message in _request(request, theirs, moment):
            yield fault(invariant, f"request {request_id}: {message}")


def _entry(entry_id: str, fields: dict[str, Any]) -> Entry | None:
    kind, request_id = fields.get("type"), fields.get("generationRequestId")
    numbers = [fields.get(name) for name in ("credits", "balanceAfter", "sequence")]
    if kind not in SIGNS or any(type(number) is not int for number in numbers):
        return None
    credits, balance_after, sequence = (int(number or 0) for number in numbers)
    if credits <= 0 or (request_id is None and kind != "grant"):
        return None
    return Entry(entry_id, kind, SIGNS[kind] * credits, request_id, balance_after, sequence)


def _balance(user: dict[str, Any] | None, entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    if user is None:
        if entries:
            yield "I2", f"there is no user document, but {len(entries)} ledger entries"
        return
    balance = user.get("credits", 0)
    if type(balance) is not int or balance < 0:
        yield "I1", f"the balance is {balance!r}"
    for entry in entries:
        if entry.balance_after < 0:
            yield "I1", f"entry {entry.id} left a balance of {entry.balance_after}"
    if entries:
        opening = entries[0].balance_after - entries[0].change
        expected = opening + sum(entry.change for entry in entries)
        if balance != expected:
            yield "I2", f"the balance is {balance!r}, by the ledger it should be {expected}"


def _chain(user: dict[str, Any] | None, entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    for position, entry in enumerate(entries, start=1):
        if entry.sequence != position:
            yield "I3", f"entry {entry.id} is number {entry.sequence}, it should be {position}"
            return  # all later ones are off as well
    for before, after in pairwise(entries):
        expected = before.balance_after + after.change
        if after.balance_after != expected:
            yield (
                "I3",
                f"entry {after.id} says balanceAfter {after.balance_after}, "
                f"it should be {expected}",
            )
    last = (user or {}).get("ledgerSequence", 0)
    if user is not None and last != len(entries):
        yield "I3", f"ledgerSequence is {last!r}, but there are {len(entries)} entries"


def _request(
    request: dict[str, Any] | None, entries: Sequence[Entry], moment: datetime
) -> Iterator[tuple[str, str]]:
    settling = [entry for entry in entries if entry.type != "grant"]
    kinds = sorted(entry.type for entry in settling)
    yield from _entries_of_one(settling, kinds)
    status = None if request is None else request.get("status")
    if request is None:
        yield "I6", f"the user has no such request, but entries: {_listed(entries)}"
        return
    if status not in ENTRIES_OF:
        yield "I6", f"the status is {status!r}"
        return
    if sorted(set(kinds)) != ENTRIES_OF[status]:
        yield "I6", f"it is {status}, but its entries are: {_listed(settling)}"
    for entry in settling:
        if entry.type == "deduction" and -entry.change != request.get("credits"):
            yield "I6", f"it costs {request.get('credits')!r}, but {-entry.change} were deducted"
    if len(settling) < len(entries) and status != "completed":
        yield "I6", f"it is {status}, but there is a grant for it"
    if status in ("pending", "processing") and not _may_be_open(request.get("expiresAt"), moment):
        yield "I10", f"it is still {status}, though it expired at {request.get('expiresAt')}"


def _entries_of_one(settling: Sequence[Entry], kinds: Sequence[str]) -> Iterator[tuple[str, str]]:
    for kind in sorted({each for each in kinds if kinds.count(each) > 1}):
        yield "I4", f"{kinds.count(kind)} entries of type {kind}"
    for entry in settling:
        if entry.id != f"{entry.request_id}-{entry.type}":
            # Its id is what keeps an entry from being written twice.
            yield "I4", f"its {entry.type} has the id {entry.id}"
    deductions = [entry for entry in settling if entry.type == "deduction"]
    for entry in settling:
        if entry.type != "refund":
            continue
        if not deductions:
            yield "I5", f"{entry.change} credits were refunded that were never deducted"
        elif -deductions[0].change != entry.change:
            yield "I5", f"{-deductions[0].change} credits deducted, {entry.change} refunded"
        elif entry.sequence < deductions[0].sequence:
            yield "I5", "refunded before it was charged"


def _listed(entries: Sequence[Entry]) -> str:
    return ", ".join(f"{entry.type} of {abs(entry.change)}" for entry in entries) or "none"


def _may_be_open(expires_at: Any, moment: datetime) -> bool:
    return isinstance(expires_at, datetime) and moment <= expires_at + RECOVERY
