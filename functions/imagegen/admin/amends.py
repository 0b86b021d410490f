"""What operators do about a generation request: cancel it, give its price, try it again."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from imagegen.admin.credits import Grant
from imagegen.admin.requests import RequestField
from imagegen.admin.wire import CLOSED, Reason, uid_of
from imagegen.api.auth import Caller
from imagegen.api.endpoint import Success, endpoint
from imagegen.api.schema import Reply, WireModel
from imagegen.errors import (
    AccountUnusable,
    GenerationRequestNotFound,
    ModelUnavailable,
    NotCancelable,
    NotCompleted,
    NotRetryable,
    OutcomeUnknown,
    OutstandingDebt,
    PromptRefused,
    RateLimited,
    SourceNotSupported,
    UnknownOption,
    UploadNotFound,
    UserNotFound,
)
from imagegen.generation import amends
from imagegen.generation.replies import EXAMPLE_COMPLETED, EXAMPLE_ID, GenerationRequest
from imagegen.generation.request import Status


class AmendGenerationRequest(WireModel):
    """What to do about a generation request, and why."""

    generation_request_id: RequestField
    reason: Reason


EXAMPLE_AMENDS: dict[str, Any] = {
    "generationRequestId": EXAMPLE_ID,
    "reason": "The image shows a windmill.",
}


@endpoint(
    methods=("POST",),
    example=EXAMPLE_AMENDS,
    success=Success(
        "The grant.",
        {"granted": {"entryId": "9f86d081884c7d65-grant", "isNew": True, "currentCredits": 100}},
    ),
    errors=(GenerationRequestNotFound, NotCompleted, UserNotFound, AccountUnusable, *CLOSED),
)
def grant_goodwill(body: AmendGenerationRequest, caller: Caller) -> Grant:
    """Give the price of a completed generation request, once.

    The grant names the request, which stays completed and paid: it is no refund. A second call
    grants nothing more, whatever its reason.
    """
    granted = amends.goodwill(body.generation_request_id, by=uid_of(caller), reason=body.reason)
    return Grant(entry_id=granted.entry_id, is_new=granted.is_new, current_credits=granted.balance)


@endpoint(
    methods=("POST",),
    example=EXAMPLE_AMENDS,
    success=Success(
        "The canceled generation request.",
        {
            "canceled": EXAMPLE_COMPLETED
            | {"status": "canceled", "imageUrl": None, "refundedCredits": 3, "startedAt": None}
        },
    ),
    errors=(GenerationRequestNotFound, NotCancelable, AccountUnusable),
)
def cancel_for_user(body: AmendGenerationRequest, caller: Caller) -> GenerationRequest:
    """Cancel a generation request of any user.

    As the user can with cancelGenerationRequest: a background request that is still pending ends,
    and its credits are given back.
    """
    return GenerationRequest.from_document(
        amends.cancel(body.generation_request_id, by=uid_of(caller), reason=body.reason)
    )


class RetriedRequest(WireModel):
    """The generation request by which a failed one is tried again."""

    generation_request_id: str = Field(description="The new generation request.")
    is_new: bool = Field(description="False: the failed one had been tried again before.")
    status: Status = Field(description="How far the new one is.")
    deducted_credits: int = Field(description="Its price, which the grant covers.")


@endpoint(
    methods=("POST",),
    example=EXAMPLE_AMENDS | {"reason": "The provider was out of order."},
    success=Success(
        "The new generation request.",
        {
            "retried": {
                "generationRequestId": "5f0e6a7d3b9c4c1f8a2d4e6f7a8b9c0d",
                "isNew": True,
                "status": "pending",
                "deductedCredits": 3,
            }
        },
        code=202,
    ),
    errors=(
        GenerationRequestNotFound,
        NotRetryable,
        UnknownOption,
        SourceNotSupported,
        UploadNotFound,
        OutstandingDebt,
        UserNotFound,
        AccountUnusable,
        *CLOSED,
        PromptRefused,
        RateLimited,
        ModelUnavailable,
        OutcomeUnknown,
    ),
)
def retry_generation_request(body: AmendGenerationRequest, caller: Caller) -> Reply[RetriedRequest]:
    """Try a failed generation request again, for free.

    Once: a second call answers with the same new request. It runs in the background and is charged
    as any other, in one transaction with a grant of its price. Should it fail too, the price is
    given back as always, and stays with the user.
    """
    request, is_new = amends.retry(
        body.generation_request_id, by=uid_of(caller), reason=body.reason, caller=caller
    )
    return Reply(
        RetriedRequest(
            generation_request_id=request.id,
            is_new=is_new,
            status=request.status,
            deducted_credits=request.credits,
        ),
        code=202,
    )
