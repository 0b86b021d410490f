"""Ledger entries: their types, the direction of each, and how they are stored."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from imagegen.firestore.stored import Field, Stored, array, instant, text, whole_number


class EntryType(StrEnum):
    """What an entry is for."""

    DEDUCTION = "deduction"
    REFUND = "refund"
    GRANT = "grant"
    PURCHASE = "purchase"
    EXPIRY = "expiry"
    CLAWBACK = "clawback"
    REINSTATEMENT = "reinstatement"
    TRANSFER_OUT = "transfer_out"
    TRANSFER_IN = "transfer_in"


# Every type changes a balance in one direction only.
SIGNS: Mapping[EntryType, int] = {
    EntryType.DEDUCTION: -1,
    EntryType.REFUND: 1,
    EntryType.GRANT: 1,
    EntryType.PURCHASE: 1,
    EntryType.EXPIRY: -1,
    EntryType.CLAWBACK: -1,
    EntryType.REINSTATEMENT: 1,
    EntryType.TRANSFER_OUT: -1,
    EntryType.TRANSFER_IN: 1,
}


class EntryDocument(Stored):
    """`users/{userId}/transactions/{entryId}`: written once, never changed."""

    type = Field("type", EntryType)
    credits = Field("credits", whole_number)
    delta: Field[int | None] = Field("delta", whole_number, None)
    # [{lot, credits, kind, expiresAt}]: the lots that changed. Absent in entries from before there
    # were lots; expiresAt also where a lot does not expire.
    lots: Field[Sequence[Any]] = Field("lots", array, ())
    generation_request_id: Field[str | None] = Field("generationRequestId", text, None)
    balance_after = Field("balanceAfter", whole_number)
    sequence = Field("sequence", whole_number)
    timestamp = Field("timestamp", instant)
    reason = Field("reason", text, "")

    @property
    def change(self) -> int:
        """What the entry did to the balance, signed; of an old one its type says the direction."""
        return SIGNS[self.type] * self.credits if self.delta is None else self.delta
