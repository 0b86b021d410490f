"""What clients may ask about credits."""

from typing import Annotated

from pydantic import Field, TypeAdapter

from imagegen import db
from imagegen.api import paging
from imagegen.api.auth import Caller
from imagegen.api.endpoint import Success, endpoint
from imagegen.api.schema import (
    NextPageToken,
    PageSize,
    PageToken,
    Timestamp,
    UserId,
    WireModel,
)
from imagegen.credits import ledger
from imagegen.credits.entries import EntryDocument, EntryType
from imagegen.errors import AccountUnusable, NotOwner, UserNotFound
from imagegen.firestore.store import Document, Query

DEFAULT_PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000
SEQUENCE = TypeAdapter(Annotated[int, Field(ge=1, le=2**53, strict=True)])


class GetUserCredits(WireModel):
    """Whose balance and history to read; paging of the history is optional."""

    user_id: UserId
    page_size: PageSize = 0
    page_token: PageToken = None


class LedgerEntry(WireModel):
    """One entry of a user's history."""

    id: str = Field(description="The ledger entry.")
    type: EntryType = Field(description="What changed the balance, and in which direction.")
    credits: int = Field(description="Credits, always positive.")
    generation_request_id: str | None = Field(
        description="The generation request; null for entries that belong to none."
    )
    timestamp: Timestamp = Field(description="When the entry was written.")


class UserCredits(WireModel):
    """The balance, and the entries that explain it."""

    current_credits: int = Field(description="The balance.")
    transactions: list[LedgerEntry] = Field(description="The ledger entries, newest first.")
    next_page_token: NextPageToken = None


@endpoint(
    methods=("GET", "POST"),
    example={"userId": "testUser1", "pageSize": 2},
    success=Success(
        "The balance and a page of the history.",
        {
            "firstPage": {
                "currentCredits": 97,
                "transactions": [
                    {
                        "id": "0d3c1f5c7f1e4b0f9f6f2f0a54b7c9de-deduction",
                        "type": "deduction",
                        "credits": 3,
                        "generationRequestId": "0d3c1f5c7f1e4b0f9f6f2f0a54b7c9de",
                        "timestamp": "2026-11-21T12:30:00.000000Z",
                    }
                ],
                "nextPageToken": "WzQsIjNkMDljMmFiNWU3YjYxZjAiXQ",
            }
        },
    ),
    errors=(NotOwner, UserNotFound, AccountUnusable),
)
def get_user_credits(body: GetUserCredits, caller: Caller) -> UserCredits:
    """Read a balance and its history.

    The balance and the entries that explain it, newest first. A page holds `pageSize` of them, 100
    by default and 1,000 at most; `nextPageToken` is there when there are older ones.
    """
    caller.require_access_to(body.user_id)
    bound_to = ("transactions", body.user_id)
    before = paging.position(body.page_token, bound_to, SEQUENCE) if body.page_token else None
    user = ledger.read_account(body.user_id, caller)
    # Entries younger than the balance are left out: both belong to one moment.
    newest = user.ledger_sequence if before is None else before - 1
    size = min(body.page_size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    entries = _entries(body.user_id, newest, size + 1)
    token = paging.token(entries[size - 1]["sequence"], bound_to) if len(entries) > size else None
    return UserCredits(
        current_credits=user.credits,
        transactions=[_ledger_entry(EntryDocument(entry)) for entry in entries[:size]],
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


def _ledger_entry(entry: EntryDocument) -> LedgerEntry:
    return LedgerEntry(
        id=entry.id,
        type=entry.type,
        credits=entry.credits,
        generation_request_id=entry.generation_request_id,
        timestamp=entry.timestamp,
    )
