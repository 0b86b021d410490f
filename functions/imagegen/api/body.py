"""From an HTTP request to a validated body: fields of JSON, the query string, headers, bytes."""

import io
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from flask import Request
from pydantic import ValidationError

from imagegen.api.endpoint import Binary
from imagegen.api.schema import WireModel
from imagegen.errors import InvalidField, MalformedJson, PayloadTooLarge, UnsupportedMediaType

MAX_BODY_BYTES = 64 * 1024
WITH_BODY = ("POST", "PUT")
BROKEN_OFF = "The body ends before it is complete."

Body = TypeVar("Body", bound=WireModel)


def read(request: Request, accepts: type[Body], binary: Binary | None = None) -> tuple[Body, bool]:
    """What was sent, and whether it came by the callable protocol.

    Raises MalformedJson, InvalidField, PayloadTooLarge, UnsupportedMediaType.
    """
    fields, is_callable = _fields(request, binary)
    fields = _without_nulls(fields, accepts)
    stated = accepts.fields_of_headers(dict(request.headers))
    return _validated(accepts, _joined(fields, stated)), is_callable


def read_below(request: Request, accepts: type[Body], in_path: Mapping[str, str]) -> Body:
    """What was sent to a path that has some of the fields in it; the others stand beside it.

    They come in the body of a POST or PUT, and in the query string of a GET or DELETE. The callable
    protocol has no paths.

    Raises as `read` does.
    """
    fields = _json(request, None) if request.method in WITH_BODY else _query(request)
    if repeated := fields.keys() & in_path.keys():
        raise _invalid([(name, "is part of the path") for name in sorted(repeated)])
    return _validated(accepts, {**_without_nulls(fields, accepts), **in_path})


def max_json_bytes(binary: Binary | None) -> int:
    """How long a JSON body may be; one with a field of bytes has room for its base64."""
    return MAX_BODY_BYTES + (0 if binary is None else 4 * -(-binary.max_bytes // 3))


def _fields(request: Request, binary: Binary | None) -> tuple[Mapping[str, Any], bool]:
    """The fields that were sent, and whether they came by the callable protocol."""
    if request.method != "POST":
        return _query(request), False
    if binary is not None and request.mimetype in binary.types:
        return {**_query(request), binary.field: _bytes(request, binary.max_bytes)}, False
    fields = _json(request, binary)
    if fields.keys() == {"data"}:
        data = {} if fields["data"] is None else fields["data"]
        if not isinstance(data, dict):
            raise MalformedJson("The data of a callable request must be an object.")
        return data, True
    return fields, False


def _json(request: Request, binary: Binary | None) -> dict[str, Any]:
    if not request.is_json:
        raise UnsupportedMediaType
    return _parsed(_bytes(request, max_json_bytes(binary)))


def _query(request: Request) -> dict[str, Any]:
    """The fields of the query string. Raises InvalidField."""
    repeated = [name for name, values in request.args.lists() if len(values) > 1]
    if repeated:
        raise _invalid([(name, "was sent more than once") for name in repeated])
    return request.args.to_dict()


def _bytes(request: Request, max_bytes: int) -> bytes:
    """The body, of which no more is read than may be sent."""
    try:
        body = request.stream.read(max_bytes + 1)
    except Exception as error:
        raise MalformedJson(BROKEN_OFF) from error
    if len(body) > max_bytes:
        raise PayloadTooLarge(limitBytes=max_bytes)
    if len(body) < (request.content_length or 0):
        raise MalformedJson(BROKEN_OFF)
    return body


def leave_unread(request: Request) -> None:
    """Keep functions-framework from reading what is left of the body, of any length, into memory.

    It does so after every answer. The server under it drops what nobody has read, in small pieces.
    """
    request.stream = io.BytesIO()


def _parsed(body: bytes) -> dict[str, Any]:
    """One JSON object as RFC 8259 has it: no NaN, and no name twice in one object."""
    try:
        fields = json.loads(
            body.decode(), object_pairs_hook=_unique, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise MalformedJson from error
    if not isinstance(fields, dict):
        raise MalformedJson
    return fields


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return fields


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _without_nulls(fields: Mapping[str, Any], accepts: type[WireModel]) -> dict[str, Any]:
    """The fields without optional ones that are null, as the JavaScript SDK sends `undefined`."""
    optional = {each.alias for each in accepts.model_fields.values() if not each.is_required()}
    return {
        name: value for name, value in fields.items() if value is not None or name not in optional
    }


def _joined(fields: Mapping[str, Any], stated: Mapping[str, str]) -> dict[str, Any]:
    """The fields with those that headers state; the two must not contradict each other."""
    contradicted = [name for name, value in stated.items() if fields.get(name, value) != value]
    if contradicted:
        raise _invalid([(name, "differs from the header that states it") for name in contradicted])
    return {**fields, **stated}


def _validated(accepts: type[Body], fields: Mapping[str, Any]) -> Body:
    try:
        return accepts.model_validate(fields, by_alias=True, by_name=False)
    except ValidationError as error:
        raise _invalid(
            [
                (".".join(map(str, each["loc"])), each["msg"].removeprefix("Value error, "))
                for each in error.errors(include_url=False, include_input=False)
            ]
        ) from error


def _invalid(violations: list[tuple[str, str]]) -> InvalidField:
    return InvalidField(
        fieldViolations=[{"field": name, "description": text} for name, text in violations]
    )
