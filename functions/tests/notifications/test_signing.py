"""Signatures, judged by the reference implementation of Standard Webhooks."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from imagegen.notifications import signing


def test_the_reference_implementation_accepts_what_is_signed_and_nothing_else() -> None:
    source = random.Random(1)
    for _ in range(500):
        secret, body = signing.new_secret(), source.randbytes(20).hex().encode()
        headers = signing.headers("e1", datetime.now(UTC), b'"%s"' % body, [secret])
        assert Webhook(secret).verify(b'"%s"' % body, headers) == body.decode()
        for name in ("webhook-id", "webhook-timestamp"):
            with pytest.raises(WebhookVerificationError):
                Webhook(secret).verify(b'"%s"' % body, headers | {name: headers[name] + "1"})
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(b'"%s!"' % body, headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(signing.new_secret()).verify(b'"%s"' % body, headers)


def test_while_a_secret_is_replaced_both_verify() -> None:
    old, new = signing.new_secret(), signing.new_secret()
    headers = signing.headers("e1", datetime.now(UTC), b"{}", [new, old])
    assert Webhook(old).verify(b"{}", headers) == Webhook(new).verify(b"{}", headers) == {}


def test_the_example_of_the_specification_is_signed_the_same() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    moment = datetime.fromtimestamp(1614265330, UTC)
    headers = signing.headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", moment, b'{"test": 2432232314}', [secret]
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
