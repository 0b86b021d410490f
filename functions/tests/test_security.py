"""What somebody may try from outside, where no other test shows already that it fails.

docs/security.md names each threat, what stands against it and the test that shows it.
"""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
from google.cloud import firestore
from support.api import HTTP
from support.books import check_books, requests_of
from support.orders import order_body

from imagegen import db
from imagegen.api import paging
from imagegen.api.auth import Caller

Call = Callable[..., Any]


def post(call: Call, function: str, body: bytes) -> Any:
    return call(function, data=body, content_type="application/json")


@pytest.mark.parametrize("depth", [100, 900, 30_000])
@pytest.mark.parametrize("opening", [b"[", b'{"data":'])
def test_deeply_nested_json_is_bad_input_and_no_crash(
    call: Call, depth: int, opening: bytes
) -> None:
    depth = min(depth, 60_000 // len(opening) // 2)
    closing = b"]" if opening == b"[" else b"}"
    nested = opening * depth + b"1" + closing * depth
    for body in (nested, b'{"userId": ' + nested + b"}"):
        assert post(call, "getUserCredits", body).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        b'{"userId": "mine", "userId": "theirs"}',
        b'{"userId": "mine", "user\\u0049d": "theirs"}',  # the same name, spelled otherwise
        b'{"data": {"userId": "mine", "userId": "theirs"}}',
        b'{"data": {"userId": "mine"}, "data": {"userId": "theirs"}}',
    ],
)
def test_a_name_that_stands_twice_is_malformed(call: Call, body: bytes) -> None:
    response = post(call, "getUserCredits", body)
    assert response.status_code == 400
    assert response.get_json()["error"]["details"]["reason"] == "MALFORMED_JSON"


@pytest.mark.parametrize("number", [b"1" * 5000, b"-1", b"1e999", b"9" * 400, b"1e5"])
@pytest.mark.usefixtures("emulator")
def test_numbers_of_any_length_are_bad_input(call: Call, number: bytes) -> None:
    body = b'{"userId": "x", "pageSize": ' + number + b"}"
    assert post(call, "getUserCredits", body).status_code in (400, 404)


@pytest.mark.parametrize("name", ["__proto__", "constructor", "credits", "isAdmin", "user_id"])
def test_fields_that_nobody_asked_for_are_refused(
    call: Call, client: firestore.Client, new_user: Callable[..., str], name: str
) -> None:
    user_id = new_user(5)
    response = call("createGenerationRequest", json=order_body(user_id) | {name: 1})
    assert response.status_code == 400
    assert requests_of(client, user_id) == []


@pytest.mark.parametrize(
    "user_id",
    [
        'x"},{"severity":"ALERT',
        "<b onload=alert(1)>",
        "${jndi:ldap:x}",
        "a\u2028b",
        "%0d%0aX",
    ],
)
def test_an_id_forges_no_log_line_and_no_header(
    call: Call, client: firestore.Client, capsys: pytest.CaptureFixture[str], user_id: str
) -> None:
    client.document(db.user(user_id)).set({"credits": 3})
    capsys.readouterr()
    response = call("createGenerationRequest", json=order_body(user_id))
    assert response.status_code == 200
    lines = [json.loads(line) for line in capsys.readouterr().out.split("\n") if line.strip()]
    assert {line["severity"] for line in lines} == {"INFO"}
    assert [line["message"] for line in lines] == ["generation settled", "call"]
    assert response.content_type == "application/json"
    client.document(db.user(user_id)).delete()


@pytest.mark.parametrize("text", ["a\nb", "a\r\nX-Evil: 1", "a\x00b", "a\x1b[2J", "a\ud800b"])
@pytest.mark.parametrize("field", ["userId", "model", "style", "idempotencyKey"])
@pytest.mark.usefixtures("emulator")
def test_control_characters_are_bad_input_wherever_they_stand(
    call: Call, field: str, text: str
) -> None:
    body = json.dumps(order_body("nobody") | {field: text}).encode()
    assert post(call, "createGenerationRequest", body).status_code == 400


@pytest.mark.parametrize("value", ["<img src=x onerror=alert(1)>", "x" * 100, "\u202egnp"])
def test_what_is_echoed_of_an_option_is_json_and_nothing_else(
    call: Call, new_user: Callable[..., str], value: str
) -> None:
    response = call("createGenerationRequest", json=order_body(new_user(5), model=value))
    assert (response.status_code, response.content_type) == (400, "application/json")
    assert response.get_json()["error"]["details"]["value"] == value


@pytest.mark.parametrize("other", ["ann\u200b", "Ann", "\u0430nn", "ann ", "a\u0301nn"])
def test_ids_that_look_alike_are_different_people(other: str) -> None:
    assert Caller(uid="ann").may_access("ann")
    assert not Caller(uid="ann").may_access(other)


def test_composed_and_decomposed_letters_are_different_people() -> None:
    assert not Caller(uid="ren\u00e9").may_access("rene\u0301")


def test_a_forged_page_token_shows_nobody_elses_entries(
    call: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    mine, theirs = new_user(9), new_user(9)
    for _ in range(3):
        call("createGenerationRequest", json=order_body(theirs))
    for bound_to in (("transactions", theirs), ("transactions", mine)):
        forged = paging.token(2**40, bound_to)
        response = call("getUserCredits", json={"userId": mine, "pageToken": forged})
        seen = response.get_json().get("transactions", [])
        assert (response.status_code, seen) in ((400, []), (200, []))
    assert check_books(client, theirs, opening=9) == 6


@pytest.mark.parametrize("content", [{"$gt": 0}, "' OR 1=1", [1, 2, 3], -1, 0, 2**63, True, None])
def test_a_page_token_of_any_content_is_bad_input(
    call: Call, new_user: Callable[..., str], content: object
) -> None:
    token = base64.urlsafe_b64encode(json.dumps(content).encode()).decode()
    body = {"userId": new_user(1), "pageToken": token}
    assert call("getUserCredits", json=body).status_code == 400
    body["pageToken"] = paging.token(content, ("transactions", body["userId"]))
    assert call("getUserCredits", json=body).status_code == 400


@pytest.mark.parametrize("host", ["169.254.169.254", "metadata.google.internal", "10.0.0.1"])
def test_nothing_of_ours_loads_the_photo_that_a_user_names(
    call: Call, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    looked_up: list[str] = []

    def refuse(name: str, *_: Any, **__: Any) -> Any:
        looked_up.append(name)
        raise OSError("not from here")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "create_connection", lambda where, *_: refuse(where[0]))
    source = {"type": "photo", "url": f"https://{host}/latest"}
    response = call("createGenerationRequest", json=order_body(new_user(5), source=source))
    assert response.status_code == 200
    assert looked_up == []


def test_only_the_functions_of_the_api_have_a_public_address(
    manifest: dict[str, Any],
) -> None:
    public = {name for name, each in manifest["endpoints"].items() if "httpsTrigger" in each}
    webhooks = {"stripeWebhook", "revenueCatWebhook"}  # proved by their signatures
    assert public == HTTP | webhooks
    # A scheduled function without an invoker is called by Cloud Scheduler's account alone.
    for name in ("recoverLostGenerations", "scheduleWeeklyReport"):
        assert "scheduleTrigger" in manifest["endpoints"][name]
        assert "invoker" not in manifest["endpoints"][name]["scheduleTrigger"]
