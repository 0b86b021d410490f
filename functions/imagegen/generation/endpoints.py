"""What clients may do with generation requests: create, look at, list and cancel them."""

from pydantic import Field

from imagegen import db
from imagegen.api import headers, paging
from imagegen.api.auth import Caller
from imagegen.api.endpoint import AppCheck, Success, endpoint
from imagegen.api.schema import (
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
from imagegen.generation import create, deletion
from imagegen.generation.access import find
from imagegen.generation.listing import FilterValue, requests_query, shown, spelled
from imagegen.generation.orders import CreateGenerationRequest
from imagegen.generation.replies import (
    EXAMPLE_COMPLETED,
    EXAMPLE_ID,
    EXAMPLE_ORDER,
    RETRY_AFTER_SECONDS,
    Generation,
    GenerationRequest,
    GenerationRequestPage,
)
from imagegen.generation.request import OPEN, Status, is_cancelable
from imagegen.generation.settle import Outcome, settle

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
                "error": {
                    "reason": "MODEL_OVERLOADED",
                    "message": "The model is overloaded.",
                    "retryable": True,
                },
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
    request = GenerationRequest.from_document(find(body.generation_request_id, caller))
    is_open = request.status in OPEN
    return Reply(request, headers={"Retry-After": RETRY_AFTER_SECONDS} if is_open else {})


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
    filters = spelled(
        {"status": body.status, **{field: getattr(body, field) for field in catalogue.FIELDS}}
    )
    bound_to = ("generationRequests", body.user_id, *filters)
    after = paging.after(body.page_token, bound_to)
    size = paging.size_of(body.page_size)
    found = db.query(requests_query(body.user_id, filters, size + 1, after))
    return GenerationRequestPage(
        generation_requests=shown(found[:size]),
        next_page_token=paging.next_token(found, size, bound_to),
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
    errors=(GenerationRequestNotFound, NotCancelable, AccountUnusable),
)
def cancel_generation_request(body: CancelGenerationRequest, caller: Caller) -> GenerationRequest:
    """Cancel a generation request.

    Ends a background request that is still pending and gives the credits back. A second call gives
    the same answer and refunds nothing more. A request that is being processed cannot be canceled,
    nor can a synchronous one.
    """
    request = find(body.generation_request_id, caller)
    settled = settle(request, Outcome.canceled(), only_if=is_cancelable)
    if settled.status is not Status.CANCELED:
        raise NotCancelable(generationRequestId=request.id, status=settled.status)
    return GenerationRequest.from_document(settled)


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
    deleted = deletion.delete(find(body.generation_request_id, caller))
    return GenerationRequest.from_document(deleted)
