"""Calls that nobody thought of, made of the API's description: every answer is as described.

`make fuzz` makes more of them (FUZZ_EXAMPLES).
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import unquote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import functions_framework
import httpx
import pytest
import schemathesis
from google.cloud import firestore
from hypothesis import HealthCheck, settings
from schemathesis import Case, CheckContext, Response
from schemathesis.checks import load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi import checks as known
from support.api import DOCUMENT, HTTP, is_valid, json_of
from support.bucket import FakeBucket
from support.examples import EXAMPLES
from support.operators import bearer
from support.orders import order
from support.paths import FUNCTIONS
from werkzeug.test import Client

from imagegen import db, tasks
from imagegen.generation import orders

USERS = ("fuzz-1", "fuzz-2")
BALANCE = 10**9
KEY = "fuzz-key"
OPERATORS = "^/admin/"  # the paths of their function
# What random text would never hit: users, requests and options that are there.
THERE = {
    "userId": USERS,
    "generationRequestId": [orders.request_id(order(u, idempotencyKey=KEY)) for u in USERS],
    "model": ["Sure Model", "Doomed Model"],
    "style": ["anime", "OIL-painting"],
    "color": ["neon"],
    "size": ["512x512", "1024x1792"],
    "Idempotency-Key": [KEY, f'"{KEY}"'],
    "idempotencyKey": [KEY],
    "Prefer": ["respond-async", "wait=5, respond-async"],
}
# What would leave nothing there for the others: these find random users, and so nobody.
WITHOUT_HINTS = {"deleteUser", "setUserStatus"}
# The same for the examples of the description.
REAL = {
    "testUser1": USERS[0],
    "0d3c1f5c7f1e4b0f9f6f2f0a54b7c9de": THERE["generationRequestId"][0],
    "Model A": "Sure Model",
}

# What no id of a document may be, and how that is told.
LOOKAHEADS = r"(?=.*\S)(?!\.{1,2}$)(?!__.*__$)"
OF_LOOKAHEADS = "must not contain '/', be|must not be blank"


def described() -> dict[str, Any]:
    """The committed description without the schedule, with values that are there as hints."""
    text = json.dumps(DOCUMENT)
    # A string of 1,499 characters that must match a lookahead takes seconds to find.
    assert json.dumps(LOOKAHEADS)[1:-1] in text
    text = text.replace(json.dumps(LOOKAHEADS)[1:-1], "")
    for example, real in REAL.items():
        assert f'"{example}"' in text
        text = text.replace(f'"{example}"', f'"{real}"')
    document: dict[str, Any] = json.loads(text)
    document["paths"] = {
        path: item for path, item in document["paths"].items() if not path.endswith("-0")
    }
    # No random token is ever good; and the functions are not below the path of a server here.
    hinted = {name: part for name, part in document.items() if name not in {"security", "servers"}}
    schemas = hinted["components"]["schemas"]
    bodies = [
        media["schema"]["$ref"].rpartition("/")[2]
        for item in hinted["paths"].values()
        for operation in item.values()
        for media in operation.get("requestBody", {}).get("content", {}).values()
        if "$ref" in media["schema"]
    ]
    for name in bodies:
        properties = schemas[name].get("properties", {})
        properties |= {field: _hinted(field, schema) for field, schema in properties.items()}
    for item in hinted["paths"].values():
        for operation in item.values():
            if operation["operationId"] in WITHOUT_HINTS:
                continue
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _hinted(parameter["name"], parameter["schema"])
    return hinted


def _hinted(field: str, schema: dict[str, Any]) -> dict[str, Any]:
    if field not in THERE or "enum" in schema or any("enum" in s for s in schema.get("anyOf", ())):
        return schema
    return {"anyOf": [{"enum": list(THERE[field])}, schema]}


SCHEMA = schemathesis.openapi.from_dict(described())
# Without the limits of each field: at them, calls are tried in the first test below.
RANDOM = schemathesis.openapi.from_dict(
    described(), config=SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": False}}})
)


@pytest.fixture(scope="module", autouse=True)
def _prepared(client: firestore.Client, call: Callable[..., Any]) -> Iterator[None]:
    """Users that do not run out of credits, and a request of each."""
    for user_id in USERS:
        client.document(db.user(user_id)).set({"credits": BALANCE})
        call(
            "createGenerationRequest",
            json=order(user_id).model_dump(mode="json", by_alias=True)
            | {"idempotencyKey": KEY, "mode": "sync"},
        )
    bucket = FakeBucket()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RATE_LIMIT_PER_MINUTE", "0")
        patch.setenv("STORAGE_EMULATOR_HOST", bucket.url)
        patch.setenv("IMAGE_BUCKET", "pictures")
        patch.setattr(tasks, "enqueue_audit", lambda _: None)  # each reads all that tests have left
        before = {each.id for each in client.collection("webhookEndpoints").list_documents()}
        yield
    for each in client.collection("webhookEndpoints").list_documents():
        if each.id not in before:
            each.delete()
    bucket.stop()


@pytest.fixture(scope="session")
def served(request: pytest.FixtureRequest) -> Iterator[WSGIApplication]:
    """All functions in this process, each below its name and, as when deployed, as if at /.

    In the end, the number of their answers is told.
    """
    answers: Counter[str] = Counter()
    source = str(FUNCTIONS / "main.py")
    apps = {name: functions_framework.create_app(name, source) for name in HTTP}

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        _, name, *rest = environ["PATH_INFO"].split("/", 2)
        app: WSGIApplication = apps[name]

        def start_and_count(status: str, *others: Any) -> Callable[[bytes], object]:
            answers[status[:3]] += 1
            return start_response(status, *others)

        return app({**environ, "PATH_INFO": "/" + "".join(rest)}, start_and_count)

    yield serve
    plugins: Any = request.config.pluginmanager
    with plugins.get_plugin("capturemanager").global_and_fixture_disabled():
        plugins.get_plugin("terminalreporter").write_line(
            f"\n{answers.total():,} calls: {dict(sorted(answers.items()))}"
        )


def headers_of(case: Case[Any]) -> dict[str, str]:
    """What a call needs beside its fields: an operator's token."""
    return bearer() if re.match(OPERATORS, case.path) else {}


def no_defect(_: CheckContext, response: Response, __: Case[Any]) -> None:
    """A 500 is documented for generations that fail, not for bugs."""
    assert b'"INTERNAL"' not in response.content


def described_data_is_accepted(_: CheckContext, response: Response, case: Case[Any]) -> None:
    """Fields that have their schema are valid, but for what a schema cannot say."""
    if not (case.meta and case.meta.generation.mode.is_positive and response.status_code == 400):
        return
    details = response.json()["error"]["details"]
    if details["reason"] == "INVALID_FIELD":
        for violation in details["fieldViolations"]:
            assert _is_beyond_schemas(violation, case), violation


ORIGINS = "does not belong to one of the app's origins"  # which are good is configuration
# What schemas cannot say of a field, as the beginnings of descriptions.
BEYOND_SCHEMAS = {
    "pageToken": "",  # good is only what an answer has given
    # Joined by commas; what is left of a header of nothing but commas is empty.
    "idempotencyKey": "differs from the header|was sent more than once|.* at least 1 character",
    "successUrl": ORIGINS,
    "cancelUrl": ORIGINS,
    "returnUrl": ORIGINS,
    "prompt": "must contain a visible character",  # no pattern tells which can be seen
    # Numbers that are written as text; and what somebody owes.
    "credits": "Input should be less than or equal|are more than the debt",
    "purchaseId": "has no payment",
    "expiresAt": "is in the past",
    "fromUserId": "credits cannot be transferred to the same account|.* holds no credits",
    "week": "is no",
    "url": "",  # which hosts may be called is decided by their addresses
    "types": "unknown: ",
    "name": "must be at most",  # only a product's may be as long as any id
    "document": "",  # what a document holds is described by its catalogue
}


def _is_beyond_schemas(violation: dict[str, str], case: Case[Any]) -> bool:
    if violation["field"] == "userId" and str(case.media_type).startswith("image/"):
        return True  # it is looked at in the query string only where the body is a photo
    field = violation["field"].partition(".")[0]
    said = BEYOND_SCHEMAS.get(field, "differs from the header")
    return re.match(f"{said}|{OF_LOOKAHEADS}", violation["description"]) is not None


def invalid_data_is_refused(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """But for objects and arrays in a path or query, which arrive as text that may be valid."""
    sent = [*(case.query or {}).values(), *(case.path_parameters or {}).values()]
    is_refused = response.status_code == 413  # which the check does not know
    if not is_refused and not any(_is_object_or_array(value) for value in sent):
        known.negative_data_rejection(ctx, response, case)


def _is_object_or_array(value: Any) -> bool:
    return isinstance(value, (dict, list)) or unquote(str(value)).startswith(("[", "{"))


def reaches_us(case: Case[Any]) -> bool:
    """The framework itself answers 404 for a path with a line break."""
    values = (case.path_parameters or {}).values()
    return not any("\n" in unquote(str(value)) for value in values)


load_all_checks()
CHECKS = [
    no_defect,
    described_data_is_accepted,
    known.status_code_conformance,
    known.content_type_conformance,
    known.response_headers_conformance,
    known.response_schema_conformance,
    invalid_data_is_refused,
    known.unsupported_method,
]
BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,  # `make test` is the same every time
    suppress_health_check=list(HealthCheck),
)


@SCHEMA.parametrize()
@BOUNDED
def test_every_answer_is_as_described(case: Case[Any], served: WSGIApplication) -> None:
    if reaches_us(case):
        case.call_and_validate(app=served, checks=CHECKS, headers=headers_of(case))


@RANDOM.include(method="POST").exclude(path_regex=OPERATORS).parametrize()
@settings(BOUNDED, max_examples=max(1, EXAMPLES // 5))
def test_a_callable_client_is_answered_the_same_in_an_envelope(
    case: Case[Any], served: WSGIApplication
) -> None:
    fields = case.body if isinstance(case.body, dict) else None
    answer = Client(served).post(case.path, json={"data": fields})
    described = case.operation.definition.raw["responses"]
    body = answer.get_json()
    if answer.status_code == 200:
        assert body.keys() == {"result"}
        successes = [json_of(described[each])["schema"] for each in described if each < "300"]
        is_valid(body["result"], {"anyOf": successes})
    else:
        is_valid(body, json_of(described[str(answer.status_code)])["schema"])


@RANDOM.parametrize()
@settings(BOUNDED, max_examples=3)
def test_the_emulator_answers_the_same(case: Case[Any], deployed: httpx.Client) -> None:
    base_url = str(deployed.base_url).rstrip("/")
    if reaches_us(case):
        case.call_and_validate(base_url=base_url, checks=CHECKS, headers=headers_of(case))
