"""Orders: what may be ordered, under which id, and the request that an order becomes."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AnyUrl,
    ConfigDict,
    Field,
    StringConstraints,
    UrlConstraints,
    model_validator,
)

from imagegen import config
from imagegen.api.headers import distinct
from imagegen.api.schema import PositiveNumber, UserId, WireModel, is_visible, printable
from imagegen.catalogue import catalogue
from imagegen.catalogue.catalogue import Choice, Model
from imagegen.credits.lots import Lots, stored_parts
from imagegen.errors import InvalidField, ModeNotSupported, SourceNotSupported
from imagegen.generation.request import (
    EXPIRY_MARGIN_SECONDS,
    FUNCTION_TIMEOUT_SECONDS,
    Mode,
    RequestDocument,
    Status,
)

MAX_URL_LENGTH = 2048

OptionName = Annotated[
    str, StringConstraints(min_length=1, max_length=100), AfterValidator(printable)
]


def _visible(value: str) -> str:
    """Refuse text in which nobody would see anything, such as zero-width spaces alone."""
    if not any(is_visible(character) for character in value):
        raise ValueError("must contain a visible character")
    return value


Prompt = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2000),
    AfterValidator(printable),
    AfterValidator(_visible),
]
Address = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    AfterValidator(printable),
]
IdempotencyKey = Annotated[
    str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x20-\x7e]+\z")
]


def _short_enough(url: AnyUrl) -> AnyUrl:
    """Refuse a URL that is too long as it is stored, which is percent-encoded."""
    if len(str(url)) > MAX_URL_LENGTH:
        raise ValueError(f"must be at most {MAX_URL_LENGTH} characters long, percent-encoded")
    return url


HttpsUrl = Annotated[
    AnyUrl,
    UrlConstraints(max_length=MAX_URL_LENGTH, allowed_schemes=["https"]),
    AfterValidator(_short_enough),
]


UploadId = Annotated[str, StringConstraints(pattern=r"^[0-9]{8}-[0-9a-f]{32}\z")]


class PhotoSource(WireModel):
    """A photo to start from: behind a URL, or one that the user has uploaded."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {
                    "required": [one],
                    "properties": {one: {"type": "string"}, other: {"type": "null"}},
                }
                for one, other in (("url", "uploadId"), ("uploadId", "url"))
            ]
        }
    )

    type: Literal["photo"] = Field(description="A photo.")
    url: HttpsUrl | None = Field(default=None, description="An https URL; or else `uploadId`.")
    upload_id: UploadId | None = Field(
        default=None, description="What uploadSource has answered; or else `url`."
    )

    @model_validator(mode="after")
    def _is_one_photo(self) -> Self:
        if (self.url is None) == (self.upload_id is None):
            raise ValueError("needs either url or uploadId")
        return self


class AddressSource(WireModel):
    """A place to start from, as a postal address."""

    type: Literal["address"] = Field(description="An address.")
    address: Address = Field(description="A postal address, in one text.")


Source = Annotated[PhotoSource | AddressSource, Field(discriminator="type")]


class CreateGenerationRequest(WireModel):
    """An order for one image."""

    user_id: UserId
    model: OptionName = Field(description="A model that listModels names, or one of its aliases.")
    style: OptionName = Field(description="A style that listModels names.")
    color: OptionName = Field(description="A color that listModels names.")
    size: OptionName = Field(description="A size that listModels names; it decides the price.")
    prompt: Prompt = Field(
        description="What the image shows; 1 to 2,000 characters after trimming."
    )
    source: Source | None = Field(
        default=None, description="What the image starts from, besides the prompt."
    )
    mode: Mode | None = Field(
        default=None, description="`async` answers at once and generates in the background."
    )
    idempotency_key: IdempotencyKey | None = Field(
        default=None,
        description="Chosen by the client for one order, which is then charged once however often "
        "it is sent. The same as the header Idempotency-Key.",
    )
    max_credits: PositiveNumber | None = Field(
        default=None,
        description="The highest price to accept; a dearer order is refused with `PRICE_CHANGED`.",
    )

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
            fields["mode"] = Mode.ASYNC
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
            order.mode or Mode.SYNC,
        ]
    )


def _digest(content: list[Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _stored_source(order: CreateGenerationRequest) -> dict[str, str] | None:
    if order.source is None:
        return None
    return order.source.model_dump(mode="json", by_alias=True, exclude_none=True)


def effective_mode(order: CreateGenerationRequest, model: Model) -> Mode:
    """The mode of an order: as stated, or else in the background for models that are slow.

    Raises ModeNotSupported for a synchronous order of such a model.
    """
    if model.background and order.mode is Mode.SYNC:
        raise ModeNotSupported
    return order.mode or (Mode.ASYNC if model.background else Mode.SYNC)


def require_source_support(order: CreateGenerationRequest, model: Model) -> None:
    """Raises SourceNotSupported for a photo that the model would not look at."""
    if isinstance(order.source, PhotoSource) and not model.takes_photos:
        raise SourceNotSupported(model=model.name)


def new_request(
    order: CreateGenerationRequest,
    choice: Choice,
    mode: Mode,
    attempt_id: str,
    moment: datetime,
    parts: Lots,
    devices: int = 0,
) -> dict[str, Any]:
    """The document of a generation request at the moment of its charge."""
    is_async = mode is Mode.ASYNC
    lifetime = (
        config.ASYNC_DEADLINE_SECONDS.value
        if is_async
        else FUNCTION_TIMEOUT_SECONDS + EXPIRY_MARGIN_SECONDS
    )
    return RequestDocument.fields(
        user_id=order.user_id,
        model=choice.model.name,
        style=choice.style.name,
        color=choice.color.name,
        size=choice.size.name,
        prompt=order.prompt,
        source=_stored_source(order),
        credits=choice.size.credits,
        lots=stored_parts(parts),
        status=Status.PENDING,
        mode=mode,
        image_url=None,
        error=None,
        attempts=0 if is_async else 1,
        attempt_id=attempt_id,
        fingerprint=fingerprint(order),
        created_at=moment,
        started_at=None if is_async else moment,
        completed_at=None,
        updated_at=moment,
        expires_at=moment + timedelta(seconds=lifetime),
        **({"enqueued_at": moment} if is_async else {}),
        **({"notify": devices} if is_async and devices else {}),
    )
