"""The description of the API: valid, up to date, and true of what it describes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from openapi import guide
from openapi.errors import ERRORS
from openapi.files import files
from openapi.functions import ENDPOINTS, EVERY_ENDPOINT, OF_OPERATORS, SCHEDULED, errors_of
from openapi.operations import HEADERS
from openapi.schemas import models
from openapi_spec_validator import validate
from support.api import CLIENTS, DOCUMENT, HTTP, Json, is_valid, json_of
from support.api import SCHEDULED as SCHEDULED_FUNCTIONS
from support.paths import ROOT

from imagegen import errors
from imagegen.admin import routes
from imagegen.api import headers, router
from imagegen.api.endpoint import Endpoint
from imagegen.errors import ImagegenError

Call = Callable[..., Any]


def operations() -> Iterator[tuple[str, str, Json]]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            if method != "servers":
                yield path, method.upper(), operation


def resolved(node: Json) -> Json:
    """`node`, or the component that it refers to."""
    if "$ref" not in node:
        return node
    _, _, collection, name = node["$ref"].split("/")
    component: Json = DOCUMENT["components"][collection][name]
    return component


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.name))
def test_the_committed_file_is_what_the_code_describes(path: Any) -> None:
    assert path.read_text() == files()[path], "run `make openapi`"


def test_the_document_is_valid_openapi() -> None:
    validate(DOCUMENT)


def test_every_function_and_field_says_what_it_means() -> None:
    for _, _, operation in operations():
        assert operation["summary"]
        assert operation["description"]
    for name, model in models().items():
        for field, schema in model.get("properties", {}).items():
            assert schema.get("description"), (name, field)


def test_every_function_that_answers_http_is_described() -> None:
    assert {endpoint.name for endpoint in ENDPOINTS} == CLIENTS
    assert set(SCHEDULED) == SCHEDULED_FUNCTIONS
    named = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(named)) == len(named)
    to_operators = {endpoint.name for endpoint in OF_OPERATORS}
    assert set(named) >= CLIENTS | SCHEDULED_FUNCTIONS | to_operators
    assert len(to_operators) == len(OF_OPERATORS)


def test_the_paths_for_operators_stand_under_their_own_tag() -> None:
    tagged = {
        (path.removeprefix("/admin"), method)
        for path, method, operation in operations()
        if operation["tags"] == ["operators"]
    }
    assert tagged == {
        (route.path, method)
        for route in router.compiled(routes.ROUTES)
        for method in route.endpoints
    }


def test_a_browser_may_read_every_header_of_an_answer() -> None:
    always_readable = {headers.CACHE_CONTROL.name}
    unreadable = {headers.ALLOW.name}  # only of use to whoever writes the call
    exposed = {header.name for header in headers.EXPOSED}
    assert set(DOCUMENT["components"]["headers"]) == exposed | always_readable | unreadable


def test_every_error_of_the_tree_has_an_example_and_an_endpoint() -> None:
    def below(error: type[ImagegenError]) -> set[type[ImagegenError]]:
        return {error}.union(*(below(each) for each in error.__subclasses__()))

    tree = {error for error in below(ImagegenError) if error.__module__ == errors.__name__}
    assert {type(error) for error in ERRORS} == tree
    answered = {
        error for e in EVERY_ENDPOINT for method in e.methods for error in errors_of(e, method)
    }
    at_no_endpoint = {errors.SignatureInvalid, errors.PathNotFound}
    assert answered | at_no_endpoint == tree


def test_every_example_of_an_answer_has_the_schema_of_that_answer() -> None:
    for path, method, operation in operations():
        for code, response in operation["responses"].items():
            media = json_of(response)
            examples = media.get("examples", {"example": {"value": media.get("example")}})
            assert examples, (path, method, code)
            for example in examples.values():
                is_valid(resolved(example)["value"], media["schema"])


def test_every_example_of_a_request_has_its_schema_and_is_accepted() -> None:
    bodies = [operation for _, _, operation in operations() if "requestBody" in operation]
    for operation in bodies:
        media = json_of(operation["requestBody"])
        is_valid(media["example"], media["schema"])
    for endpoint in EVERY_ENDPOINT:
        endpoint.request.model_validate(dict(endpoint.example), by_alias=True, by_name=False)
    for _, _, operation in operations():
        for parameter in operation.get("parameters", ()):
            if "example" in parameter:
                is_valid(parameter["example"], parameter["schema"])


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_an_endpoint_answers_the_methods_and_asks_for_the_token_that_it_says(
    call: Call, monkeypatch: pytest.MonkeyPatch, endpoint: Endpoint
) -> None:
    refused = call(endpoint.name, "PUT")
    assert refused.headers["Allow"] == ", ".join((*endpoint.methods, "OPTIONS"))
    monkeypatch.setenv("AUTH_MODE", "required")
    for method in endpoint.methods:
        answer = call(endpoint.name, method, content_type="application/json")
        assert (answer.status_code == 401) is not endpoint.public


def test_scheduled_functions_are_answered_as_described() -> None:
    for name, body in SCHEDULED.items():
        operation = DOCUMENT["paths"][f"/{name}-0"]["post"]
        is_valid(body, json_of(operation["responses"]["200"])["schema"])


def test_a_postman_request_stands_for_every_operation() -> None:
    path = ROOT / "docs" / "postman_collection.json"
    collection = json.loads(path.read_text())
    requests = [item for folder in collection["item"] for item in folder["item"]]
    described = [operation["operationId"] for _, _, operation in operations()]
    assert sorted(each["name"] for each in requests) == sorted(described)
    for each in requests:
        assert each["request"]["url"]["raw"].startswith("{{baseUrl}}/")
        assert each["response"]


def test_the_guide_names_every_function_field_header_and_error() -> None:
    guide = "".join((ROOT / "docs" / name).read_text() for name in ("api.md", "admin.md"))
    schemas = DOCUMENT["components"]["schemas"].values()
    fields = {name for schema in schemas for name in schema.get("properties", ())}
    details = {name for error in ERRORS for name in error.details}
    read = {header.name for endpoint in ENDPOINTS for header in endpoint.headers}
    names = {*HTTP, *SCHEDULED_FUNCTIONS, *fields, *details, *HEADERS, *read}
    names |= {"Authorization", *(error.reason for error in ERRORS)}
    assert [name for name in sorted(names) if name not in guide] == []
    for error in ERRORS:
        assert f"| {error.code} | {error.status} | {error.reason} |" in guide


def test_the_guide_is_not_written_without_its_markers() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    assert guide.updated(text, DOCUMENT) == text
    with pytest.raises(ValueError, match="end of functions"):
        guide.updated(text.replace("<!-- end of functions -->", ""), DOCUMENT)
