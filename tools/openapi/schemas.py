"""JSON Schemas of the wire models and of the errors."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema
from pydantic_core import core_schema

from imagegen.api.endpoint import Endpoint
from imagegen.api.router import fields_of
from imagegen.api.schema import WireModel, printable
from imagegen.errors import ImagegenError
from openapi.errors import DETAILS, ERRORS, OPTIONAL_DETAILS, rendered
from openapi.functions import EVERY_ENDPOINT, ROUTED

JsonSchema = dict[str, Any]
CONTROL = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"


class WireSchema(GenerateJsonSchema):
    """JSON Schema of the wire models, with what their validators check."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False  # titles that only repeat the names

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchema:
        json_schema = super().str_schema(schema)
        if "pattern" in json_schema:  # Rust's spelling of the end of the text
            json_schema["pattern"] = json_schema["pattern"].replace(r"\z", "$")
        return json_schema

    def url_schema(self, schema: core_schema.UrlSchema) -> JsonSchema:
        schemes = "|".join(schema.get("allowed_schemes", ()))
        return super().url_schema(schema) | {"pattern": f"^({schemes})://"}

    def function_after_schema(self, schema: core_schema.AfterValidatorFunctionSchema) -> JsonSchema:
        json_schema = super().function_after_schema(schema)
        if schema["function"]["function"] is printable:
            allowed = f"[^{CONTROL}]*"
            if schema["schema"].get("strip_whitespace"):  # something stands there after trimming
                allowed += rf"[^\s{CONTROL}]{allowed}"
            json_schema["pattern"] = f"^{allowed}$"
        return json_schema


def schemas() -> dict[str, JsonSchema]:
    """Every schema of the document by its name."""
    kinds = {kind(type(error)) for error in ERRORS}
    below = {
        endpoint.request.__name__: _beside_path(endpoint.request.__name__, fields_of(path))
        for path, endpoints in ROUTED.items()
        for endpoint in endpoints
    }
    return models() | below | {name_of(kind): _error(kind) for kind in kinds}


def _beside_path(name: str, in_path: Collection[str]) -> JsonSchema:
    """The schema of a request without the fields that stand in its path."""
    schema = models()[name]
    properties = schema.get("properties", {})
    required = [each for each in schema.get("required", ()) if each not in in_path]
    return {
        **{key: value for key, value in schema.items() if key != "required"},
        "properties": {each: properties[each] for each in properties if each not in in_path},
        **({"required": required} if required else {}),
    }


@functools.cache
def models(endpoints: tuple[Endpoint, ...] = EVERY_ENDPOINT) -> dict[str, JsonSchema]:
    """The schemas of requests and of the bodies of successes."""
    requests = _models({endpoint.request for endpoint in endpoints}, "validation")
    for request in requests.values():
        _allow_nulls(request)
    replies = _models({endpoint.reply for endpoint in endpoints}, "serialization")
    for reply in replies.values():
        _leave_out_nulls(reply)
    return requests | replies


def _models(models: Iterable[type[WireModel]], mode: JsonSchemaMode) -> dict[str, JsonSchema]:
    _, generated = models_json_schema(
        [(model, mode) for model in sorted(models, key=lambda model: model.__name__)],
        ref_template="#/components/schemas/{model}",
        schema_generator=WireSchema,
    )
    definitions: dict[str, JsonSchema] = generated["$defs"]
    return definitions


def _allow_nulls(request: JsonSchema) -> None:
    """An optional field of a request may be null, which is the same as leaving it out."""
    for name, schema in request.get("properties", {}).items():
        if name not in request.get("required", ()):
            stated = {
                key: schema.pop(key) for key in [*schema] if key not in ("default", "description")
            }
            alternatives = stated.get("anyOf", [stated])
            if {"type": "null"} not in alternatives:
                alternatives = [*alternatives, {"type": "null"}]
            schema["anyOf"] = alternatives


def _leave_out_nulls(reply: JsonSchema) -> None:
    """An optional field of a reply is left out where it has no value (`exclude_if`)."""
    for name, schema in reply.get("properties", {}).items():
        if name not in reply.get("required", ()) and "anyOf" in schema:
            values = [each for each in schema["anyOf"] if each != {"type": "null"}]
            several = {**schema, "anyOf": values}
            reply["properties"][name] = several if len(values) > 1 else plain(several)


def _error(error: type[ImagegenError]) -> JsonSchema:
    known = {"reason": {"const": error.reason}} | {name: DETAILS[name] for name in details(error)}
    optional = OPTIONAL_DETAILS.get(error, ())
    fields = {
        "code": {"const": error.code},
        "status": {"const": error.status},
        "message": {"type": "string"},
        "details": _closed(known, [name for name in known if name not in optional]),
    }
    body = _closed(fields, list(fields))
    return {"description": said(error)} | _closed({"error": body}, ["error"])


def _closed(properties: Mapping[str, Any], required: list[str]) -> JsonSchema:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def details(error: type[ImagegenError]) -> list[str]:
    """The names of an error's details, but for the reason."""
    shown = [rendered(each)[0]["error"]["details"] for each in ERRORS if type(each) is error]
    named = dict.fromkeys([*shown[0], *OPTIONAL_DETAILS.get(kind(error), ())])
    return [name for name in named if name != "reason"]


def kind(error: type[ImagegenError]) -> type[ImagegenError]:
    """The error as clients can tell it from others: by its reason."""
    return next(each for each in reversed(error.__mro__) if _reason(each) == error.reason)


def name_of(error: type[ImagegenError]) -> str:
    return "InternalError" if error is ImagegenError else error.__name__


def _reason(error: type) -> str | None:
    return error.reason if issubclass(error, ImagegenError) else None


def said(error: type[ImagegenError]) -> str:
    """What clients are told of an error."""
    if error is ImagegenError:
        return "A defect of the service; its logs know the request id."
    return (inspect.getdoc(error) or "").partition("\n")[0]


def plain(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The first of the alternatives in `schema`; the others are null, or a number as text."""
    first, *_ = schema.get("anyOf", [{}])
    return {name: value for name, value in schema.items() if name != "anyOf"} | dict(first)
