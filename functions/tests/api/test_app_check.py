"""App Check: who passes in each mode, with signed tokens and a key set in place of Google's."""

import base64
import json
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import firebase_admin
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from firebase_admin.exceptions import PermissionDeniedError
from flask import Flask, request
from jwt.algorithms import RSAAlgorithm
from jwt.exceptions import PyJWKClientConnectionError, PyJWKSetError

from imagegen import firebase
from imagegen.api import app_check
from imagegen.api.app_check import Verdict, judge
from imagegen.api.auth import Caller
from imagegen.api.endpoint import AppCheck, Success, declaration_of, endpoint
from imagegen.api.schema import WireModel
from imagegen.api.serve import serve

PROJECT = "demo-imagegen"
KEY_ID = "key-1"
KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
STRANGERS_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2048)

Call = Callable[..., Any]


class Google:
    """What App Check asks of Google: its public keys, and whether a token was used before."""

    def __init__(self) -> None:
        self.keys_fetched = self.tokens_consumed = 0
        self.keys_error: Exception | None = None
        self.consume_error: Exception | None = None
        self._consumed: set[str] = set()

    def keys(self) -> dict[str, Any]:
        self.keys_fetched += 1
        if self.keys_error:
            raise self.keys_error
        public = json.loads(RSAAlgorithm.to_jwk(KEY.public_key()))
        return {"keys": [{**public, "kid": KEY_ID, "use": "sig", "alg": "RS256"}]}

    def consume(self, token: str) -> bool:
        self.tokens_consumed += 1
        if self.consume_error:
            raise self.consume_error
        known = token in self._consumed
        self._consumed.add(token)
        return known


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Google]:
    """Requires App Check, in an app whose keys and token usage come from here."""
    credentials = tmp_path / "credentials.json"
    credentials.write_text(
        json.dumps(
            {
                "type": "authorized_user",
                "client_id": "id",
                "client_secret": "secret",
                "refresh_token": "token",
            }
        )
    )
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(credentials))
    monkeypatch.setenv("APP_CHECK", "required")
    app = firebase_admin.initialize_app(options={"projectId": PROJECT}, name=uuid.uuid4().hex)
    monkeypatch.setattr(firebase, "app", lambda: app)
    answers = Google()

    def fetch_data(client: jwt.PyJWKClient) -> Any:
        keys = answers.keys()
        assert client.uri == "https://firebaseappcheck.googleapis.com/v1/jwks"
        client._last_successful_fetch = time.monotonic()
        return keys

    def body(_: object, method: str, url: str, *, json: dict[str, str]) -> dict[str, bool]:
        assert (method, url) == (
            "post",
            "https://firebaseappcheck.googleapis.com/v1beta"
            f"/projects/{PROJECT}:verifyAppCheckToken",
        )
        return {"alreadyConsumed": True} if answers.consume(json["app_check_token"]) else {}

    monkeypatch.setattr(jwt.PyJWKClient, "fetch_data", fetch_data)
    monkeypatch.setattr("firebase_admin._http_client.JsonHttpClient.body", body)
    yield answers
    firebase_admin.delete_app(app)


def token(
    *,
    key: rsa.RSAPrivateKey = KEY,
    key_id: str = KEY_ID,
    algorithm: str = "RS256",
    expires_in: int = 3600,
    **claims: Any,
) -> str:
    """An App Check token as Google signs it for an app of the project."""
    now = int(time.time())
    payload = {
        "iss": "https://firebaseappcheck.googleapis.com/123456",
        "aud": ["projects/123456", f"projects/{PROJECT}"],
        "sub": "1:123456:web:abcdef",
        "iat": now - 60,
        "exp": now + expires_in,
        "jti": uuid.uuid4().hex,
    }
    return jwt.encode(payload | claims, key, algorithm=algorithm, headers={"kid": key_id})


def nested(depth: int) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":' + b"[" * depth).decode().rstrip("=")
    return f"{head}.e30.c2ln"


BAD_TOKENS = {
    "not a token": "x",
    "empty": "",
    "signed by a stranger": token(key=STRANGERS_KEY),
    "an unknown key": token(key_id="key-2"),
    "expired": token(expires_in=-1),
    "another project": token(aud=["projects/999", "projects/other"]),
    "another issuer": token(iss="https://securetoken.google.com/demo-imagegen"),
    "another algorithm": token(algorithm="RS512"),
    "two tokens": f"{token()},{token()}",
    "nested too deeply": nested(50_000),
    # What the SDK for browsers sends when it could not get a token.
    "the SDK's placeholder": "eyJlcnJvciI6IlVOS05PV05fRVJST1IifQ==",
}


def call_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [each for each in lines if each["message"] == "call"]
    return dict(line)


def list_models_with(call: Call, **headers: str) -> Any:
    """Call a public endpoint with a query that it answers with 400 once App Check lets it pass."""
    query = {"unknown": "x"}
    return call("listModels", "GET", query_string=query, headers=headers)


@pytest.mark.usefixtures("google")
def test_a_call_with_a_token_of_the_project_passes(
    call: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = list_models_with(call, **{app_check.HEADER: token()})
    assert answer.status_code == 400
    assert call_line(capsys)["appCheck"] == "valid"


@pytest.mark.usefixtures("google")
def test_a_header_that_a_proxy_has_doubled_counts_once() -> None:
    sent = token()
    assert judge(f"{sent}, {sent}", AppCheck.REUSABLE) is Verdict.VALID


@pytest.mark.parametrize("bad", BAD_TOKENS.values(), ids=BAD_TOKENS.keys())
@pytest.mark.usefixtures("google")
def test_a_bad_token_is_401_with_a_reason_of_its_own(
    call: Call, capsys: pytest.CaptureFixture[str], bad: str
) -> None:
    answer = list_models_with(call, **{app_check.HEADER: bad})
    assert answer.status_code == 401
    error = answer.get_json()["error"]
    assert error["status"] == "UNAUTHENTICATED"
    assert error["details"] == {"reason": "APP_CHECK_INVALID"}
    assert "WWW-Authenticate" in answer.headers
    assert call_line(capsys)["appCheck"] == "invalid"


@pytest.mark.parametrize("mode", ["required", "Warn", "on", ""])
@pytest.mark.usefixtures("google")
def test_a_call_without_a_token_is_refused_unless_the_mode_is_exactly_off_or_warn(
    call: Call, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], mode: str
) -> None:
    monkeypatch.setenv("APP_CHECK", mode)
    answer = list_models_with(call)
    assert answer.status_code == 401
    assert answer.get_json()["error"]["details"] == {"reason": "APP_CHECK_MISSING"}
    assert call_line(capsys)["appCheck"] == "missing"


@pytest.mark.parametrize(
    ("sent", "verdict"),
    [(None, "missing"), ("x", "invalid"), (token(), "valid")],
    ids=["missing", "invalid", "valid"],
)
@pytest.mark.usefixtures("google")
def test_warn_serves_every_call_and_logs_what_required_would_say(
    call: Call,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    sent: str | None,
    verdict: str,
) -> None:
    monkeypatch.setenv("APP_CHECK", "warn")
    answer = list_models_with(call, **({app_check.HEADER: sent} if sent else {}))
    assert answer.status_code == 400
    assert call_line(capsys)["appCheck"] == verdict


def test_off_verifies_and_logs_nothing(
    call: Call,
    google: Google,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("APP_CHECK", "off")
    answer = list_models_with(call, **{app_check.HEADER: token()})
    assert answer.status_code == 400
    assert "appCheck" not in call_line(capsys)
    assert google.keys_fetched == 0


def test_keys_are_fetched_once_and_an_unknown_key_does_not_fetch_them_again(google: Google) -> None:
    for _ in range(3):
        assert judge(token(), AppCheck.REUSABLE) is Verdict.VALID
        assert judge(token(key_id="key-2"), AppCheck.REUSABLE) is Verdict.INVALID
    assert google.keys_fetched == 1


@pytest.mark.parametrize(
    "error",
    [
        PyJWKClientConnectionError("no route"),
        ConnectionResetError("reset"),
        json.JSONDecodeError("Expecting value", "<html>", 0),
        PyJWKSetError("no usable keys"),
    ],
    ids=["out of reach", "broken off", "not JSON", "empty"],
)
def test_keys_out_of_reach_are_503_where_required_and_let_pass_where_warned(
    call: Call,
    google: Google,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
) -> None:
    google.keys_error = error
    sent = {app_check.HEADER: token()}
    answer = list_models_with(call, **sent)
    assert answer.status_code == 503
    assert answer.get_json()["error"]["details"] == {"reason": "BACKEND_UNAVAILABLE"}
    assert int(answer.headers["Retry-After"]) > 0
    assert call_line(capsys)["appCheck"] == "unavailable"
    monkeypatch.setenv("APP_CHECK", "warn")
    assert list_models_with(call, **sent).status_code == 400


def test_without_credentials_of_our_own_the_verdict_is_that_google_cannot_be_asked(
    google: Google, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    assert judge(token(), AppCheck.REUSABLE) is Verdict.UNAVAILABLE
    assert google.keys_fetched == 0


def test_with_replay_protection_an_order_takes_each_token_once(
    call: Call, google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_CHECK_REPLAY_PROTECTION", "true")
    sent = {app_check.HEADER: token()}
    order = "createGenerationRequest"
    assert call(order, json={}, headers=sent).status_code == 400
    again = call(order, json={}, headers=sent)
    assert again.status_code == 401
    assert again.get_json()["error"]["details"] == {"reason": "APP_CHECK_INVALID"}
    assert call(order, json={}, headers={app_check.HEADER: token()}).status_code == 400
    assert google.tokens_consumed == 3


def test_a_token_that_is_not_ours_is_refused_without_asking_google(
    google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_CHECK_REPLAY_PROTECTION", "true")
    assert judge(token(key=STRANGERS_KEY), AppCheck.ONCE) is Verdict.INVALID
    assert google.tokens_consumed == 0


def test_without_replay_protection_and_at_other_functions_a_token_is_good_for_many_calls(
    call: Call, google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = {app_check.HEADER: token()}
    for _ in range(2):
        assert call("createGenerationRequest", json={}, headers=sent).status_code == 400
    monkeypatch.setenv("APP_CHECK_REPLAY_PROTECTION", "true")
    for _ in range(2):
        assert list_models_with(call, **sent).status_code == 400
    assert google.tokens_consumed == 0


def test_an_order_is_503_when_google_does_not_say_whether_its_token_was_used(
    call: Call, google: Google, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("APP_CHECK_REPLAY_PROTECTION", "true")
    google.consume_error = PermissionDeniedError("the role is missing")
    answer = call("createGenerationRequest", json={}, headers={app_check.HEADER: token()})
    assert answer.status_code == 503
    assert "the role is missing" in capsys.readouterr().out


class Ping(WireModel):
    pass


class Pong(WireModel):
    pass


@endpoint(
    methods=("POST",),
    example={},
    success=Success("Pong.", {"pong": {}}),
    public=True,
    app_check=AppCheck.EXEMPT,
)
def ping(body: Ping, caller: Caller) -> Pong:
    """Answer another server."""
    return Pong()


@pytest.mark.usefixtures("google")
def test_a_function_that_servers_call_asks_for_no_token(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Flask(__name__).test_request_context("/", method="POST", json={}):
        assert serve(declaration_of(ping))(request).status_code == 200
    assert "appCheck" not in call_line(capsys)
