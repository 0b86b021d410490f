"""What clients may ask about credits."""

from typing import Annotated

from pydantic import Field, TypeAdapter

from imagegen import db
from imagegen.api import paging
from imagegen.api.auth import Caller
from imagegen.api.endpoint import Success, endpoint
from imagegen.api.schema import DEFERRED, PageSize, PageToken, UserId, WireModel
from imagegen.credits import ledger
from imagegen.credits.entries import EntryDocument
from imagegen.credits.replies import LedgerEntry, UserCredits, View
from imagegen.errors import AccountUnusable, NotOwner, UserNotFound
from imagegen.firestore.store import Document, Query
from imagegen.firestore.stored import readable

DEFAULT_PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000
SEQUENCE = TypeAdapter(Annotated[int, Field(ge=1, le=2**53, strict=True)], config=DEFERRED)


class GetUserCredits(WireModel):
    """Whose balance and history to read; paging of the history is optional."""

    user_id: UserId
    view: Annotated[
        View | None, Field(description="`full` also shows what the balance consists of.")
    ] = None
    page_size: PageSize = 0
    page_token: PageToken = None


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
            },
            "fullView": {
                "currentCredits": 97,
                "transactions": [
                    {
                        "id": "0d3c1f5c7f1e4b0f9f6f2f0a54b7c9de-deduction",
                        "type": "deduction",
                        "credits": 3,
                        "generationRequestId": "0d3c1f5c7f1e4b0f9f6f2f0a54b7c9de",
                        "timestamp": "2026-11-21T12:30:00.000000Z",
                        "delta": -3,
                        "balanceAfter": 97,
                        "reason": "generation",
                    }
                ],
                "lots": [
                    {
                        "id": "signup-grant",
                        "kind": "trial",
                        "remaining": 17,
                        "expiresAt": "2026-12-18T08:00:00.000000Z",
                    },
                    {"id": "p-7d21", "kind": "purchase", "remaining": 80, "expiresAt": None},
                ],
                "totals": {
                    "allowance": 0,
                    "trial": 17,
                    "promotional": 0,
                    "subscription": 0,
                    "purchased": 80,
                    "granted": 0,
                    "opening": 0,
                },
                "nextExpiry": {"credits": 17, "expiresAt": "2026-12-18T08:00:00.000000Z"},
                "debt": 0,
            },
        },
    ),
    errors=(NotOwner, UserNotFound, AccountUnusable),
)
def get_user_credits(body: GetUserCredits, caller: Caller) -> UserCredits:
    """Read a balance and its history.

    The balance and the entries that explain it, newest first. A page holds `pageSize` of them, 100
    by default and 1,000 at most; `nextPageToken` is there when there are older ones.
    With `view: full` also what the balance consists of.
    """
    caller.require_access_to(body.user_id)
    bound_to = ("transactions", body.user_id)
    before = paging.position(body.page_token, bound_to, SEQUENCE) if body.page_token else None
    user = ledger.read_account(body.user_id, caller)
    # Entries younger than the balance are left out: both belong to one moment.
    newest = user.ledger_sequence if before is None else before - 1
    size = min(body.page_size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    entries = _entries(body.user_id, newest, size + 1)
    has_more = len(entries) > size
    last = EntryDocument(entries[size - 1]).sequence if has_more else None
    balance = UserCredits(
        current_credits=user.credits,
        # One that a newer release has written, before a rollback, hides no other.
        transactions=readable(
            entries[:size],
            EntryDocument,
            lambda entry: LedgerEntry.from_document(entry, body.view),
        ),
        next_page_token=paging.token(last, bound_to) if has_more else None,
    )
    return balance.with_lots_of(user) if body.view is View.FULL else balance


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
