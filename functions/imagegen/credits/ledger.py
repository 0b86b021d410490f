"""The ledger: every credit that leaves or enters an account, one immutable entry each.

The rules, all of them here: a balance never falls below zero; an entry and the balance it leaves
are written together; entries are numbered without a gap; the id of an entry says what it is for,
so it can be written once only.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from imagegen import clock, db
from imagegen.credits import usage
from imagegen.credits.user import MAX_CREDITS, UserDocument
from imagegen.errors import (
    GenerationRequestNotFound,
    IdempotencyKeyReused,
    InsufficientCredits,
    UserNotFound,
)
from imagegen.firestore.store import Document
from imagegen.firestore.stored import Field, Stored, instant, text, whole_number


class EntryType(StrEnum):
    """What an entry is for."""

    DEDUCTION = "deduction"
    REFUND = "refund"
    GRANT = "grant"


# Every type changes a balance in one direction only.
SIGNS: Mapping[EntryType, int] = {
    EntryType.DEDUCTION: -1,
    EntryType.REFUND: 1,
    EntryType.GRANT: 1,
}


class EntryDocument(Stored):
    """`users/{userId}/transactions/{entryId}`: written once, never changed."""

    type = Field("type", EntryType)
    credits = Field("credits", whole_number)
    delta = Field("delta", whole_number)
    generation_request_id: Field[str | None] = Field("generationRequestId", text, None)
    balance_after = Field("balanceAfter", whole_number)
    sequence = Field("sequence", whole_number)
    timestamp = Field("timestamp", instant)
    reason = Field("reason", text, "")


def delta(entry: Mapping[str, Any]) -> int:
    """What a stored entry did to the balance, signed.

    Entries written before `delta` was stored have it derived from their type.

    Raises ValueError for a type that is not known: no sum may guess its direction.
    """
    stored = entry.get("delta")
    sign = SIGNS[EntryType(entry["type"])]
    return int(stored) if stored is not None else sign * int(entry["credits"])


def deduct(
    transaction: db.Transaction,
    user_id: str,
    generation_request_id: str,
    credits: int,
    moment: datetime,
) -> None:
    """Take `credits` from the user for a generation request.

    Raises UserNotFound, and InsufficientCredits when the balance does not cover them.
    """
    user = UserDocument(transaction[db.user(user_id)])
    if not user.exists:
        raise UserNotFound(userId=user_id)
    if user.credits < credits:
        raise InsufficientCredits(required=credits, available=user.credits)
    _record_usage(transaction, user, moment, moment, credits)
    _append(
        transaction,
        user_id,
        EntryType.DEDUCTION,
        -credits,
        moment,
        reason="generation",
        generation_request_id=generation_request_id,
        entry_id=f"{generation_request_id}-deduction",
    )


def refund(
    transaction: db.Transaction,
    user_id: str,
    generation_request_id: str,
    credits: int,
    moment: datetime,
    *,
    charged_at: datetime,
    reason: str,
) -> None:
    """Give back the `credits` that a generation request was charged at `charged_at`.

    The caller ends the request in the same transaction, so that this cannot happen twice.
    """
    user = UserDocument(transaction[db.user(user_id)])
    _record_usage(transaction, user, charged_at, moment, -credits)
    _append(
        transaction,
        user_id,
        EntryType.REFUND,
        credits,
        moment,
        reason=reason,
        generation_request_id=generation_request_id,
        entry_id=f"{generation_request_id}-refund",
    )


def _record_usage(
    transaction: db.Transaction,
    user: UserDocument,
    charged_at: datetime,
    moment: datetime,
    credits: int,
) -> None:
    spent = usage.after(user, clock.local_date(charged_at), credits, today=clock.local_date(moment))
    transaction.update(user.path, UserDocument.fields(usage=spent))


@dataclass(frozen=True)
class Granted:
    """The entry of a grant, and the balance of the user after it, or after later entries."""

    entry_id: str
    is_new: bool  # False: the key had given these credits before
    balance: int


def grant_credits(
    user_id: str,
    credits: int,
    *,
    key: str,
    reason: str,
    generation_request_id: str | None = None,
) -> Granted:
    """Give the user `credits`, once for each key, in a transaction of its own.

    Raises what `grant` raises; ValueError for an empty key or reason; BackendUnavailable and
    OutcomeUnknown, after which the same call may be repeated.
    """
    if not key.strip() or not reason.strip():
        raise ValueError("a grant needs a key and a reason")
    paths = [grant_path(user_id, key), db.user(user_id)]
    if generation_request_id is not None:
        paths.append(db.generation_request(generation_request_id))
    is_new = False

    def decide(transaction: db.Transaction) -> None:
        nonlocal is_new
        entry, _, *requests = (transaction[path] for path in paths)
        is_new = not entry.exists
        request = requests[0] if requests else None
        grant(transaction, user_id, credits, clock.now(), key=key, reason=reason, request=request)

    documents = db.transact(decide, *paths)
    entry, user, *_ = (documents[path] for path in paths)
    return Granted(entry.id, is_new, UserDocument(user).credits)


def grant_path(user_id: str, key: str) -> str:
    """Where the grant lies that the user gets under `key`: one key, one grant."""
    return f"{db.entries(user_id)}/{hashlib.sha256(key.encode()).hexdigest()[:32]}-grant"


def grant(
    transaction: db.Transaction,
    user_id: str,
    credits: int,
    moment: datetime,
    *,
    key: str,
    reason: str,
    request: Document | None = None,
) -> None:
    """Give the user `credits`, once for each key: for a completed `request`, or for none.

    The transaction has read the user and `grant_path`. The request may have been read only, as a
    completed one never changes.

    Raises UserNotFound; IdempotencyKeyReused when the key has given something else;
    GenerationRequestNotFound when the request is not the user's; ValueError when it has not
    completed (its refund is all that is owed for it), or when the grant is none.
    """
    if credits <= 0:
        raise ValueError("a grant gives at least one credit")
    if not transaction[db.user(user_id)].exists:
        raise UserNotFound(userId=user_id)
    if request is not None and (not request.exists or request["userId"] != user_id):
        raise GenerationRequestNotFound(generationRequestId=request.id)
    if request is not None and request["status"] != "completed":
        raise ValueError(f"request {request.id} is {request['status']}, not completed")
    entry = transaction[grant_path(user_id, key)]
    request_id = request.id if request is not None else None
    content = {"credits": credits, "reason": reason, "generationRequestId": request_id}
    if entry.exists:
        if any(entry.get(name) != value for name, value in content.items()):
            raise IdempotencyKeyReused("This key has been used for another grant.")
        return
    _append(
        transaction,
        user_id,
        EntryType.GRANT,
        credits,
        moment,
        reason=reason,
        generation_request_id=request_id,
        entry_id=entry.id,
    )


def _append(
    transaction: db.Transaction,
    user_id: str,
    entry_type: EntryType,
    change: int,
    moment: datetime,
    *,
    reason: str,
    generation_request_id: str | None,
    entry_id: str,
) -> None:
    user = UserDocument(transaction[db.user(user_id)])
    balance_after, sequence = user.credits + change, user.ledger_sequence + 1
    if balance_after > MAX_CREDITS:
        raise user.malformed("credits", balance_after)
    transaction.update(
        user.path,
        UserDocument.fields(credits=balance_after, ledger_sequence=sequence, updated_at=moment),
    )
    transaction.create(
        f"{db.entries(user_id)}/{entry_id}",
        EntryDocument.fields(
            type=entry_type,
            credits=abs(change),
            delta=change,
            generation_request_id=generation_request_id,
            balance_after=balance_after,
            sequence=sequence,
            timestamp=moment,
            reason=reason,
        ),
    )
