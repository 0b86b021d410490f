"""Who is calling: tokens of the Auth emulator, and AUTH_MODE."""

import base64
import json
import os
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from firebase_admin import auth as admin_auth
from google.auth import exceptions as google_errors
from google.cloud import firestore
from support.orders import order_body

from imagegen import db
from imagegen.api import auth
from imagegen.api.auth import Caller
from imagegen.errors import BackendUnavailable, TokenExpired, TokenInvalid, TokenMissing


@pytest.fixture
def signed_up(client: firestore.Client) -> Callable[..., dict[str, str]]:
    """Makes an account with ten credits; its uid and ID token."""
    host = os.environ.get("FIREBASE_AUTH_EMULATOR_HOST")
    if host is None:
        pytest.fail("the Auth emulator is not running: use `make test`")
    accounts = f"http://{host}/identitytoolkit.googleapis.com/v1/accounts"

    def sign_up(claims: dict[str, Any] | None = None) -> dict[str, str]:
        login = {
            "email": f"{uuid.uuid4().hex}@example.com",
            "password": "imagegen",
            "returnSecureToken": True,
        }
        made = httpx.post(f"{accounts}:signUp?key=any", json=login).raise_for_status().json()
        if claims:
            update = {"localId": made["localId"], "customAttributes": json.dumps(claims)}
            owner = {"Authorization": "Bearer owner"}
            httpx.post(f"{accounts}:update?key=any", json=update, headers=owner).raise_for_status()
            signed_in = httpx.post(f"{accounts}:signInWithPassword?key=any", json=login)
            made = signed_in.raise_for_status().json()
        client.document(db.user(made["localId"])).set({"credits": 10})
        return {"uid": made["localId"], "token": made["idToken"]}

    return sign_up


@pytest.fixture
def auth_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_MODE", "required")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def reason(response: Any) -> str:
    return str(response.get_json()["error"]["details"]["reason"])


@pytest.mark.usefixtures("auth_required")
def test_a_signed_in_user_acts_for_themselves_and_nobody_else(
    call: Callable[..., Any], signed_up: Callable[..., dict[str, str]]
) -> None:
    ann, bob = signed_up(), signed_up()
    own = call("createGenerationRequest", json=order_body(ann["uid"]), headers=bearer(ann["token"]))
    assert own.status_code == 200
    for function, body in (
        ("createGenerationRequest", order_body(bob["uid"])),
        ("getUserCredits", {"userId": bob["uid"]}),
        ("getUserCredits", {"userId": "nobody-here"}),
    ):
        response = call(function, json=body, headers=bearer(ann["token"]))
        assert (response.status_code, reason(response)) == (403, "NOT_OWNER")


@pytest.mark.usefixtures("auth_required")
def test_an_admin_acts_for_everybody(
    call: Callable[..., Any], signed_up: Callable[..., dict[str, str]]
) -> None:
    admin, ann = signed_up({"admin": True}), signed_up()
    body = {"userId": ann["uid"]}
    response = call("getUserCredits", json=body, headers=bearer(admin["token"]))
    assert response.get_json()["currentCredits"] == 10


@pytest.mark.parametrize("claims", [{"admin": "true"}, {"admin": 1}, {"Admin": True}])
@pytest.mark.usefixtures("auth_required")
def test_only_the_claim_admin_true_makes_an_admin(
    call: Callable[..., Any], signed_up: Callable[..., dict[str, str]], claims: dict[str, Any]
) -> None:
    pretender, ann = signed_up(claims), signed_up()
    body = {"userId": ann["uid"]}
    response = call("getUserCredits", json=body, headers=bearer(pretender["token"]))
    assert (response.status_code, reason(response)) == (403, "NOT_OWNER")


@pytest.mark.usefixtures("auth_required")
def test_without_a_token_a_call_is_401_and_told_how(call: Callable[..., Any]) -> None:
    response = call("getUserCredits", json={"userId": "testUser1"})
    assert (response.status_code, reason(response)) == (401, "TOKEN_MISSING")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer x", "Basic eDp5", "x", "", "Bearer a.b.c"]
)
@pytest.mark.usefixtures("emulator")
def test_a_bad_token_is_refused_even_where_none_is_needed(
    call: Callable[..., Any], header: str
) -> None:
    response = call("getUserCredits", json={"userId": "x"}, headers={"Authorization": header})
    assert (response.status_code, reason(response)) == (401, "TOKEN_INVALID")


@pytest.mark.usefixtures("emulator")
@pytest.mark.parametrize("nested", ["[" * 1500 + "]" * 1500, '{"a":' * 1000 + "1" + "}" * 1000])
@pytest.mark.parametrize("part", [0, 1])
def test_a_token_that_is_deeply_nested_is_no_token(
    call: Callable[..., Any], nested: str, part: int
) -> None:
    parts = ['{"alg":"RS256","kid":"k"}', '{"sub":"x"}', "signature"]
    parts[part] = nested
    token = ".".join(base64.urlsafe_b64encode(each.encode()).decode() for each in parts)
    response = call("getUserCredits", json={"userId": "x"}, headers=bearer(token))
    assert (response.status_code, reason(response)) == (401, "TOKEN_INVALID")


def test_a_token_that_is_sent_twice_is_one_token_and_two_are_none(
    call: Callable[..., Any], signed_up: Callable[..., dict[str, str]]
) -> None:
    ann, bob = signed_up(), signed_up()
    for second, code in ((ann, 200), (bob, 401)):
        sent = [("Authorization", f"Bearer {each['token']}") for each in (ann, second)]
        response = call("getUserCredits", json={"userId": ann["uid"]}, headers=sent)
        assert response.status_code == code


def test_where_tokens_are_optional_one_that_is_sent_still_binds(
    call: Callable[..., Any], signed_up: Callable[..., dict[str, str]]
) -> None:
    ann, bob = signed_up(), signed_up()
    response = call("getUserCredits", json={"userId": bob["uid"]}, headers=bearer(ann["token"]))
    assert (response.status_code, reason(response)) == (403, "NOT_OWNER")


def test_a_token_of_another_project_is_refused(
    call: Callable[..., Any], signed_up: Callable[..., dict[str, str]]
) -> None:
    head, payload, signature = signed_up()["token"].split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    claims |= {"aud": "another", "iss": "https://securetoken.google.com/another"}
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    headers = bearer(".".join((head, forged, signature)))
    response = call("getUserCredits", json={"userId": claims["sub"]}, headers=headers)
    assert (response.status_code, reason(response)) == (401, "TOKEN_INVALID")


# What cannot be had from the emulator, which never lets a token expire: the SDK's own errors.
@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (admin_auth.ExpiredIdTokenError("old", None), TokenExpired),
        (admin_auth.RevokedIdTokenError("revoked"), TokenInvalid),
        (admin_auth.UserDisabledError("disabled"), TokenInvalid),
        (admin_auth.InvalidIdTokenError("bad"), TokenInvalid),
        (ValueError("not a token"), TokenInvalid),
        (admin_auth.CertificateFetchError("no keys", None), BackendUnavailable),
        (google_errors.DefaultCredentialsError("none"), BackendUnavailable),
        (google_errors.RefreshError("revoked"), BackendUnavailable),
    ],
)
def test_the_errors_of_the_sdk_become_ours(
    monkeypatch: pytest.MonkeyPatch, raised: Exception, expected: type[Exception]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(admin_auth, "verify_id_token", refuse)
    with pytest.raises(expected):
        auth.identify("Bearer token")


def test_the_mode_is_required_unless_it_is_set_to_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    for mode in ("required", "Optional", "off", ""):
        monkeypatch.setenv("AUTH_MODE", mode)
        with pytest.raises(TokenMissing):
            auth.identify(None)
    monkeypatch.delenv("AUTH_MODE")
    with pytest.raises(TokenMissing):
        auth.identify(None)
    monkeypatch.setenv("AUTH_MODE", "optional")
    assert auth.identify(None) == Caller(uid=None)
