"""The operations of the document: each endpoint with each of its methods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

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

from apidoc.contract import (
    ENDPOINTS,
    REPLAYED,
    SCHEDULED,
    Endpoint,
    Errors,
)
from apidoc.examples import ERRORS, rendered
from apidoc.schemas import kind, name_of, plain, said, schemas
from apidoc.terms import HEADERS, REQUEST_HEADERS
from emulators import config, suite
from imagegen.errors import ImagegenError

ON_EVERY_ANSWER = ("X-Request-Id", "Cache-Control")


def paths() -> Iterator[tuple[str, PathItem]]:
    for endpoint in ENDPOINTS:
        operations = {method.lower(): _operation(endpoint, method) for method in endpoint.methods}
        yield f"/{endpoint.name}", PathItem(**operations)
    for name in SCHEDULED:
        yield f"/{name}-0", PathItem(servers=[emulator()], post=_scheduled(name))


def _operation(endpoint: Endpoint, method: str) -> Operation:
    is_first = method == endpoint.methods[0]
    return Operation(
        operationId=endpoint.name if is_first else f"{endpoint.name}By{method.title()}",
        tags=["functions"],
        summary=endpoint.summary,
        description=endpoint.description,
        parameters=[*_headers_taken(endpoint), *(_query(endpoint) if method == "GET" else ())]
        or None,
        requestBody=_body(endpoint) if method == "POST" else None,
        responses={
            **{str(code): _success(endpoint, code) for code in endpoint.answers},
            **_refusals(endpoint.errors(method), replayable=endpoint.replayable),
        },
        security=[] if endpoint.public else None,
    )


def _headers_taken(endpoint: Endpoint) -> list[Parameter]:
    return [
        Parameter.model_validate(
            {
                "name": name,
                "in": "header",
                "description": REQUEST_HEADERS[name][0],
                "schema": REQUEST_HEADERS[name][1],
                "example": REQUEST_HEADERS[name][2],
            }
        )
        for name in endpoint.headers
    ]


def _query(endpoint: Endpoint) -> list[Parameter]:
    """The fields of a GET; a query string knows neither null nor other types than text."""
    model = schemas()[endpoint.accepts.__name__]
    return [
        Parameter.model_validate(
            {
                "name": name,
                "in": "query",
                "required": name in model.get("required", ()),
                "description": schema["description"],
                "schema": {k: v for k, v in plain(schema).items() if k != "description"},
                "example": endpoint.example.get(name),
            }
        )
        for name, schema in model.get("properties", {}).items()
    ]


def _body(endpoint: Endpoint) -> RequestBody:
    content = MediaType(
        schema=_component("schemas", endpoint.accepts.__name__), example=endpoint.example
    )
    return RequestBody(required=True, content={"application/json": content})


def _success(endpoint: Endpoint, code: int) -> Response:
    answer = endpoint.answers[code]
    reference = _component("schemas", answer.model.__name__)
    narrowed = Schema.model_validate({"allOf": [{"$ref": reference.ref}], **answer.narrowed})
    examples = endpoint.examples(code)
    return Response(
        description=answer.description,
        headers=_headers(
            [*answer.headers, *(["Idempotency-Replayed"] if endpoint.replayable else [])]
        ),
        content={
            "application/json": MediaType(
                schema=narrowed if answer.narrowed else reference,
                examples={name: Example(value=value) for name, value in examples.items()},
            )
        },
        links=_links() if endpoint.name == "createGenerationRequest" else None,
    )


def _links() -> dict[str, Link | Reference]:
    created = {"generationRequestId": "$response.body#/generationRequestId"}
    return {
        "status": Link(operationId="getGenerationStatus", parameters=created),
        "cancel": Link(operationId="cancelGenerationRequest", requestBody=created),
    }


def _refusals(errors: Errors, *, replayable: bool) -> dict[str, Response | Reference]:
    codes = dict.fromkeys(str(error.code) for error in errors)
    return {
        code: _refusal([e for e in errors if str(e.code) == code], replayable) for code in codes
    }


def _refusal(errors: Sequence[type[ImagegenError]], replayable: bool) -> Response:
    """All errors of one HTTP status."""
    carried = {name for e in ERRORS if type(e) in errors for name in rendered(e)[1]}
    if replayable and set(errors) & set(REPLAYED):
        carried.add("Idempotency-Replayed")
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
    body, summary = SCHEDULED[name]
    properties = {key: {"const": value} for key, value in body.items()}
    schema = {"type": "object", "properties": properties, "required": list(body)}
    refusal = _refusal([ImagegenError], replayable=False)
    refusal.headers = None
    return Operation(
        operationId=name,
        tags=["schedule"],
        summary=summary,
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
            "500": refusal,
        },
    )


def _component(collection: str, name: str) -> Reference:
    return Reference.model_validate({"$ref": f"#/components/{collection}/{name}"})


def emulator() -> Server:
    port = config.read()["emulators"]["functions"]["port"]
    return Server(
        url=f"http://{suite.HOST}:{port}/{{project}}/{suite.REGION}",
        description="The Firebase emulators (make run)",
        variables={"project": ServerVariable(default=suite.PROJECT)},
    )
