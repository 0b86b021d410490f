"""Generation requests of all users: find one, and see how it was worked on and paid for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from imagegen import db
from imagegen.admin.wire import Page
from imagegen.api import paging
from imagegen.api.auth import Caller
from imagegen.api.endpoint import Success, endpoint
from imagegen.api.schema import DateAndTime, DocumentId, Timestamp, UserId, WireModel, is_none
from imagegen.credits.entries import EntryDocument
from imagegen.credits.lots import Kind
from imagegen.credits.replies import LedgerEntry, View
from imagegen.errors import GenerationRequestNotFound
from imagegen.firestore.store import LATEST, Document, is_document_id
from imagegen.generation import amends
from imagegen.generation.listing import FilterValue, requests_query, shown, spelled
from imagegen.generation.replies import (
    EXAMPLE_COMPLETED,
    EXAMPLE_ID,
    GenerationRequest,
    GenerationRequestPage,
)
from imagegen.generation.request import Status

RequestField = Annotated[DocumentId, Field(description="The generation request.")]


class ListAllGenerationRequests(Page):
    """Which generation requests to list."""

    query: Annotated[str, StringConstraints(max_length=1499)] = Field(
        default="", description="The id of one; the other filters are then ignored."
    )
    user_id: UserId | None = Field(default=None, description="Only those of this user.")
    status: Status | None = Field(default=None, description="Only those with this status.")
    model: FilterValue | None = Field(default=None, description="Only those of this model.")
    from_: DateAndTime | None = Field(
        default=None, alias="from", description="Only those created then or later."
    )
    to: DateAndTime | None = Field(default=None, description="Only those created then or earlier.")


@endpoint(
    methods=("GET",),
    example={"status": "failed", "pageSize": 20},
    success=Success(
        "A page of generation requests.", {"found": {"generationRequests": [EXAMPLE_COMPLETED]}}
    ),
)
def list_all_generation_requests(
    body: ListAllGenerationRequests, caller: Caller
) -> GenerationRequestPage:
    """List the generation requests of all users.

    Newest first; the filters may be combined. A page holds `pageSize` of them, 20 by default and
    100 at most. A page token is valid for the same filters only.
    """
    if query := body.query.strip():
        return GenerationRequestPage(generation_requests=shown(_with_id(query)))
    filters = spelled({"status": body.status, "model": body.model})
    since, until = _utc(body.from_), _utc(body.to) or LATEST
    bound_to = ("generationRequests", body.user_id, *filters, str(since), str(until))
    size = body.size()
    found = db.query(
        requests_query(
            body.user_id, filters, size + 1, body.after(bound_to), since=since, until=until
        )
    )
    return GenerationRequestPage(
        generation_requests=shown(found[:size]),
        next_page_token=paging.next_token(found, size, bound_to),
    )


def _with_id(query: str) -> list[Document]:
    if not is_document_id(query):
        return []
    return [each for each in db.read(db.generation_request(query)) if each.exists]


def _utc(moment: datetime | None) -> datetime | None:
    return moment and moment.astimezone(UTC)


class ChargedLot(WireModel):
    """Credits that a price was taken from."""

    id: str = Field(description="The lot.")
    kind: Kind = Field(description="Where the credits come from.")
    credits: int = Field(description="How many were taken from it.")
    expires_at: Timestamp | None = Field(description="When they expire; null: never.")


class GenerationRequestDetails(GenerationRequest):
    """A generation request, with what only operators see of it."""

    lots: list[ChargedLot] = Field(description="What the price was taken from.")
    attempts: int = Field(description="How often a worker has begun.")
    provider_job: str | None = Field(
        default=None, exclude_if=is_none, description="The provider's own id of the job."
    )
    expires_at: Timestamp | None = Field(
        description="When it counts as lost, if it has not ended by then."
    )
    entries: list[LedgerEntry] = Field(
        description="The ledger entries that belong to it: its price, a refund, goodwill."
    )
    retry_id: str | None = Field(
        default=None,
        exclude_if=is_none,
        description="The generation request by which it was tried again for free.",
    )


class GetGenerationRequest(WireModel):
    """Which generation request to look at."""

    generation_request_id: RequestField


@endpoint(
    methods=("GET",),
    example={"generationRequestId": EXAMPLE_ID},
    success=Success(
        "The generation request.",
        {
            "completed": EXAMPLE_COMPLETED
            | {
                "lots": [{"id": "p-7d21", "kind": "purchase", "credits": 3, "expiresAt": None}],
                "attempts": 1,
                "expiresAt": "2026-11-21T12:40:00.000000Z",
                "entries": [
                    {
                        "id": f"{EXAMPLE_ID}-deduction",
                        "type": "deduction",
                        "credits": 3,
                        "generationRequestId": EXAMPLE_ID,
                        "timestamp": "2026-11-21T12:30:00.000000Z",
                        "delta": -3,
                        "balanceAfter": 97,
                        "reason": "generation",
                    }
                ],
            }
        },
    ),
    errors=(GenerationRequestNotFound,),
)
def get_generation_request(body: GetGenerationRequest, caller: Caller) -> GenerationRequestDetails:
    """Look at a generation request of any user.

    What its user sees of it, what the price was taken from, its ledger entries, and how it was
    worked on.
    """
    request = amends.find(body.generation_request_id)
    entries = db.entries(request.user_id)
    *stored, retried = db.read(
        f"{entries}/{request.id}-deduction",
        f"{entries}/{request.id}-refund",
        amends.goodwill_path(request),
        db.generation_request(amends.retry_id(request.id)),
    )
    shown = GenerationRequest.from_document(request)
    return GenerationRequestDetails(
        **dict(shown),
        lots=[
            ChargedLot(id=part.id, kind=part.kind, credits=part.credits, expires_at=part.expires_at)
            for part in request.lots
        ],
        attempts=request.attempts,
        provider_job=request.provider_job,
        expires_at=request.expires_at,
        entries=[
            LedgerEntry.from_document(EntryDocument(entry), View.FULL)
            for entry in stored
            if entry.exists
        ],
        retry_id=retried.id if retried.exists else None,
    )
