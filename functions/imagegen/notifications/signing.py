"""Signatures of the webhooks that we send, as Standard Webhooks 1.0.0 defines them.

``webhook-signature: v1,<base64>`` holds HMAC-SHA256 of ``{id}.{timestamp}.{body}``; while a secret
is being replaced, one signature for each of the two.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers(
    event_id: str, moment: datetime, body: bytes, signing_secrets: Iterable[str]
) -> dict[str, str]:
    """The headers that prove to the receiver who has sent `body`, and when."""
    timestamp = str(int(moment.timestamp()))
    signed = f"{event_id}.{timestamp}.".encode() + body
    signatures = [
        "v1," + base64.b64encode(hmac.digest(_key(each), signed, "sha256")).decode()
        for each in signing_secrets
    ]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
