"""Generation requests against the ledger entries that name them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from imagegen.audit.entries import OF_REQUESTS, Entry
from imagegen.audit.lots import check_parts
from imagegen.credits.entries import EntryType
from imagegen.firestore.stored import whole_number

# Recovery starts every five minutes and may take nearly as long.
RECOVERY = timedelta(minutes=10)
OPEN = ("pending", "processing")
# By status: the types of the entries that a request must have.
REQUIRED = {
    "completed": {EntryType.DEDUCTION},
    "failed": {EntryType.DEDUCTION, EntryType.REFUND},
    "canceled": {EntryType.DEDUCTION, EntryType.REFUND},
    "pending": {EntryType.DEDUCTION},
    "processing": {EntryType.DEDUCTION},
}


def check_request(
    request: Mapping[str, Any] | None, entries: Sequence[Entry], moment: datetime
) -> Iterator[tuple[str, str]]:
    """What is wrong with a request and its entries; None if the user has no such request."""
    required = [entry for entry in entries if entry.type in OF_REQUESTS]
    yield from _check_entries(required)
    if request is None:
        yield "I6", f"the user has no such request, but entries: {_listed(entries)}"
        return
    status = request.get("status")
    if not isinstance(status, str) or status not in REQUIRED:
        yield "I6", f"the status is {status!r}"
        return
    yield from _check_fields(request, is_open=status in OPEN)
    if {entry.type for entry in required} != REQUIRED[status]:
        yield "I6", f"it is {status}, but its entries are: {_listed(required)}"
    for entry in required:
        if entry.type is EntryType.DEDUCTION and -entry.delta != request.get("credits"):
            yield "I6", f"it costs {request.get('credits')!r}, but {-entry.delta} were deducted"
    deduction = next((entry for entry in required if entry.type is EntryType.DEDUCTION), None)
    yield from check_parts(request, deduction)
    if len(required) < len(entries) and status != "completed":
        yield "I6", f"it is {status}, but there is a grant for it"
    is_deleted = isinstance(request.get("imageDeletedAt"), datetime)
    if status == "completed" and not is_deleted and not _has_image(request):
        yield "I6", "it is completed, but has no image"
    if status in OPEN and _is_late(request.get("expiresAt"), moment):
        yield "I10", f"it is still {status}, though it expired at {request['expiresAt']}"


def _check_fields(request: Mapping[str, Any], *, is_open: bool) -> Iterator[tuple[str, str]]:
    """What the app cannot do without; recovery finds no request without expiresAt."""
    if not _is_price(request.get("credits")):
        yield "I6", f"its credits are {request.get('credits')!r}"
    for field in ("createdAt", "expiresAt") if is_open else ("createdAt",):
        if not isinstance(request.get(field), datetime):
            yield "I6", f"its {field} is {request.get(field)!r}"


def _check_entries(required: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    deductions = [entry for entry in required if entry.type is EntryType.DEDUCTION]
    refunds = [entry for entry in required if entry.type is EntryType.REFUND]
    for entry_type, same in ((EntryType.DEDUCTION, deductions), (EntryType.REFUND, refunds)):
        if len(same) > 1:
            yield "I4", f"{len(same)} entries of type {entry_type}"
    for entry in required:
        if entry.id != f"{entry.request_id}-{entry.type}":
            # The id is what keeps an entry from being written twice.
            yield "I4", f"its {entry.type} has the id {entry.id}"
    for entry in refunds:
        if not deductions:
            yield "I5", f"{entry.delta} credits were refunded that were never deducted"
        elif -deductions[0].delta != entry.delta:
            yield "I5", f"{-deductions[0].delta} credits deducted, {entry.delta} refunded"
        elif entry.sequence < deductions[0].sequence:
            yield "I5", "refunded before it was charged"


def _listed(entries: Sequence[Entry]) -> str:
    return ", ".join(f"{entry.type} of {abs(entry.delta)}" for entry in entries) or "none"


def _has_image(request: Mapping[str, Any]) -> bool:
    url = request.get("imageUrl")
    return isinstance(url, str) and bool(url.strip())


def _is_price(value: Any) -> bool:
    try:
        return whole_number(value) > 0
    except ValueError:
        return False


def _is_late(expires_at: Any, moment: datetime) -> bool:
    return isinstance(expires_at, datetime) and moment > expires_at + RECOVERY
