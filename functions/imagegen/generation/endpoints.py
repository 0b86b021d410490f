"""What clients may do with generation requests: create, look at, list and cancel them."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, TypeAdapter

from imagegen import db
from imagegen.api import headers, paging
from imagegen.api.auth import Caller
from imagegen.api.endpoint import AppCheck, Success, endpoint
from imagegen.api.schema import (
    DEFERRED,
    DocumentId,
    PageSize,
    PageToken,
    Reply,
    UserId,
    WireModel,
)
from imagegen.catalogue import catalogue
from imagegen.errors import (
    AccountClosing,
    AccountDisabled,
    AccountUnusable,
    BackendUnavailable,
    ContentRefused,
    GenerationFailed,
    GenerationRequestNotFound,
    GenerationTimeout,
    IdempotencyKeyReused,
    ImageDeleted,
    InsufficientCredits,
    ModelUnavailable,
    ModeNotSupported,
    NotCancelable,
    NotDeletable,
    NotOwner,
    OutcomeUnknown,
    OutstandingDebt,
    PriceChanged,
    PromptRefused,
    RateLimited,
    RequestCanceled,
    RequestInProgress,
    SourceNotSupported,
    UnknownOption,
    UploadNotFound,
    UserNotFound,
)
from imagegen.firestore.store import Document, Query
from imagegen.firestore.stored import MalformedDocument
from imagegen.generation import create, deletion
from imagegen.generation.replies import (
    RETRY_AFTER_SECONDS,
    Generation,
    GenerationRequest,
    GenerationRequestPage,
)
from imagegen.generation.request import (
    OPEN,
    CreateGenerationRequest,
    Mode,
    RequestDocument,
    Status,
)
from imagegen.generation.settle import Outcome, settle

EXAMPLE_ORDER = {
    "userId": "testUser1",
    "model": "Model A",
    "style": "anime",
    "color": "neon",
    "size": "1024x1024",
    "prompt": "A lighthouse at dusk",
}
EXAMPLE_ID = "0d3c1f5c7f1e4b0f9f6f2f0a54b7c9de"
EXAMPLE_COMPLETED: dict[str, Any] = {
    "generationRequestId": EXAMPLE_ID,
    **EXAMPLE_ORDER,
    "status": "completed",
    "mode": "async",
    "imageUrl": "https://example.com/images/model-a.png",
    "deductedCredits": 3,
    "refundedCredits": 0,
    "error": None,
    "createdAt": "2026-11-21T12:30:00.000000Z",
    "startedAt": "2026-11-21T12:30:01.000000Z",
    "completedAt": "2026-11-21T12:30:05.000000Z",
}
EXAMPLE_REFUNDED = EXAMPLE_COMPLETED | {"imageUrl": None, "refundedCredits": 3}

NEXT_CALLS = {"status": "getGenerationStatus", "cancel": "cancelGenerationRequest"}


@endpoint(
    methods=("POST",),
    headers=(headers.IDEMPOTENCY_KEY, headers.PREFER),
    example=EXAMPLE_ORDER,
    success=(
        Success(
            "The image.",
            {
                "image": {
                    "generationRequestId": EXAMPLE_ID,
                    "deductedCredits": 3,
                    "imageUrl": EXAMPLE_COMPLETED["imageUrl"],
                }
            },
            schema={
                "properties": {"imageUrl": {"type": "string"}},
                "not": {"required": ["status"]},
            },
            headers=(headers.IDEMPOTENCY_REPLAYED,),
            links=NEXT_CALLS,
        ),
        Success(
            "Charged; the image is generated in the background.",
            {
                "accepted": {
                    "generationRequestId": EXAMPLE_ID,
                    "deductedCredits": 3,
                    "imageUrl": None,
                    "status": "pending",
                }
            },
            code=202,
            schema={"properties": {"imageUrl": {"type": "null"}}, "required": ["status"]},
            headers=(
                headers.LOCATION,
                headers.RETRY_AFTER,
                headers.PREFERENCE_APPLIED,
                headers.IDEMPOTENCY_REPLAYED,
            ),
            links=NEXT_CALLS,
        ),
    ),
    errors=(
        UnknownOption,
        InsufficientCredits,
        OutstandingDebt,
        NotOwner,
        UserNotFound,
        AccountUnusable,
        AccountClosing,
        AccountDisabled,
        PriceChanged,
        RequestInProgress,
        RequestCanceled,
        ImageDeleted,
        IdempotencyKeyReused,
        ModeNotSupported,
        SourceNotSupported,
        UploadNotFound,
        PromptRefused,
        ContentRefused,
        RateLimited,
        GenerationFailed,
        GenerationTimeout,
        ModelUnavailable,
        OutcomeUnknown,
    ),
    replayed_errors=(
        RequestInProgress,
        RequestCanceled,
        ImageDeleted,
        GenerationFailed,
        GenerationTimeout,
        BackendUnavailable,
        ContentRefused,
    ),
    app_check=AppCheck.ONCE,
)
def create_generation_request(body: CreateGenerationRequest, caller: Caller) -> Reply[Generation]:
    """Spend credits on an image.

    Charges the price of the size, generates the image and answers with its URL. If there is no
    image, the credits are given back before the answer is sent. With an idempotency key the same
    order may be sent again after any failure of the network: it is charged once, and its outcome is
    answered again. With `Prefer: respond-async` or `mode: async` the charge is answered at once,
    and getGenerationStatus tells when the image is there.
    """
    return create.create(body, caller)


class GetGenerationStatus(WireModel):
    """Which generation request to look at."""

    generation_request_id: DocumentId = Field(description="The generation request.")


@endpoint(
    methods=("GET", "POST"),
    example={"generationRequestId": EXAMPLE_ID},
    success=Success(
        "The generation request.",
        {
            "processing": EXAMPLE_COMPLETED
            | {"status": "processing", "imageUrl": None, "completedAt": None},
            "completed": EXAMPLE_COMPLETED,
            "failed": EXAMPLE_REFUNDED
            | {
                "status": "failed",
                "error": {"reason": "MODEL_OVERLOADED", "message": "The model is overloaded."},
            },
        },
        headers=(headers.RETRY_AFTER,),
    ),
    errors=(GenerationRequestNotFound,),
)
def get_generation_status(body: GetGenerationStatus, caller: Caller) -> Reply[GenerationRequest]:
    """Look at a generation request.

    The generation request as it stands. While it is pending or processing, Retry-After says in how
    many seconds to ask again.
    """
    request = GenerationRequest.from_document(_find(body.generation_request_id, caller))
    is_open = request.status in OPEN
    return Reply(request, headers={"Retry-After": RETRY_AFTER_SECONDS} if is_open else {})


LATEST = datetime(9999, 12, 31, tzinfo=UTC)
DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100
# Creation time, in UTC so that it is known to have such a form, and id of a page's last request.
POSITION = TypeAdapter(
    tuple[
        Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))], DocumentId
    ],
    config=DEFERRED,
)

FilterValue = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class ListGenerationRequests(WireModel):
    """Whose generation requests to list, and which of them."""

    user_id: UserId
    status: Status | None = Field(default=None, description="Only those with this status.")
    model: FilterValue | None = Field(default=None, description="Only those of this model.")
    style: FilterValue | None = Field(default=None, description="Only those of this style.")
    color: FilterValue | None = Field(default=None, description="Only those of this color.")
    size: FilterValue | None = Field(default=None, description="Only those of this size.")
    page_size: PageSize = 0
    page_token: PageToken = None


@endpoint(
    methods=("GET", "POST"),
    example={"userId": "testUser1", "status": "completed", "pageSize": 1},
    success=Success(
        "A page of generation requests.",
        {
            "firstPage": {
                "generationRequests": [EXAMPLE_COMPLETED],
                "nextPageToken": "WzQsIjNkMDljMmFiNWU3YjYxZjAiXQ",
            }
        },
    ),
    errors=(NotOwner,),
)
def list_generation_requests(body: ListGenerationRequests, caller: Caller) -> GenerationRequestPage:
    """List a user's generation requests.

    Newest first; the filters may be combined. A page holds `pageSize` of them, 20 by default and
    100 at most. A page token is valid for the same user and filters only.
    """
    caller.require_access_to(body.user_id)
    filters = _filters(body)
    bound_to = ("generationRequests", body.user_id, *filters)
    after = paging.position(body.page_token, bound_to, POSITION) if body.page_token else None
    size = min(body.page_size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    found = db.query(requests_query(body.user_id, filters, size + 1, after))
    token = None
    if len(found) > size:
        last = found[size - 1]
        token = paging.token([last["createdAt"].isoformat(), last.id], bound_to)
    return GenerationRequestPage(
        generation_requests=list(_readable(found[:size])),
        next_page_token=token,
    )


def _readable(documents: Iterable[Document]) -> Iterator[GenerationRequest]:
    """The requests as they are shown; one that lacks a price or a status is logged, not shown."""
    for document in documents:
        with contextlib.suppress(MalformedDocument):
            yield GenerationRequest.from_document(RequestDocument(document))


def _filters(body: ListGenerationRequests) -> list[tuple[str, str]]:
    """The filters of a call, in the catalogue's spelling where it knows the name."""
    filters: list[tuple[str, str]] = [("status", body.status)] if body.status else []
    named = {
        field: value for field in catalogue.FIELDS if (value := getattr(body, field)) is not None
    }
    if named:
        current = catalogue.current()
        filters += [(field, current.spelling(field, value)) for field, value in named.items()]
    return filters


def requests_query(
    user_id: str,
    filters: Sequence[tuple[str, str]],
    limit: int,
    after: tuple[datetime, str] | None = None,
) -> Query:
    """The query for a page of a user's requests, newest first; ids break ties."""
    return Query(
        "generationRequests",
        where=[
            ("userId", "==", user_id),
            *((field, "==", value) for field, value in filters),
            ("createdAt", "<=", LATEST),  # a timestamp at all: pages are positions in time
        ],
        order_by=("createdAt", "DESCENDING"),
        limit=limit,
        start_after=after,
    )


class CancelGenerationRequest(WireModel):
    """Which generation request to cancel."""

    generation_request_id: DocumentId = Field(description="The generation request.")


@endpoint(
    methods=("POST",),
    example={"generationRequestId": EXAMPLE_ID},
    success=Success(
        "The canceled generation request.",
        {"canceled": EXAMPLE_REFUNDED | {"status": "canceled", "startedAt": None}},
    ),
    errors=(GenerationRequestNotFound, NotCancelable),
)
def cancel_generation_request(body: CancelGenerationRequest, caller: Caller) -> GenerationRequest:
    """Cancel a generation request.

    Ends a background request that is still pending and gives the credits back. A second call gives
    the same answer and refunds nothing more. A request that is being processed cannot be canceled,
    nor can a synchronous one.
    """
    request = _find(body.generation_request_id, caller)
    settled = settle(request, Outcome.canceled(), only_if=_is_cancelable)
    if settled.status is not Status.CANCELED:
        raise NotCancelable(generationRequestId=request.id, status=settled.status)
    return GenerationRequest.from_document(settled)


def _is_cancelable(request: RequestDocument) -> bool:
    return request.status is Status.PENDING and request.mode is Mode.ASYNC


class DeleteImage(WireModel):
    """Whose image to delete."""

    generation_request_id: DocumentId = Field(description="The generation request.")


@endpoint(
    methods=("POST",),
    example={"generationRequestId": EXAMPLE_ID},
    success=Success(
        "The generation request without its image.",
        {
            "deleted": EXAMPLE_COMPLETED
            | {"prompt": "", "imageUrl": None, "imageDeletedAt": "2026-11-22T08:00:00.000000Z"}
        },
    ),
    errors=(GenerationRequestNotFound, NotDeletable),
)
def delete_image(body: DeleteImage, caller: Caller) -> GenerationRequest:
    """Delete the image of a generation request.

    The image, its thumbnail, the prompt and the source are deleted, an uploaded photo with them;
    its URLs do not work any more, except in caches. The request and its price stay in the history:
    nothing is refunded. A second call gives the same answer. After a 503, call it again: what is
    left is otherwise deleted within two hours.
    """
    deleted = deletion.delete(_find(body.generation_request_id, caller))
    return GenerationRequest.from_document(deleted)


def _find(generation_request_id: str, caller: Caller) -> RequestDocument:
    """The document of a request that the caller may see.

    Raises GenerationRequestNotFound, also for another user's request: the answer must not tell
    whether it exists.
    """
    (document,) = db.read(db.generation_request(generation_request_id))
    request = RequestDocument(document)
    if not request.exists or not caller.may_access(request.user_id):
        raise GenerationRequestNotFound(generationRequestId=generation_request_id)
    return request
