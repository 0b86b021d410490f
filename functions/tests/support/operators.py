"""Operators, and tokens as the Auth emulator takes them: it checks no signature."""

from __future__ import annotations

import base64
import json
import os
import time
from typing import Any

OPERATOR = "operator-ann"


def token(uid: str, **claims: Any) -> str:
    """An ID token of the user."""
    project, now = os.environ["GCLOUD_PROJECT"], int(time.time())
    payload = {
        "iss": f"https://securetoken.google.com/{project}",
        "aud": project,
        "sub": uid,
        "user_id": uid,
        "iat": now,
        "exp": now + 3600,
        "auth_time": now,
        "firebase": {"sign_in_provider": "password"},
    }
    head = {"alg": "none", "typ": "JWT"}
    parts = [json.dumps(each).encode() for each in (head, payload | claims)]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


def bearer(uid: str = OPERATOR, **claims: Any) -> dict[str, str]:
    """The header of a call by an operator, unless `claims` take that away."""
    return {"Authorization": f"Bearer {token(uid, **({'admin': True} | claims))}"}
