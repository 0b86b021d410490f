"""The HTTP edge of the three functions: every answer and every refusal."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from google.cloud import firestore
from support.books import check_books, requests_of
from support.orders import order_body
from support.proxy import Fault, FirestoreProxy

from imagegen import db
from imagegen.catalogue import catalogue
from imagegen.generation import create as generation

Call = Callable[..., Any]


def error_of(response: Any, code: int, status: str, reason: str) -> dict[str, Any]:
    """The details of an error answer, after its whole shape was checked."""
    assert response.status_code == code, response.text
    assert response.content_type == "application/json"
    body = response.get_json()
    assert body.keys() == {"error"}
    error = body["error"]
    assert error.keys() == {"code", "status", "message", "details"}
    assert (error["code"], error["status"], error["details"]["reason"]) == (code, status, reason)
    assert error["message"]
    shared_headers(response)
    return dict(error["details"])


def shared_headers(response: Any) -> None:
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cache-Control"] == "no-store"
    assert len(response.headers["X-Request-Id"]) == 32
    assert "X-Request-Id" in response.headers["Access-Control-Expose-Headers"]


def test_a_generation_is_answered_with_exactly_three_fields(
    call: Call, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    response = call("createGenerationRequest", json=order_body(user_id, size="1024x1024"))
    assert response.status_code == 200
    body = response.get_json()
    assert body.keys() == {"generationRequestId", "deductedCredits", "imageUrl"}
    assert (body["deductedCredits"], body["imageUrl"]) == (3, "https://example.com/sure.png")
    shared_headers(response)


def test_credits_are_answered_by_get_and_by_post(call: Call, new_user: Callable[..., str]) -> None:
    user_id = new_user(5)
    made = call("createGenerationRequest", json=order_body(user_id)).get_json()
    by_get = call("getUserCredits", "GET", query_string={"userId": user_id})
    by_post = call("getUserCredits", json={"userId": user_id})
    assert by_get.get_json() == by_post.get_json()
    body = by_get.get_json()
    assert body.keys() == {"currentCredits", "transactions"}
    assert body["currentCredits"] == 4
    (entry,) = body["transactions"]
    assert entry.pop("timestamp").endswith("Z")
    assert entry == {
        "id": f"{made['generationRequestId']}-deduction",
        "type": "deduction",
        "credits": 1,
        "generationRequestId": made["generationRequestId"],
    }


def test_credits_come_in_pages_when_asked(call: Call, new_user: Callable[..., str]) -> None:
    user_id = new_user(5)
    for _ in range(3):
        call("createGenerationRequest", json=order_body(user_id))
    first = call(
        "getUserCredits", "GET", query_string={"userId": user_id, "pageSize": "2"}
    ).get_json()
    assert len(first["transactions"]) == 2
    rest = {"userId": user_id, "pageToken": first["nextPageToken"]}
    second = call("getUserCredits", json=rest).get_json()
    assert len(second["transactions"]) == 1
    assert "nextPageToken" not in second


def test_a_head_request_is_a_get_without_its_body(call: Call, new_user: Callable[..., str]) -> None:
    response = call("getUserCredits", "HEAD", query_string={"userId": new_user(5)})
    assert (response.status_code, response.data) == (200, b"")


def test_the_callable_protocol_is_understood(call: Call, new_user: Callable[..., str]) -> None:
    user_id = new_user(1)
    response = call("createGenerationRequest", json={"data": order_body(user_id)})
    assert response.status_code == 200
    assert response.get_json()["result"]["deductedCredits"] == 1
    refused = call("createGenerationRequest", json={"data": order_body(user_id)})
    error_of(refused, 402, "RESOURCE_EXHAUSTED", "INSUFFICIENT_CREDITS")
    empty = call("createGenerationRequest", json={"data": None})
    error_of(empty, 400, "INVALID_ARGUMENT", "INVALID_FIELD")
    error_of(call("getUserCredits", json={"data": 0}), 400, "INVALID_ARGUMENT", "MALFORMED_JSON")


def test_too_few_credits_are_402_and_change_nothing(
    call: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(2)
    response = call("createGenerationRequest", json=order_body(user_id, size="1024x1024"))
    details = error_of(response, 402, "RESOURCE_EXHAUSTED", "INSUFFICIENT_CREDITS")
    assert (details["required"], details["available"]) == (3, 2)
    assert check_books(client, user_id, opening=2) == 2


def test_a_failed_generation_is_500_unknown_with_the_refund(
    call: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(2)
    response = call("createGenerationRequest", json=order_body(user_id, model="Doomed Model"))
    details = error_of(response, 500, "UNKNOWN", "GENERATION_FAILED")
    assert response.get_json()["error"]["message"] == "AI generation failed, credits refunded."
    assert (details["refundedCredits"], details["retryable"]) == (1, True)
    assert check_books(client, user_id, opening=2) == 2


def test_a_generation_past_its_deadline_is_504(
    call: Call, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENERATION_DEADLINE_SECONDS", "0")
    response = call("createGenerationRequest", json=order_body(new_user(2), model="Slow Model"))
    details = error_of(response, 504, "DEADLINE_EXCEEDED", "GENERATION_TIMEOUT")
    assert details["refundedCredits"] == 1


@pytest.mark.usefixtures("emulator")
def test_unknown_users_are_404(call: Call) -> None:
    response = call("createGenerationRequest", json=order_body("nobody-here"))
    error_of(response, 404, "NOT_FOUND", "USER_NOT_FOUND")
    response = call("getUserCredits", "GET", query_string={"userId": "nobody-here"})
    error_of(response, 404, "NOT_FOUND", "USER_NOT_FOUND")


@pytest.mark.parametrize(
    ("field", "value"),
    [("model", "Model Z"), ("style", "cubism"), ("color", "red"), ("size", "1x1")],
)
def test_options_that_are_not_on_offer_are_named_with_what_is_allowed(
    call: Call, new_user: Callable[..., str], field: str, value: str
) -> None:
    response = call("createGenerationRequest", json=order_body(new_user(5), **{field: value}))
    details = error_of(response, 400, "INVALID_ARGUMENT", "UNKNOWN_OPTION")
    assert (details["field"], details["value"]) == (field, value)
    assert details["allowed"]


def test_all_invalid_fields_are_told_at_once(call: Call) -> None:
    body = {"userId": "a/b", "model": 7, "style": "", "color": None, "prompt": " ", "extra": 1}
    response = call("createGenerationRequest", json=body)
    details = error_of(response, 400, "INVALID_ARGUMENT", "INVALID_FIELD")
    named = [violation["field"] for violation in details["fieldViolations"]]
    assert sorted(named) == ["color", "extra", "model", "prompt", "size", "style", "userId"]
    assert all(violation["description"] for violation in details["fieldViolations"])


def test_null_is_absent_for_every_optional_field(call: Call, new_user: Callable[..., str]) -> None:
    user_id = new_user(5)
    optional = {"source": None, "mode": None, "idempotencyKey": None}
    made = call("createGenerationRequest", json=order_body(user_id, **optional))
    assert made.status_code == 200
    seen = {"generationRequestId": made.get_json()["generationRequestId"]}
    assert call("getGenerationStatus", json=seen).get_json()["mode"] == "sync"
    paging = {"userId": user_id, "pageSize": None, "pageToken": None}
    filters = dict.fromkeys(("status", "model", "style", "color", "size"))
    assert len(call("getUserCredits", json=paging).get_json()["transactions"]) == 1
    listed = call("listGenerationRequests", json=paging | filters).get_json()
    assert len(listed["generationRequests"]) == 1


def test_null_contradicts_no_header(call: Call, new_user: Callable[..., str]) -> None:
    body = order_body(new_user(5), mode=None, idempotencyKey=None)
    headers = {"Prefer": "respond-async", "Idempotency-Key": "k"}
    response = call("createGenerationRequest", json=body, headers=headers)
    assert response.status_code == 202


@pytest.mark.parametrize("field", ["userId", "model", "prompt"])
def test_a_required_field_that_is_null_is_bad_input(
    call: Call, new_user: Callable[..., str], field: str
) -> None:
    response = call("createGenerationRequest", json=order_body(new_user(5)) | {field: None})
    details = error_of(response, 400, "INVALID_ARGUMENT", "INVALID_FIELD")
    assert [each["field"] for each in details["fieldViolations"]] == [field]


def test_an_unknown_field_is_refused_also_when_it_is_null(call: Call) -> None:
    response = call("getUserCredits", json={"userId": "x", "extra": None})
    details = error_of(response, 400, "INVALID_ARGUMENT", "INVALID_FIELD")
    assert [each["field"] for each in details["fieldViolations"]] == ["extra"]


@pytest.mark.parametrize(
    "user_id",
    ["", "a/b", ".", "..", "__x__", "x" * 1501, "a\u0000b", "a\nb", "\ud800", 5, None, []],
)
def test_ids_that_firestore_cannot_hold_are_bad_input(call: Call, user_id: object) -> None:
    for function in ("createGenerationRequest", "getUserCredits"):
        body = order_body("x") if function == "createGenerationRequest" else {}
        response = call(function, json={**body, "userId": user_id})
        error_of(response, 400, "INVALID_ARGUMENT", "INVALID_FIELD")


@pytest.mark.parametrize("name", ["user_id", "UserId", "userID"])
def test_field_names_are_spelled_as_documented(call: Call, name: str) -> None:
    response = call("getUserCredits", json={name: "testUser1"})
    error_of(response, 400, "INVALID_ARGUMENT", "INVALID_FIELD")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"1",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b'{"userId": NaN}',
        b'{"userId": "a", "userId": "b"}',
        b'{"data": {"userId": "a", "userId": "b"}}',
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b'{"userId": ' + b"9" * 5_000 + b"}",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_not_one_json_object_is_malformed(call: Call, body: bytes) -> None:
    response = call("getUserCredits", data=body, content_type="application/json")
    error_of(response, 400, "INVALID_ARGUMENT", "MALFORMED_JSON")


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_that_is_not_declared_json_is_415(call: Call, content_type: str | None) -> None:
    response = call("getUserCredits", data=b'{"userId":"a"}', content_type=content_type)
    error_of(response, 415, "INVALID_ARGUMENT", "UNSUPPORTED_MEDIA_TYPE")


def test_a_body_over_64_kib_is_413(call: Call) -> None:
    body = json.dumps(order_body("x", prompt="y" * 65_536)).encode()
    response = call("createGenerationRequest", data=body, content_type="application/json")
    assert error_of(response, 413, "INVALID_ARGUMENT", "PAYLOAD_TOO_LARGE")["limitBytes"] == 65_536


class Upload(io.RawIOBase):
    """A body that counts how much of it was read; it ends with an error, if there is one."""

    def __init__(self, content: bytes, error: Exception | None = None) -> None:
        self.taken = 0
        self._content, self._error = io.BytesIO(content), error

    def read(self, size: int = -1) -> bytes:
        piece = self._content.read(size)
        self.taken += len(piece)
        if self._error and not piece:
            raise self._error
        return piece


def upload(call: Call, body: Upload, *, length: int, **headers: str) -> Any:
    """Send `body` as if it were `length` bytes long, in the environment that gunicorn makes."""
    environ = {"wsgi.input": body, "wsgi.input_terminated": True, "CONTENT_LENGTH": str(length)}
    return call(
        "createGenerationRequest",
        content_type="application/json",
        headers=headers,
        environ_overrides=environ,
    )


@pytest.mark.usefixtures("emulator")
def test_of_a_body_that_is_too_long_nothing_beyond_the_limit_is_read(call: Call) -> None:
    size = 1024 * 1024
    body = Upload(b" " * size)
    error_of(upload(call, body, length=size), 413, "INVALID_ARGUMENT", "PAYLOAD_TOO_LARGE")
    assert body.taken == 65_537
    unproven = Upload(b" " * size)
    response = upload(call, unproven, length=size, Authorization="Bearer x")
    error_of(response, 401, "UNAUTHENTICATED", "TOKEN_INVALID")
    assert unproven.taken == 0


@pytest.mark.parametrize("sent", [b"", b'{"userId": "x', b'{"userId": "x"}'])
@pytest.mark.parametrize("error", [None, OSError("reset"), ValueError("invalid chunk")])
def test_a_body_that_ends_early_is_malformed(
    call: Call, sent: bytes, error: Exception | None
) -> None:
    response = upload(call, Upload(sent, error), length=100)
    error_of(response, 400, "INVALID_ARGUMENT", "MALFORMED_JSON")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_405_and_told_which_are_allowed(call: Call, method: str) -> None:
    response = call("createGenerationRequest", method, json={})
    error_of(response, 405, "UNIMPLEMENTED", "METHOD_NOT_ALLOWED")
    assert response.headers["Allow"] == "POST, OPTIONS"


def test_a_query_field_sent_twice_is_bad_input(call: Call) -> None:
    response = call("getUserCredits", "GET", query_string="userId=a&userId=b")
    error_of(response, 400, "INVALID_ARGUMENT", "INVALID_FIELD")


@pytest.mark.parametrize("size", ["-1", "x", "1.5", ""])
def test_a_page_size_that_is_no_number_is_bad_input(
    call: Call, new_user: Callable[..., str], size: str
) -> None:
    query = {"userId": new_user(1), "pageSize": size}
    response = call("getUserCredits", "GET", query_string=query)
    error_of(response, 400, "INVALID_ARGUMENT", "INVALID_FIELD")


def test_a_browser_may_call_from_any_origin(call: Call) -> None:
    asked = {
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    response = call("createGenerationRequest", "OPTIONS", headers=asked)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] in ("*", "https://app.example")
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert "authorization" in response.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize(
    "function", ["createGenerationRequest", "getUserCredits", "scheduleWeeklyReport"]
)
def test_the_health_probe_is_answered_without_running_the_body(
    call: Call, proxy: FirestoreProxy, function: str
) -> None:
    response = call(function, "GET", path="/__/health")
    assert (response.status_code, response.text) == (200, "ok")
    assert proxy.traffic.total_rpcs == 0


def test_firestore_out_of_reach_is_503_with_retry_after(
    call: Call, proxy: FirestoreProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "DEADLINE_SECONDS", 0.2)
    proxy.fault_for = lambda rpc: Fault()
    catalogue.forget()
    response = call("createGenerationRequest", json=order_body("anybody"))
    details = error_of(response, 503, "UNAVAILABLE", "BACKEND_UNAVAILABLE")
    assert "generationRequestId" not in details
    assert int(response.headers["Retry-After"]) > 0


def test_a_defect_of_ours_shows_a_request_id_and_nothing_else(
    call: Call, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def defect(*_: object) -> None:
        raise RuntimeError("a secret of the implementation")

    monkeypatch.setattr(generation, "create", defect)
    response = call("createGenerationRequest", json=order_body("u"))
    details = error_of(response, 500, "INTERNAL", "INTERNAL")
    assert details == {"reason": "INTERNAL", "requestId": response.headers["X-Request-Id"]}
    assert "secret" not in response.text
    assert "a secret of the implementation" in capsys.readouterr().err


@pytest.mark.parametrize("balance", ["many", -1, 2.5, float("nan"), None, 2**60])
@pytest.mark.parametrize("function", ["getUserCredits", "createGenerationRequest"])
def test_an_account_whose_balance_is_no_number_of_credits_cannot_be_used(
    call: Call,
    client: firestore.Client,
    new_user: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
    function: str,
    balance: object,
) -> None:
    user_id = new_user(0, credits=balance)
    body = order_body(user_id) if function == "createGenerationRequest" else {"userId": user_id}
    response = call(function, json=body)
    error_of(response, 409, "FAILED_PRECONDITION", "ACCOUNT_UNUSABLE")
    assert f"users/{user_id}" in capsys.readouterr().err
    assert requests_of(client, user_id) == []


def test_a_balance_written_as_a_double_is_a_whole_number(
    call: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(0, credits=100.0, ledgerSequence=0.0)
    assert call("createGenerationRequest", json=order_body(user_id)).status_code == 200
    reply = call("getUserCredits", json={"userId": user_id}).get_json()
    assert reply["currentCredits"] == 99
    assert type(client.document(f"users/{user_id}").get().get("credits")) is int


def test_neither_prompt_nor_token_is_logged(
    call: Call, new_user: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    body = order_body(new_user(2), prompt="the-secret-prompt")
    call("createGenerationRequest", json=body)
    call("createGenerationRequest", json=body, headers={"Authorization": "Bearer the-secret-token"})
    logged = capsys.readouterr()
    assert '"message": "call"' in logged.out
    assert "the-secret" not in logged.out + logged.err
