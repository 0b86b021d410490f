"""The calls in docs/clients.md use the functions, fields and reasons of openapi.json."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from support.paths import ROOT

LANGUAGES = ("dart", "swift", "kotlin")
PAGE = (ROOT / "docs" / "clients.md").read_text()
API: Mapping[str, Any] = json.loads((ROOT / "openapi.json").read_text())

CALL = re.compile(
    r"(?:httpsCallable|getHttpsCallable)\(['\"](\w+)['\"]\)(.*?)(?=\n\S|\Z)", re.DOTALL
)
# A field that is sent: 'a': … in Dart, "a": … in Swift, "a" to … in Kotlin.
SENT = re.compile(r"""^\s+['"](\w+)['"](?::| to )""", re.MULTILINE)
# A field that is read: data['a'], get("a.b"), getString("a").
READ = re.compile(r"""(?:\[|\bget\(|\bgetString\()['"]([\w.]+)['"][\])]""")
REASON = re.compile(r"['\"]([A-Z]+(?:_[A-Z]+)+)['\"]")


def code(language: str) -> str:
    (block,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(block)


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    return API["components"]["schemas"][reference.rpartition("/")[2]] if reference else schema


def body_of(function: str) -> Mapping[str, Any]:
    content = API["paths"][f"/{function}"]["post"]["requestBody"]["content"]
    return resolved(content["application/json"]["schema"])


def names_in(schema: Any) -> Iterator[str]:
    """The names of all properties in `schema`, at any depth."""
    if isinstance(schema, Mapping):
        yield from schema.get("properties", {})
        for each in schema.values():
            yield from names_in(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from names_in(each)


def test_the_page_has_each_language_once() -> None:
    assert re.findall(r"^```(\w+)$", PAGE, re.MULTILINE) == list(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_calls_send_fields_that_their_function_takes(language: str) -> None:
    calls = CALL.findall(code(language))
    assert {name for name, _ in calls} == {"createGenerationRequest", "createCheckoutSession"}
    for function, rest in calls:
        sent = set(SENT.findall(rest))
        body = body_of(function)
        assert sent <= set(body["properties"]), function
        assert set(body["required"]) <= sent, function


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_read_is_a_field_of_an_answer_an_error_or_a_request(language: str) -> None:
    known = set(names_in(API["components"]["schemas"]))
    read = {part for name in READ.findall(code(language)) for part in name.split(".")}
    assert {"reason", "generationRequestId", "status", "imageUrl", "url"} <= read
    assert read - known == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_errors_are_told_apart_by_reasons_that_exist(language: str) -> None:
    reasons = {
        schema["properties"]["error"]["properties"]["details"]["properties"]["reason"]["const"]
        for schema in API["components"]["schemas"].values()
        if "details" in schema.get("properties", {}).get("error", {}).get("properties", {})
    }
    told = set(REASON.findall(code(language)))
    assert {"INSUFFICIENT_CREDITS", "RATE_LIMITED"} <= told
    assert told - reasons == set()
