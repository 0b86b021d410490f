"""The user document: a balance, and what the limits and the report know about a user."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from imagegen import logger
from imagegen.credits.lots import Lot, Lots, held, read
from imagegen.errors import AccountUnusable
from imagegen.firestore.stored import Field, Stored, boolean, instant, mapping, whole_number

MAX_CREDITS = 2**53  # JavaScript clients read no larger number exactly


class AccountStatus(StrEnum):
    """What may be done with an account. Only a tombstone is CLOSED."""

    ACTIVE = "active"
    DISABLED = "disabled"  # by an operator: nothing can be spent or bought
    CLOSING = "closing"  # on its way to its tombstone
    CLOSED = "closed"


def count(value: Any) -> int:
    """A whole number from 0 to MAX_CREDITS. Raises ValueError for any other value."""
    number = whole_number(value)
    if not 0 <= number <= MAX_CREDITS:
        raise ValueError("out of range")
    return number


class UserDocument(Stored):
    """`users/{userId}`. A document that holds only `credits` is complete."""

    malformed_error = AccountUnusable

    credits = Field("credits", count, 0, strict=True)
    ledger_sequence = Field("ledgerSequence", count, 0, strict=True)
    debt = Field("debt", count, 0, strict=True)
    status = Field("status", AccountStatus, AccountStatus.ACTIVE)
    # Opened by a purchase, so that the opening grant is still due.
    signup_due = Field("signupDue", boolean, False)
    # Rebuilt from empty when malformed: none of these may stand in the way of a refund.
    usage: Field[Mapping[str, Any]] = Field("usage", mapping, {})
    allowance: Field[Mapping[str, Any]] = Field("allowance", mapping, {})
    lots: Field[Mapping[str, Any]] = Field("lots", mapping, {})
    rate: Field[Mapping[str, Any]] = Field("rate", mapping, {})
    in_flight: Field[Mapping[str, Any]] = Field("inFlight", mapping, {})
    devices = Field("devices", whole_number, 0)
    created_at: Field[datetime | None] = Field("createdAt", instant, None)
    updated_at: Field[datetime | None] = Field("updatedAt", instant, None)

    @property
    def held_lots(self) -> Lots:
        """What the balance consists of, also what has expired and is not booked yet.

        A malformed lot is logged, and its credits are in the lot `opening`.
        """
        return held(self._read_lots(), self.credits)

    def _read_lots(self) -> Iterator[Lot]:
        for lot_id, fields in self.lots.items():
            try:
                yield read(lot_id, fields)
            except ValueError as error:
                logger.error("malformed lot", path=self.path, lot=lot_id, error=repr(error))
