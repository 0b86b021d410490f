"""Signatures of webhooks: ``t=<seconds>,v1=<hex>``, HMAC-SHA256 of ``{t}.{body}``.

Stripe sends them as Stripe-Signature, RevenueCat as X-RevenueCat-Webhook-Signature. While a secret
is being rotated a header may hold several `v1`, and we may know several secrets.
https://docs.stripe.com/webhooks#verify-manually
"""

import hmac
from collections.abc import Iterable

TOLERANCE_SECONDS = 300
# Clocks differ by a second or two; a time beyond that has not been yet.
CLOCK_SKEW_SECONDS = 5


def is_genuine(header: str, body: bytes, secrets: Iterable[str], now: float) -> bool:
    """Whether the header signs `body` with one of `secrets`, in the 5 minutes before `now`.

    Times are seconds since 1970. Every comparison takes the same time, whatever is compared.
    """
    fields = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in fields if name == "t"]
    signatures = [value.encode("utf-8", "replace") for name, _, value in fields if name == "v1"]
    # One time, in plain digits: what int() takes besides is nothing that a provider sends.
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit()) or len(times[0]) > 12:
        return False
    if not -CLOCK_SKEW_SECONDS <= now - int(times[0]) <= TOLERANCE_SECONDS:
        return False
    signed = times[0].encode() + b"." + body
    expected = [hmac.digest(each.encode(), signed, "sha256").hex().encode() for each in secrets]
    matches = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in signatures]
    return any(matches)


def is_secret(given: str, secrets: Iterable[str]) -> bool:
    """Whether `given` is one of `secrets`, compared in constant time."""
    sent = given.encode("utf-8", "replace")
    matches = [hmac.compare_digest(sent, each.encode()) for each in secrets]
    return any(matches)
