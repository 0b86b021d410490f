"""The operations of the document: each endpoint with each of its methods."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from openapi_pydantic import (
    Example,
    Header,
    Link,
    MediaType,
    Operation,
    Parameter,
    PathItem,
    Reference,
    RequestBody,
    Response,
    Schema,
    Server,
    ServerVariable,
)

from imagegen.api import headers
from imagegen.api.body import WITH_BODY
from imagegen.api.endpoint import Endpoint, Success
from imagegen.api.router import fields_of
from imagegen.errors import ImagegenError
from openapi.checkout import EMULATOR, PROJECT, REGION
from openapi.errors import ERRORS, rendered
from openapi.functions import (
    DEPLOYED,
    ENDPOINTS,
    EVERY_ENDPOINT,
    OF_OPERATORS,
    ROUTED,
    SCHEDULED,
    description,
    errors_of,
    summary,
)
from openapi.schemas import kind, models, name_of, plain, said

ON_EVERY_ANSWER = (headers.X_REQUEST_ID.name, headers.CACHE_CONTROL.name)
WITH_BYTES = " Needed where the body is the photo itself."
REPLAYED = headers.IDEMPOTENCY_REPLAYED.name
# Every header that an answer may carry, by name.
HEADERS = {header.name: header for header in headers.ANSWERED} | {
    header.name: header
    for endpoint in EVERY_ENDPOINT
    for success in endpoint.successes
    for header in success.headers
}


def paths() -> Iterator[tuple[str, PathItem]]:
    for endpoint in ENDPOINTS:
        operations = {method.lower(): _operation(endpoint, method) for method in endpoint.methods}
        yield f"/{endpoint.name}", PathItem(**operations)
    for path, endpoints in ROUTED.items():
        operations = {
            method.lower(): _operation(endpoint, method, fields_of(path))
            for endpoint in endpoints
            for method in endpoint.methods
        }
        yield path, PathItem(**operations)
    for name in SCHEDULED:
        yield f"/{name}-0", PathItem(servers=[emulator()], post=_scheduled(name))


def _operation(endpoint: Endpoint, method: str, in_path: Collection[str] = ()) -> Operation:
    is_first = method == endpoint.methods[0]
    return Operation(
        operationId=endpoint.name if is_first else f"{endpoint.name}By{method.title()}",
        tags=["operators" if endpoint in OF_OPERATORS else "functions"],
        summary=summary(endpoint.handler),
        description=description(endpoint),
        parameters=[
            *_path(endpoint, in_path),
            *_request_headers(endpoint),
            *_query(endpoint, method, in_path),
        ]
        or None,
        requestBody=_body(endpoint, in_path) if method in WITH_BODY else None,
        responses={
            **{str(success.code): _success(endpoint, success) for success in endpoint.successes},
            **_errors(endpoint, method),
        },
        security=[] if endpoint.public else None,
    )


def _request_headers(endpoint: Endpoint) -> list[Parameter]:
    return [
        Parameter.model_validate(
            {
                "name": header.name,
                "in": "header",
                "description": header.description,
                "schema": header.schema,
                "example": header.example,
            }
        )
        for header in endpoint.headers
    ]


def _path(endpoint: Endpoint, in_path: Collection[str]) -> list[Parameter]:
    properties = models()[endpoint.request.__name__]["properties"]
    return [
        Parameter.model_validate(
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": properties[name]["description"],
                "schema": {k: v for k, v in properties[name].items() if k != "description"},
                "example": endpoint.example[name],
            }
        )
        for name in in_path
    ]


def _query(endpoint: Endpoint, method: str, in_path: Collection[str]) -> list[Parameter]:
    """The fields of a GET or DELETE, and of a POST whose body is one of them; all are text there.

    Those `in_path` are left out.
    """
    binary = endpoint.binary
    if method in WITH_BODY and binary is None:
        return []
    model = models()[endpoint.request.__name__]
    return [
        Parameter.model_validate(
            {
                "name": name,
                "in": "query",
                "required": binary is None and name in model.get("required", ()),
                "description": schema["description"] + (WITH_BYTES if binary else ""),
                # Beside JSON, which has its own, it is not looked at.
                "schema": {"type": "string"}
                if binary
                else {k: v for k, v in plain(schema).items() if k != "description"},
                "example": None if binary else endpoint.example.get(name),
            }
        )
        for name, schema in model.get("properties", {}).items()
        if name not in in_path and (binary is None or name != binary.field)
    ]


def _body(endpoint: Endpoint, in_path: Collection[str]) -> RequestBody:
    schema = _component("schemas", endpoint.request.__name__)
    example = {name: value for name, value in endpoint.example.items() if name not in in_path}
    json = MediaType(schema=schema, example=example)
    types = endpoint.binary.types if endpoint.binary else ()
    photo = MediaType(schema=Schema.model_validate({"type": "string", "format": "binary"}))
    return RequestBody(
        required=True, content={"application/json": json} | dict.fromkeys(types, photo)
    )


def _success(endpoint: Endpoint, success: Success) -> Response:
    reference = _component("schemas", endpoint.reply.__name__)
    narrowed = Schema.model_validate({"allOf": [{"$ref": reference.ref}], **success.schema})
    return Response(
        description=success.description,
        headers=_headers(header.name for header in success.headers),
        content={
            "application/json": MediaType(
                schema=narrowed if success.schema else reference,
                examples={name: Example(value=value) for name, value in success.examples.items()},
            )
        },
        links={name: _link(target) for name, target in success.links.items()} or None,
    )


def _link(target: str) -> Link | Reference:
    """A call of the endpoint `target`, whose fields are in the body of the answer."""
    endpoint = next(each for each in ENDPOINTS if each.name == target)
    fields = models()[endpoint.request.__name__]["properties"]
    values = {name: f"$response.body#/{name}" for name in fields}
    if endpoint.methods[0] == "GET":
        return Link(operationId=target, parameters=values)
    return Link(operationId=target, requestBody=values)


def _errors(endpoint: Endpoint, method: str) -> dict[str, Response | Reference]:
    by_code: dict[int, list[type[ImagegenError]]] = {}
    for error in errors_of(endpoint, method):
        by_code.setdefault(error.code, []).append(error)
    return {str(code): _error(errors, endpoint) for code, errors in by_code.items()}


def _error(errors: Sequence[type[ImagegenError]], endpoint: Endpoint | None = None) -> Response:
    """All errors of one HTTP status."""
    carried = {name for e in ERRORS if type(e) in errors for name in rendered(e)[1]}
    if endpoint and set(errors) & set(endpoint.replayed_errors):
        carried.add(REPLAYED)
    kinds = dict.fromkeys(name_of(kind(error)) for error in errors)
    references = [_component("schemas", name) for name in kinds]
    return Response(
        description=" ".join(f"`{e.reason}`: {said(e)}" for e in errors),
        headers=_headers(name for name in HEADERS if name in carried),
        content={
            "application/json": MediaType(
                schema=references[0] if len(references) == 1 else Schema(oneOf=references),
                examples={
                    name_of(error): _component("examples", name_of(error)) for error in errors
                },
            )
        },
    )


def _headers(names: Iterable[str]) -> dict[str, Header | Reference]:
    every = dict.fromkeys([*ON_EVERY_ANSWER, *names])
    return {name: _component("headers", name) for name in every}


def _scheduled(name: str) -> Operation:
    body = SCHEDULED[name]
    properties = {key: {"const": value} for key, value in body.items()}
    schema = {"type": "object", "properties": properties, "required": list(body)}
    error = _error([ImagegenError])
    error.headers = None
    return Operation(
        operationId=name,
        tags=["schedule"],
        summary=summary(DEPLOYED[name]),
        description="What the scheduler runs. Only the emulator has this path.",
        security=[],
        responses={
            "200": Response(
                description="Done.",
                content={
                    "application/json": MediaType(
                        schema=Schema.model_validate(schema), example=body
                    )
                },
            ),
            "500": error,
        },
    )


def _component(collection: str, name: str) -> Reference:
    return Reference.model_validate({"$ref": f"#/components/{collection}/{name}"})


def emulator() -> Server:
    return Server(
        url=f"{EMULATOR}/{{project}}/{REGION}",
        description="The Firebase emulators (make run)",
        variables={"project": ServerVariable(default=PROJECT)},
    )
