"""The ledger: every credit that leaves or enters an account, one immutable entry each.

The rules, all of them here: a balance never falls below zero; an entry and the balance it leaves
are written together; entries are numbered without a gap; the id of an entry says what it is for,
so it can be written once only.
"""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from imagegen import clock, db, paging
from imagegen.auth import Caller
from imagegen.errors import (
    GenerationRequestNotFound,
    IdempotencyKeyReused,
    ImagegenError,
    InsufficientCredits,
    UserNotFound,
)
from imagegen.store import Document, Query
from imagegen.wire import DocumentId, PageSize, Timestamp, WireModel, is_none

USAGE_DAYS = 14
USAGE_WEEKS = 9
MAX_PAGE_SIZE = 1000
SEQUENCE = TypeAdapter(Annotated[int, Field(ge=1, le=2**53, strict=True)])

EntryType = Literal["deduction", "refund", "grant"]


class GetUserCredits(WireModel):
    """Whose balance and history; paging of the history is optional."""

    user_id: DocumentId
    page_size: PageSize = 0
    page_token: str | None = None


class LedgerEntry(WireModel):
    """One line of a user's history; `credits` is positive, `type` says which way they went."""

    id: str
    type: EntryType
    credits: int
    generation_request_id: str | None
    timestamp: Timestamp


class UserCredits(WireModel):
    """The balance, and the entries that explain it, newest first."""

    current_credits: int
    transactions: list[LedgerEntry]
    next_page_token: str | None = Field(default=None, exclude_if=is_none)


def statement(asked: GetUserCredits, caller: Caller) -> UserCredits:
    """The balance of a user and a page of the history, from the newest entry back.

    Balance and entries belong to one moment: entries younger than the balance are left out.

    Raises NotOwner, UserNotFound, InvalidField (page token).
    """
    caller.require_access_to(asked.user_id)
    bound_to = ("transactions", asked.user_id)
    before = paging.position(asked.page_token, bound_to, SEQUENCE) if asked.page_token else None
    (user,) = db.read(db.user(asked.user_id))
    if not user.exists:
        raise UserNotFound(userId=asked.user_id)
    newest = _sequence(user) if before is None else before - 1
    size = min(asked.page_size or MAX_PAGE_SIZE, MAX_PAGE_SIZE)
    entries = _entries(asked.user_id, newest, size + 1)
    token = paging.token(entries[size - 1]["sequence"], bound_to) if len(entries) > size else None
    return UserCredits(
        current_credits=balance(user),
        transactions=[_as_entry(entry) for entry in entries[:size]],
        next_page_token=token,
    )


def _entries(user_id: str, newest: int, limit: int) -> list[Document]:
    if newest < 1:
        return []
    return db.query(
        Query(
            db.entries(user_id),
            where=[("sequence", "<=", newest)],
            order_by=("sequence", "DESCENDING"),
            limit=limit,
        )
    )


def _as_entry(entry: Document) -> LedgerEntry:
    return LedgerEntry(
        id=entry.id,
        type=entry["type"],
        credits=entry["credits"],
        generation_request_id=entry.get("generationRequestId"),
        timestamp=entry["timestamp"],
    )


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
    user = transaction[db.user(user_id)]
    if not user.exists:
        raise UserNotFound(userId=user_id)
    available = balance(user)
    if available < credits:
        raise InsufficientCredits(required=credits, available=available)
    transaction.update(user.path, {"usage": _used(user, clock.local_date(moment), credits)})
    _append(
        transaction,
        user_id,
        "deduction",
        -credits,
        moment,
        reason="generation",
        generation_request_id=generation_request_id,
        entry_id=f"{generation_request_id}-deduction",
    )


def refund(
    transaction: db.Transaction, request: Document, moment: datetime, *, reason: str
) -> None:
    """Give back what `request` was charged; the amount is the request's own.

    The caller ends the request in the same transaction, so that this cannot happen twice.
    """
    user = transaction[db.user(request["userId"])]
    charged_on = clock.local_date(request["createdAt"])
    transaction.update(user.path, {"usage": _used(user, charged_on, -request["credits"])})
    _append(
        transaction,
        request["userId"],
        "refund",
        request["credits"],
        moment,
        reason=reason,
        generation_request_id=request.id,
        entry_id=f"{request.id}-refund",
    )


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
        "grant",
        credits,
        moment,
        reason=reason,
        generation_request_id=request_id,
        entry_id=entry.id,
    )


def balance(user: Document) -> int:
    """The credits of a user; a document without any has none.

    Raises ImagegenError when somebody has written something that is no number of credits.
    """
    credits = user.get("credits", 0)
    if type(credits) is not int or credits < 0:
        raise ImagegenError(f"{user.path} holds credits {credits!r}; a whole number is needed")
    return credits


def _sequence(user: Document) -> int:
    return int(user.get("ledgerSequence", 0))


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
    user = transaction[db.user(user_id)]
    balance_after, sequence = balance(user) + change, _sequence(user) + 1
    transaction.update(
        user.path,
        {"credits": balance_after, "ledgerSequence": sequence, "updatedAt": moment},
    )
    transaction.create(
        f"{db.entries(user_id)}/{entry_id}",
        {
            "type": entry_type,
            "credits": abs(change),
            "generationRequestId": generation_request_id,
            "balanceAfter": balance_after,
            "sequence": sequence,
            "timestamp": moment,
            "reason": reason,
        },
    )


def _used(user: Document, day: date, credits: int) -> dict[str, Any]:
    """The user's `usage` after `credits` more (or fewer) were spent on `day`.

    Net credits of the last 14 days and 9 ISO weeks that saw any; what is older falls away.
    """
    usage: Mapping[str, Any] = user.get("usage") or {}
    days: dict[str, int] = dict(usage.get("days", {}))
    weeks: dict[str, Mapping[str, int]] = dict(usage.get("weeks", {}))
    days[day.isoformat()] = days.get(day.isoformat(), 0) + credits
    newest = date.fromisoformat(max(days))
    oldest_day = (newest - timedelta(days=USAGE_DAYS - 1)).isoformat()
    oldest_week = clock.iso_week(newest - timedelta(weeks=USAGE_WEEKS - 1))
    days = {each: spent for each, spent in days.items() if each >= oldest_day and spent}
    week = clock.iso_week(day)
    spent_before = weeks.get(week, {}).get("credits", 0)
    weeks[week] = {
        "credits": spent_before + credits,
        "busiestDay": max(
            (
                spent
                for each, spent in days.items()
                if clock.iso_week(date.fromisoformat(each)) == week
            ),
            default=0,
        ),
    }
    return {
        "days": days,
        "weeks": {
            each: spent for each, spent in weeks.items() if each >= oldest_week and spent["credits"]
        },
    }
