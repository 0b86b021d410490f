"""A user's statement: the balance, and the ledger entries that explain it."""

from typing import Annotated

from pydantic import Field, TypeAdapter

from imagegen import db
from imagegen.api import paging
from imagegen.api.auth import Caller
from imagegen.api.schema import DocumentId, PageSize, Timestamp, WireModel, is_none
from imagegen.credits.ledger import EntryDocument, EntryType
from imagegen.credits.user import UserDocument
from imagegen.errors import UserNotFound
from imagegen.firestore.store import Document, Query

MAX_PAGE_SIZE = 1000
SEQUENCE = TypeAdapter(Annotated[int, Field(ge=1, le=2**53, strict=True)])


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
    (document,) = db.read(db.user(asked.user_id))
    user = UserDocument(document)
    if not user.exists:
        raise UserNotFound(userId=asked.user_id)
    newest = user.ledger_sequence if before is None else before - 1
    size = min(asked.page_size or MAX_PAGE_SIZE, MAX_PAGE_SIZE)
    entries = _entries(asked.user_id, newest, size + 1)
    token = paging.token(entries[size - 1]["sequence"], bound_to) if len(entries) > size else None
    return UserCredits(
        current_credits=user.credits,
        transactions=[_as_entry(EntryDocument(entry)) for entry in entries[:size]],
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


def _as_entry(entry: EntryDocument) -> LedgerEntry:
    return LedgerEntry(
        id=entry.id,
        type=entry.type,
        credits=entry.credits,
        generation_request_id=entry.generation_request_id,
        timestamp=entry.timestamp,
    )
