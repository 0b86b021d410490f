"""Generation requests as their owners see them: one by its id, or a listing."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, TypeAdapter

from imagegen import db
from imagegen.api import paging
from imagegen.api.auth import Caller
from imagegen.api.schema import DocumentId, PageSize, Reply, Timestamp, WireModel, is_none
from imagegen.catalogue import catalogue
from imagegen.errors import GenerationRequestNotFound
from imagegen.firestore.store import Document, Query
from imagegen.generation.request import Source

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100
RETRY_AFTER_SECONDS = "2"  # when to look again at a request that is still open
# Creation time, in UTC so that it is known to have such a form, and id of a page's last request.
POSITION = TypeAdapter(
    tuple[
        Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))], DocumentId
    ]
)

Status = Literal["pending", "processing", "completed", "failed", "canceled"]
FilterValue = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class NamedRequest(WireModel):
    """Which generation request."""

    generation_request_id: DocumentId


class ListGenerationRequests(WireModel):
    """Whose requests, and which of them."""

    user_id: DocumentId
    status: Status | None = None
    model: FilterValue | None = None
    style: FilterValue | None = None
    color: FilterValue | None = None
    size: FilterValue | None = None
    page_size: PageSize = 0
    page_token: str | None = None


class Fault(WireModel):
    """Why there is no image."""

    reason: str
    message: str


class GenerationRequest(WireModel):
    """A generation request, whole."""

    generation_request_id: str
    user_id: str
    status: Status
    mode: Literal["sync", "async"]
    model: str
    style: str
    color: str
    size: str
    prompt: str
    source: Source | None = Field(default=None, exclude_if=is_none)
    image_url: str | None
    deducted_credits: int
    refunded_credits: int
    error: Fault | None
    created_at: Timestamp
    started_at: Timestamp | None
    completed_at: Timestamp | None


class GenerationRequests(WireModel):
    """A page of generation requests, newest first."""

    generation_requests: list[GenerationRequest]
    next_page_token: str | None = Field(default=None, exclude_if=is_none)


def status(asked: NamedRequest, caller: Caller) -> Reply:
    """A request by its id; while it is open, Retry-After says when to ask again.

    Raises GenerationRequestNotFound, also for the request of somebody else.
    """
    seen = as_seen(find(asked, caller))
    is_open = seen.status in ("pending", "processing")
    return Reply(seen, headers={"Retry-After": RETRY_AFTER_SECONDS} if is_open else {})


def listing(asked: ListGenerationRequests, caller: Caller) -> GenerationRequests:
    """A user's requests, newest first, ids breaking ties.

    Raises NotOwner, InvalidField (page token).
    """
    caller.require_access_to(asked.user_id)
    filters = _filters(asked)
    bound_to = ("generationRequests", asked.user_id, *filters)
    after = paging.position(asked.page_token, bound_to, POSITION) if asked.page_token else None
    size = min(asked.page_size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    found = db.query(requests_query(asked.user_id, filters, size + 1, after))
    token = None
    if len(found) > size:
        last = found[size - 1]
        token = paging.token([last["createdAt"].isoformat(), last.id], bound_to)
    return GenerationRequests(
        generation_requests=[as_seen(request) for request in found[:size]], next_page_token=token
    )


def _filters(asked: ListGenerationRequests) -> list[tuple[str, str]]:
    """The filters that were asked for, in the catalogue's spelling where it knows the name."""
    filters: list[tuple[str, str]] = [("status", asked.status)] if asked.status else []
    named = {
        field: value for field in catalogue.FIELDS if (value := getattr(asked, field)) is not None
    }
    if named:
        offers = catalogue.current()
        filters += [(field, offers.spelling(field, value)) for field, value in named.items()]
    return filters


def requests_query(
    user_id: str,
    filters: Sequence[tuple[str, str]],
    limit: int,
    after: tuple[datetime, str] | None = None,
) -> Query:
    """The query behind a listing."""
    return Query(
        "generationRequests",
        where=[("userId", "==", user_id), *((field, "==", value) for field, value in filters)],
        order_by=("createdAt", "DESCENDING"),
        limit=limit,
        start_after=after,
    )


def find(asked: NamedRequest, caller: Caller) -> Document:
    """The document of a request that the caller may see.

    Raises GenerationRequestNotFound, also for the request of somebody else: no answer tells whether
    it exists.
    """
    (request,) = db.read(db.generation_request(asked.generation_request_id))
    if not request.exists or not caller.may_access(request["userId"]):
        raise GenerationRequestNotFound(generationRequestId=asked.generation_request_id)
    return request


def as_seen(request: Document) -> GenerationRequest:
    """The public fields of a request; a refund is what ended it without an image gave back."""
    refunded = request["status"] in ("failed", "canceled")
    error: dict[str, Any] | None = request["error"]
    return GenerationRequest(
        generation_request_id=request.id,
        user_id=request["userId"],
        status=request["status"],
        mode=request["mode"],
        model=request["model"],
        style=request["style"],
        color=request["color"],
        size=request["size"],
        prompt=request["prompt"],
        source=request.get("source"),
        image_url=request["imageUrl"],
        deducted_credits=request["credits"],
        refunded_credits=request["credits"] if refunded else 0,
        error=Fault(reason=error["reason"], message=error["message"]) if error else None,
        created_at=request["createdAt"],
        started_at=request["startedAt"],
        completed_at=request["completedAt"],
    )
