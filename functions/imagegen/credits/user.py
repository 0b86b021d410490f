"""The user document: a balance, and what the limits and the report know about a user."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from imagegen.errors import AccountUnusable
from imagegen.firestore.stored import Field, Stored, instant, mapping, whole_number

MAX_CREDITS = 2**53  # JavaScript clients read no larger number exactly


def _count(value: Any) -> int:
    number = whole_number(value)
    if not 0 <= number <= MAX_CREDITS:
        raise ValueError("out of range")
    return number


class UserDocument(Stored):
    """`users/{userId}`. A document that holds only `credits` is complete."""

    malformed_error = AccountUnusable

    credits = Field("credits", _count, 0, strict=True)
    ledger_sequence = Field("ledgerSequence", _count, 0, strict=True)
    # Rebuilt from empty when malformed: none of these may stand in the way of a refund.
    usage: Field[Mapping[str, Any]] = Field("usage", mapping, {})
    rate: Field[Mapping[str, Any]] = Field("rate", mapping, {})
    in_flight: Field[Mapping[str, Any]] = Field("inFlight", mapping, {})
    created_at: Field[datetime | None] = Field("createdAt", instant, None)
    updated_at: Field[datetime | None] = Field("updatedAt", instant, None)
