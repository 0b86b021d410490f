"""An order for an image: what may be asked, under which id, and what is kept of it."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AnyUrl, Field, StringConstraints, UrlConstraints

from imagegen import config
from imagegen.api.headers import distinct
from imagegen.api.schema import DocumentId, WireModel, printable
from imagegen.catalogue import catalogue
from imagegen.catalogue.catalogue import Choice
from imagegen.errors import InvalidField

# The function's own time limit; a synchronous request that is still open a margin after it is lost.
FUNCTION_TIMEOUT_SECONDS = 90
EXPIRY_MARGIN_SECONDS = 30

OptionName = Annotated[
    str, StringConstraints(min_length=1, max_length=100), AfterValidator(printable)
]
Prompt = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2000),
    AfterValidator(printable),
]
Address = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    AfterValidator(printable),
]
IdempotencyKey = Annotated[
    str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x20-\x7e]+\z")
]
HttpsUrl = Annotated[AnyUrl, UrlConstraints(max_length=2048, allowed_schemes=["https"])]


class PhotoSource(WireModel):
    """A photo to start from."""

    type: Literal["photo"]
    url: HttpsUrl


class AddressSource(WireModel):
    """A place to start from, as a postal address."""

    type: Literal["address"]
    address: Address


Source = Annotated[PhotoSource | AddressSource, Field(discriminator="type")]


class CreateGenerationRequest(WireModel):
    """An order for one image. The prompt counts 1 to 2000 characters after trimming.

    `mode` async answers at once and generates in the background. With an `idempotencyKey` the same
    order may be sent any number of times and is charged once.
    """

    user_id: DocumentId
    model: OptionName
    style: OptionName
    color: OptionName
    size: OptionName
    prompt: Prompt
    source: Source | None = None
    mode: Literal["sync", "async"] = "sync"
    idempotency_key: IdempotencyKey | None = None

    @classmethod
    def fields_of_headers(cls, headers: Mapping[str, str]) -> dict[str, str]:
        """`Idempotency-Key: k` (or `"k"`) and `Prefer: respond-async` (RFC 7240).

        Raises InvalidField when there is more than one key.
        """
        fields = {}
        if "Idempotency-Key" in headers:
            key, *others = distinct(headers["Idempotency-Key"])
            if others:
                text = "was sent more than once; a key with a comma must be in double quotes"
                violation = {"field": "idempotencyKey", "description": text}
                raise InvalidField(fieldViolations=[violation])
            quoted = len(key) > 1 and key[0] == key[-1] == '"'
            fields["idempotencyKey"] = key[1:-1] if quoted else key
        preferences = headers.get("Prefer", "").split(",")
        if any(each.partition(";")[0].strip().lower() == "respond-async" for each in preferences):
            fields["mode"] = "async"
        return fields


def request_id(order: CreateGenerationRequest) -> str:
    """The id of the generation request: of user and key when there is a key, else a fresh one.

    Because the id follows from the key, the charge itself is the guard against a second one.
    """
    if order.idempotency_key is None:
        return uuid.uuid4().hex
    return _digest([order.user_id, order.idempotency_key])[:32]


def fingerprint(order: CreateGenerationRequest) -> str:
    """A hash of what was ordered; spellings of the same option, and only those, do not matter."""
    return _digest(
        [
            order.user_id,
            *(catalogue.folded(name) for name in (order.model, order.style, order.color)),
            catalogue.folded(order.size),
            order.prompt,
            _stored_source(order),
            order.mode,
        ]
    )


def _digest(content: list[Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _stored_source(order: CreateGenerationRequest) -> dict[str, str] | None:
    return order.source.model_dump(mode="json") if order.source else None


def new_request(
    order: CreateGenerationRequest, choice: Choice, attempt_id: str, moment: datetime
) -> dict[str, Any]:
    """The document of a generation request at the moment of its charge."""
    is_async = order.mode == "async"
    lifetime = (
        config.ASYNC_DEADLINE_SECONDS.value
        if is_async
        else FUNCTION_TIMEOUT_SECONDS + EXPIRY_MARGIN_SECONDS
    )
    return {
        "userId": order.user_id,
        "model": choice.model.name,
        "style": choice.style.name,
        "color": choice.color.name,
        "size": choice.size.name,
        "prompt": order.prompt,
        "source": _stored_source(order),
        "credits": choice.size.credits,
        "status": "pending",
        "mode": order.mode,
        "imageUrl": None,
        "error": None,
        "attempts": 0 if is_async else 1,
        "attemptId": attempt_id,
        "fingerprint": fingerprint(order),
        "createdAt": moment,
        "startedAt": None if is_async else moment,
        "completedAt": None,
        "updatedAt": moment,
        "expiresAt": moment + timedelta(seconds=lifetime),
    }
