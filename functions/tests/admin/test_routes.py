"""The edge of the operators' function: who may call, at which paths, by which methods."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from support.operators import OPERATOR, bearer

from imagegen.admin.routes import ROUTES
from imagegen.api import router

Call = Callable[..., Any]
# A call of each endpoint, its fields of the path filled in.
CALLS = [
    (method, "/".join("x" if "{" in part else part for part in route.path.split("/")))
    for route in router.compiled(ROUTES)
    for method in route.endpoints
]


@pytest.fixture
def admin(call: Call, emulator: str) -> Call:
    """Calls the function without a token; the emulators run, so tokens are checked as there."""

    def request(method: str, path: str, **kwargs: Any) -> Any:
        return call("admin", method, path, **kwargs)

    return request


def reason(answer: Any) -> str:
    error = answer.get_json()["error"]
    assert error["code"] == answer.status_code
    assert answer.headers["Cache-Control"] == "no-store"
    return str(error["details"]["reason"])


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_nobody_but_an_operator_reaches_a_path(admin: Call, method: str, path: str) -> None:
    """Also where AUTH_MODE is optional, as it is here."""
    without = admin(method, path, json={})
    assert (without.status_code, reason(without)) == (401, "TOKEN_MISSING")
    assert without.headers["WWW-Authenticate"] == "Bearer"
    for claim in ("true", 1, False, None):
        stranger = admin(method, path, json={}, headers=bearer("stranger", admin=claim))
        assert (stranger.status_code, reason(stranger)) == (403, "NOT_ADMIN")


def test_a_path_is_found_directly_and_through_hosting(admin: Call) -> None:
    for path in ("/users/nobody-here", "/api/admin/users/nobody-here"):
        answer = admin("GET", path, headers=bearer())
        assert (answer.status_code, reason(answer)) == (404, "USER_NOT_FOUND")
        assert answer.get_json()["error"]["details"]["userId"] == "nobody-here"


@pytest.mark.parametrize(
    "path", ["/", "/api/admin", "/api/admin/", "/nothing", "/users/", "/users/a/b", "/admin/users"]
)
def test_any_other_path_is_404(admin: Call, path: str) -> None:
    answer = admin("GET", path, headers=bearer())
    assert (answer.status_code, reason(answer)) == (404, "PATH_NOT_FOUND")


def test_another_method_is_405_and_told_which_there_are(admin: Call) -> None:
    answer = admin("DELETE", "/users", headers=bearer())
    assert (answer.status_code, reason(answer)) == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["Allow"] == "GET, OPTIONS"


def test_a_field_of_the_path_is_decoded_and_checked(admin: Call) -> None:
    answer = admin("GET", "/users/%C3%A4nn%20a", headers=bearer())
    assert answer.get_json()["error"]["details"]["userId"] == "änn a"
    answer = admin("GET", "/users/__x__", headers=bearer())
    assert (answer.status_code, reason(answer)) == (400, "INVALID_FIELD")


def test_a_field_of_the_path_stands_nowhere_else(admin: Call) -> None:
    answer = admin("GET", "/users/ann?userId=ann", headers=bearer())
    (violation,) = answer.get_json()["error"]["details"]["fieldViolations"]
    assert violation == {"field": "userId", "description": "is part of the path"}


def test_there_is_no_callable_protocol(admin: Call) -> None:
    sent = {"data": {"credits": 1, "reason": "r", "idempotencyKey": "k"}}
    answer = admin("POST", "/users/ann/grants", json=sent, headers=bearer())
    violations = answer.get_json()["error"]["details"]["fieldViolations"]
    assert "data" in {each["field"] for each in violations}


def test_a_body_has_to_be_json(admin: Call) -> None:
    answer = admin("POST", "/users/ann/grants", data="credits=1", headers=bearer())
    assert (answer.status_code, reason(answer)) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_browser_of_another_origin_may_call(admin: Call) -> None:
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"}
    answer = admin("OPTIONS", "/users/ann", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Methods"] == "DELETE, GET, POST, PUT"
    refused = admin("GET", "/users", headers={"Origin": "https://a.example"})
    assert refused.headers["Access-Control-Allow-Origin"] in ("*", "https://a.example")


def test_a_head_request_is_a_get_without_its_body(admin: Call) -> None:
    answer = admin("HEAD", "/users", headers=bearer())
    assert (answer.status_code, answer.data) == (200, b"")


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    """The log lines of calls since the last look."""

    def lines() -> list[dict[str, Any]]:
        out = capsys.readouterr().out
        found = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        return [line for line in found if line["message"] == "call"]

    return lines


def test_each_call_is_one_log_line_that_says_who_and_what(
    admin: Call, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    admin("GET", "/users/nobody-here", headers=bearer())
    (line,) = logged()
    assert (line["function"], line["operation"], line["code"]) == ("admin", "getUser", 404)
    assert line["operator"] == OPERATOR
