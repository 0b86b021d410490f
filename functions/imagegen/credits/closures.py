"""Closures: which account holds the money of a user whose account was closed.

An account that is deleted moves to a tombstone, `users/deleted-{random}`, with its ledger and its
purchases; one that is merged gives what was paid for to another account first. A closed account
never opens again. Payments, refunds and disputes that come for it later are booked to its holder.
The id of a closure is a hash, so that it does not name the user.
"""

import hashlib
import re
import uuid
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from imagegen import db
from imagegen.firestore.stored import Field, Stored, array, instant, text, whole_number

TOMBSTONE = "deleted-"  # and 32 hexadecimal digits


class ClosureStatus(StrEnum):
    """How far the closing of an account is."""

    CLOSING = "closing"
    CLOSED = "closed"


class ClosureDocument(Stored):
    """`accountClosures/{hash of the user's id}`."""

    tombstone = Field("tombstone", text)
    status = Field("status", ClosureStatus, ClosureStatus.CLOSED)
    merged_into: Field[str | None] = Field("mergedInto", text, None)
    merged_credits = Field("mergedCredits", whole_number, 0)  # how many moved with the merge
    closed_at: Field[datetime | None] = Field("closedAt", instant, None)
    # Only while the account is closing: whose it is, since when, when its user document has gone,
    # and when the work on it is due again if it is lost. The addresses are those of the user in
    # Firebase Authentication, who is deleted before all texts are.
    user_id: Field[str | None] = Field("userId", text, None)
    emails: Field[Sequence[str]] = Field("emails", array, ())
    began_at: Field[datetime | None] = Field("beganAt", instant, None)
    moved_at: Field[datetime | None] = Field("movedAt", instant, None)
    due_at: Field[datetime | None] = Field("dueAt", instant, None)


def closure_id(user_id: str) -> str:
    return hashlib.sha256(user_id.encode()).hexdigest()


def path(user_id: str) -> str:
    return f"accountClosures/{closure_id(user_id)}"


def new_tombstone() -> str:
    return f"{TOMBSTONE}{uuid.uuid4().hex}"


def is_tombstone(user_id: str) -> bool:
    return re.fullmatch(f"{TOMBSTONE}[0-9a-f]{{32}}", user_id) is not None


def holder(transaction: db.Transaction, user_id: str) -> str:
    """The account that the money of `user_id` belongs to.

    It is the user's own as long as there is one, and where none was ever closed. Otherwise it is
    the account that it was merged into, or its tombstone.
    """
    while not transaction[db.user(user_id)].exists:
        closure = ClosureDocument(transaction[path(user_id)])
        if not closure.exists:
            break
        if closure.merged_into is None:
            return closure.tombstone
        user_id = closure.merged_into
    return user_id


def is_closed(transaction: db.Transaction, user_id: str) -> bool:
    """Whether the user, who has no document, had an account that was closed."""
    return transaction[path(user_id)].exists
