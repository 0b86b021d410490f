"""Users of the Auth emulator."""

import os
import uuid

import httpx


def sign_up(*, anonymous: bool = False) -> tuple[str, str]:
    """A new user: the uid and an ID token."""
    host = os.environ["FIREBASE_AUTH_EMULATOR_HOST"]
    login = (
        {} if anonymous else {"email": f"{uuid.uuid4().hex}@example.com", "password": "imagegen"}
    )
    url = f"http://{host}/identitytoolkit.googleapis.com/v1/accounts:signUp?key=any"
    made = httpx.post(url, json=login | {"returnSecureToken": True}).raise_for_status().json()
    return made["localId"], made["idToken"]


def bearer(token: str) -> dict[str, str]:
    """The header that proves who calls."""
    return {"Authorization": f"Bearer {token}"}
