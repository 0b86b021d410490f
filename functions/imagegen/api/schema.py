"""The base of every request and reply: camelCase on the wire, unknown fields refused."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from imagegen.firestore.store import is_document_id

MAX_ID_BYTES = 1499  # Firestore holds an id of 1500, and then refuses it as a value in a query
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # Unicode's category Cc
CONTROL_BUT_WHITE_SPACE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# As the Firebase SDKs for iOS and Android write a 64-bit number in a call.
INT64_TYPES = [
    "type.googleapis.com/google.protobuf.Int64Value",
    "type.googleapis.com/google.protobuf.UInt64Value",
]


# Validators are built at their first use: an instance serves one function, and would build those of
# all others at every cold start.
DEFERRED = ConfigDict(defer_build=True)


class WireModel(BaseModel):
    """A JSON object of the API. A request may have fields that also come as HTTP headers."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        extra="forbid",
        frozen=True,
        defer_build=True,  # as DEFERRED
    )

    @classmethod
    def fields_of_headers(cls, headers: Mapping[str, str]) -> dict[str, str]:
        """Fields, by their name on the wire, that `headers` state."""
        return {}


Model = TypeVar("Model", bound=WireModel)


@dataclass(frozen=True)
class Reply(Generic[Model]):
    """An answer that is more than a body with 200."""

    body: Model
    code: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def _document_id(value: str) -> str:
    """Refuse what Firestore cannot hold as a document id, before Firestore has to.

    https://firebase.google.com/docs/firestore/quotas#collections_documents_and_fields
    """
    encoded = _encodable(value)
    if not 1 <= len(encoded) <= MAX_ID_BYTES:
        raise ValueError(f"must be 1 to {MAX_ID_BYTES} bytes long")
    if not is_document_id(value):
        raise ValueError("must not contain '/', be '.' or '..', or look like '__…__'")
    if CONTROL.search(value):
        raise ValueError("must not contain control characters")
    if not value.strip():
        raise ValueError("must not be blank")
    return value


def printable(value: str) -> str:
    """Refuse text that UTF-8 cannot carry and control characters other than white space."""
    _encodable(value)
    if CONTROL_BUT_WHITE_SPACE.search(value):
        raise ValueError("must not contain control characters")
    return value


# Letters and symbols by category, which are blank when displayed: Hangul fillers, a Braille blank.
BLANK = "\u115f\u1160\u3164\uffa0\u2800"


def is_visible(character: str) -> bool:
    """Whether a reader sees anything; spaces, zero-width characters and marks alone are nothing."""
    category = unicodedata.category(character)
    # Unassigned characters count: they may be assigned in a newer version of Unicode.
    is_blank = category[0] in "ZM" or category in {"Cc", "Cf", "Cs"} or character in BLANK
    return not is_blank


def _encodable(value: str) -> bytes:
    """UTF-8 bytes of `value`; JSON's ``\\ud800`` parses to a string that has none."""
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise ValueError("must not contain unpaired surrogates") from error


def _whole_number(value: Any) -> Any:
    """Take 20 as clients write it: 20, 20.0, in a query "20", in the SDKs for phones an object.

    Not true, 20.5 or " 20".
    """
    match value:
        case {"@type": name, "value": str(digits), **others} if name in INT64_TYPES and not others:
            value = digits
        case float() if value.is_integer():
            value = int(value)
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value)  # also ValueError: Python refuses thousands of digits
    if type(value) is int:
        return value
    raise ValueError("must be a whole number")


DATE_AND_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d")


def _date_and_time(value: Any) -> Any:
    """Refuse numbers, which else count as seconds since 1970."""
    if isinstance(value, str) and DATE_AND_TIME.match(value):
        return value
    raise ValueError("must be a date and time with its offset, such as 2026-11-21T12:30:00Z")


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _whole_number_schema(minimum: int) -> WithJsonSchema:
    """The forms in which clients write a whole number of at least `minimum`, 0 or 1."""
    digits = {"type": "string", "pattern": "^[0-9]+$" if minimum == 0 else "^0*[1-9][0-9]*$"}
    wrapped = {
        "type": "object",
        "properties": {"@type": {"enum": INT64_TYPES}, "value": digits},
        "required": ["@type", "value"],
        "additionalProperties": False,
    }
    return WithJsonSchema({"anyOf": [{"type": "integer", "minimum": minimum}, digits, wrapped]})


# WithJsonSchema tells the API's description what these functions check.
DocumentId = Annotated[
    str,
    AfterValidator(_document_id),
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_ID_BYTES,
            "pattern": r"^(?=.*\S)(?!\.{1,2}$)(?!__.*__$)[^/\x00-\x1f\x7f-\x9f]+$",
        }
    ),
]
UserId = Annotated[
    DocumentId, Field(description="The user, by the uid of Firebase Authentication.")
]
WholeNumber = Annotated[int, BeforeValidator(_whole_number)]
PositiveNumber = Annotated[WholeNumber, Field(ge=1), _whole_number_schema(1)]
NaturalNumber = Annotated[WholeNumber, Field(ge=0), _whole_number_schema(0)]
PageSize = Annotated[
    WholeNumber,
    Field(
        ge=0,
        description="How many to return at most. 0 is the default; more than the maximum counts as "
        "the maximum.",
    ),
    _whole_number_schema(0),
]
Flag = Annotated[bool, Field(strict=True)]
DateAndTime = Annotated[AwareDatetime, BeforeValidator(_date_and_time)]
PageToken = Annotated[str | None, Field(description="`nextPageToken` of the page before.")]
Timestamp = Annotated[
    datetime,
    PlainSerializer(rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]


def is_none(value: object) -> bool:
    """For ``Field(exclude_if=is_none)``: the field is left out of the answer when it is None."""
    return value is None


NextPageToken = Annotated[
    str | None,
    Field(
        exclude_if=is_none,
        description="Send it as `pageToken` for the next page. Absent on the last page.",
    ),
]
