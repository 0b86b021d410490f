"""What each endpoint of the API takes and answers: the one place that pairs endpoints and errors.

Fields come from the pydantic models, errors from the error tree; here is only what neither knows.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import main
from apidoc.examples import ORDER, REQUEST_ID, examples_of_replies
from imagegen import errors
from imagegen.api.schema import WireModel
from imagegen.catalogue import endpoints as catalogue_endpoints
from imagegen.credits import endpoints as credit_endpoints
from imagegen.errors import ImagegenError
from imagegen.generation import create as generation
from imagegen.generation import endpoints as generation_endpoints

Schema = Mapping[str, Any]
Errors = tuple[type[ImagegenError], ...]

AT_EVERY_ENDPOINT: Errors = (
    ImagegenError,
    errors.InvalidField,
    errors.MethodNotAllowed,
    errors.BackendUnavailable,
)
WITH_A_BODY: Errors = (errors.MalformedJson, errors.PayloadTooLarge, errors.UnsupportedMediaType)
WITH_A_CALLER: Errors = (errors.TokenMissing, errors.TokenInvalid, errors.TokenExpired)
# Looking up what a field names can fail, wherever the field is taken.
OF_FIELDS: Mapping[str, Errors] = {
    "user_id": (errors.NotOwner,),
    "generation_request_id": (errors.GenerationRequestNotFound,),
}


# What a call may be answered again, when its idempotency key has been used before.
REPLAYED: Errors = (
    errors.RequestInProgress,
    errors.RequestCanceled,
    errors.GenerationFailed,
    errors.GenerationTimeout,
    errors.BackendUnavailable,
)


@dataclass(frozen=True)
class Answer:
    """A success: the body's model, what narrows it, and the headers it may carry."""

    model: type[WireModel]
    description: str
    narrowed: Schema = field(default_factory=dict)
    headers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Endpoint:
    """One function of main.py that clients call."""

    name: str
    methods: tuple[str, ...]
    summary: str
    description: str
    answers: Mapping[int, Answer]
    example: Mapping[str, Any]
    own_errors: Errors = ()
    headers: tuple[str, ...] = ()  # that the request may carry
    replayable: bool = False  # an answer may be the repetition of an earlier one
    public: bool = False

    @property
    def accepts(self) -> type[WireModel]:
        """The model of the request's fields, which is what the handler in main.py takes."""
        handler: Callable[..., Any] = inspect.unwrap(getattr(main, self.name))
        hints = typing.get_type_hints(handler)
        model: type[WireModel] = hints[next(iter(inspect.signature(handler).parameters))]
        return model

    def errors(self, method: str) -> Errors:
        """All that the endpoint can answer to `method` when it does not succeed."""
        fields = self.accepts.model_fields
        found = [
            *AT_EVERY_ENDPOINT,
            *(WITH_A_BODY if method == "POST" else ()),
            *(() if self.public else WITH_A_CALLER),
            *(error for name in OF_FIELDS if name in fields for error in OF_FIELDS[name]),
            *self.own_errors,
        ]
        return tuple(sorted(found, key=lambda error: (error.code, error.reason)))

    def examples(self, code: int) -> Mapping[str, Any]:
        return examples_of_replies()[self.name, code]


ENDPOINTS = (
    Endpoint(
        name="createGenerationRequest",
        methods=("POST",),
        summary="Spend credits on an image",
        description=(
            "Charges the price of the size, generates the image and answers with its URL. If there "
            "is no image, the credits are given back before the answer is sent. With an "
            "idempotency key the same order may be sent again after any failure of the network: "
            "it is charged once, and its outcome is answered again. With `Prefer: respond-async` "
            "or `mode: async` the charge is answered at once, and getGenerationStatus tells when "
            "the image is there."
        ),
        answers={
            200: Answer(
                generation.Generation,
                "The image.",
                {"properties": {"imageUrl": {"type": "string"}}, "not": {"required": ["status"]}},
            ),
            202: Answer(
                generation.Generation,
                "Charged; the image is generated in the background.",
                {"properties": {"imageUrl": {"type": "null"}}, "required": ["status"]},
                ("Location", "Retry-After", "Preference-Applied"),
            ),
        },
        example=ORDER,
        own_errors=(
            errors.UnknownOption,
            errors.InsufficientCredits,
            errors.UserNotFound,
            errors.RequestInProgress,
            errors.RequestCanceled,
            errors.IdempotencyKeyReused,
            errors.RateLimited,
            errors.GenerationFailed,
            errors.GenerationTimeout,
            errors.OutcomeUnknown,
        ),
        headers=("Idempotency-Key", "Prefer"),
        replayable=True,
    ),
    Endpoint(
        name="getUserCredits",
        methods=("GET", "POST"),
        summary="Read a balance and its history",
        description=(
            "The balance and the entries that explain it, newest first: up to 1,000 of them, or "
            "`pageSize`. `nextPageToken` is there when there are older ones."
        ),
        answers={
            200: Answer(credit_endpoints.UserCredits, "The balance and a page of the history.")
        },
        example={"userId": ORDER["userId"], "pageSize": 2},
        own_errors=(errors.UserNotFound,),
    ),
    Endpoint(
        name="getGenerationStatus",
        methods=("GET", "POST"),
        summary="Look at a generation request",
        description=(
            "The generation request as it stands. While it is pending or processing, Retry-After "
            "says in how many seconds to ask again."
        ),
        answers={
            200: Answer(
                generation_endpoints.GenerationRequest,
                "The generation request.",
                headers=("Retry-After",),
            )
        },
        example={"generationRequestId": REQUEST_ID},
    ),
    Endpoint(
        name="listGenerationRequests",
        methods=("GET", "POST"),
        summary="List a user's generation requests",
        description=(
            "Newest first; the filters may be combined. A page holds `pageSize` of them, 20 unless "
            "told, 100 at most. A page token is good for the same user and filters."
        ),
        answers={
            200: Answer(generation_endpoints.GenerationRequests, "A page of generation requests.")
        },
        example={"userId": ORDER["userId"], "status": "completed", "pageSize": 1},
    ),
    Endpoint(
        name="cancelGenerationRequest",
        methods=("POST",),
        summary="Cancel a generation request",
        description=(
            "Ends a pending request and gives the credits back; a second call answers the same and "
            "gives nothing back again. A request that is being worked on cannot be canceled."
        ),
        answers={
            200: Answer(generation_endpoints.GenerationRequest, "The canceled generation request.")
        },
        example={"generationRequestId": REQUEST_ID},
        own_errors=(errors.NotCancelable,),
    ),
    Endpoint(
        name="listModels",
        methods=("GET", "POST"),
        summary="List what is on offer",
        description="Models, styles, colors and sizes, with prices, in display order. Public.",
        answers={200: Answer(catalogue_endpoints.Offers, "What is on offer.")},
        example={},
        public=True,
    ),
)

# What the scheduler runs, and a developer on the emulator, where its name ends in -0: the answer's
# body, and a summary.
SCHEDULED: Mapping[str, tuple[Mapping[str, str], str]] = {
    "scheduleWeeklyReport": ({"reportStatus": "success"}, "Make the report of last week"),
    "recoverLostGenerations": ({"recoveryStatus": "success"}, "Refund requests that were lost"),
}
