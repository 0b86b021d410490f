"""Tokens as production checks them: signature, time, and what that check needs of Google."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import firebase_admin
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import crypt, jwt
from google.oauth2 import id_token

from imagegen import firebase
from imagegen.api import auth
from imagegen.api.auth import Caller
from imagegen.errors import BackendUnavailable, TokenExpired, TokenInvalid

PROJECT = "demo-imagegen"
KEY_ID = "key-1"


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@pytest.fixture
def in_production(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A Firebase app that knows no emulator, on a machine without credentials."""
    monkeypatch.delenv("FIREBASE_AUTH_EMULATOR_HOST", raising=False)
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    app = firebase_admin.initialize_app(options={"projectId": PROJECT}, name=uuid.uuid4().hex)
    monkeypatch.setattr(firebase, "app", lambda: app)
    yield
    firebase_admin.delete_app(app)


@pytest.fixture
def token(
    in_production: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, private_key: str
) -> Callable[..., str]:
    """Makes an ID token of `ann`; Google's published keys are the public half of ours."""
    account = {
        "type": "service_account",
        "client_email": "functions@example.com",
        "token_uri": "https://example.com/token",
        "private_key": private_key,
    }
    credentials = tmp_path / "credentials.json"
    credentials.write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(credentials))
    public = serialization.load_pem_private_key(private_key.encode(), None).public_key()
    published = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
    monkeypatch.setattr(id_token, "_fetch_certs", lambda *_: {KEY_ID: published})

    def make(issued_seconds_ago: float, **claims: Any) -> str:
        issued = int(time.time() - issued_seconds_ago)
        payload = {
            "iss": f"https://securetoken.google.com/{PROJECT}",
            "aud": PROJECT,
            "sub": "ann",
            "iat": issued,
            "exp": issued + 3600,
        }
        signer = crypt.RSASigner.from_string(private_key, KEY_ID)
        return str(jwt.encode(signer, payload | claims).decode())

    return make


@pytest.mark.parametrize("issued_seconds_ago", [0, 3590, -5])
def test_a_token_is_good_for_an_hour_and_where_clocks_differ_by_seconds(
    token: Callable[..., str], issued_seconds_ago: float
) -> None:
    assert auth.identify(f"Bearer {token(issued_seconds_ago)}") == Caller(uid="ann")


def test_a_token_of_the_distant_future_or_past_is_refused(token: Callable[..., str]) -> None:
    with pytest.raises(TokenInvalid):
        auth.identify(f"Bearer {token(-60)}")
    with pytest.raises(TokenExpired):
        auth.identify(f"Bearer {token(3660)}")


def test_a_signature_that_is_not_googles_is_refused(token: Callable[..., str]) -> None:
    head, payload, signature = token(0).split(".")
    _, other, _ = token(0, admin=True, sub="bob").split(".")
    with pytest.raises(TokenInvalid):
        auth.identify(f"Bearer {head}.{other}.{signature}")
    assert auth.identify(f"Bearer {head}.{payload}.{signature}").uid == "ann"


@pytest.mark.usefixtures("in_production")
def test_without_credentials_of_our_own_the_service_is_unavailable() -> None:
    with pytest.raises(BackendUnavailable):
        auth.identify("Bearer a.b.c")
