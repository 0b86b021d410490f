"""The HTTP edge of the payment providers' webhooks.

The signature is over the raw bytes, so it is checked before they are parsed. The answer is 200 only
when everything has been committed, or when nothing ever will be; a failure that may pass is
answered 5xx, and the provider sends the event again.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from flask import Request, Response

from imagegen import config, logger
from imagegen.api.serve import answering
from imagegen.errors import (
    MalformedJson,
    MethodNotAllowed,
    PayloadTooLarge,
    PaymentsOff,
    SignatureInvalid,
)
from imagegen.purchases import signature
from imagegen.purchases.purchase import Provider

MAX_BODY_BYTES = 512 * 1024

Json = Mapping[str, Any]


def stripe_webhook(request: Request) -> Response:
    """Take an event that Stripe sends."""
    return _answer(request, "stripeWebhook", Provider.STRIPE, _is_from_stripe, _book_stripe)


def revenuecat_webhook(request: Request) -> Response:
    """Take an event that RevenueCat sends."""
    return _answer(
        request, "revenueCatWebhook", Provider.REVENUECAT, _is_from_revenuecat, _book_revenuecat
    )


def _answer(
    request: Request,
    name: str,
    provider: Provider,
    is_genuine: Callable[[Request, bytes], bool],
    handle: Callable[[Json], str],
) -> Response:
    def receive(request: Request, _: dict[str, str]) -> Response:
        if not config.sells_through(provider):
            raise PaymentsOff
        if request.method != "POST":
            raise MethodNotAllowed("Use POST.", headers={"Allow": "POST"})
        body = request.stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise PayloadTooLarge(limitBytes=MAX_BODY_BYTES)
        if not is_genuine(request, body):
            raise SignatureInvalid
        event = _parsed(body)
        outcome = handle(event)
        named = event.get("event", event)
        logger.info(
            "payment event", provider=provider, event=named.get("id"), type=named.get("type"),
            outcome=outcome,
        )  # fmt: skip
        # RevenueCat takes nothing but 200 for a success.
        return Response(json.dumps({"outcome": outcome}), 200, mimetype="application/json")

    return answering(name, receive)(request)


# Each webhook imports the shapes of its own provider's events only.
def _book_stripe(event: Json) -> str:
    from imagegen.purchases import stripe  # noqa: PLC0415

    return stripe.handle(event)


def _book_revenuecat(event: Json) -> str:
    from imagegen.purchases import revenuecat  # noqa: PLC0415

    return revenuecat.handle(event)


def _parsed(body: bytes) -> Json:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedJson from error
    if not isinstance(event, dict):
        raise MalformedJson
    return event


def _is_from_stripe(request: Request, body: bytes) -> bool:
    header = request.headers.get("Stripe-Signature", "")
    return signature.is_genuine(header, body, config.stripe_webhook_secrets(), time.time())


def _is_from_revenuecat(request: Request, body: bytes) -> bool:
    """By its secret in Authorization, by its signature, or both: what is sent must be right."""
    secrets = config.revenuecat_webhook_secrets()
    authorization = request.headers.get("Authorization")
    signed = request.headers.get("X-RevenueCat-Webhook-Signature")
    proofs = []
    if authorization is not None:
        proofs.append(signature.is_secret(authorization.removeprefix("Bearer "), secrets))
    if signed is not None:
        proofs.append(signature.is_genuine(signed, body, secrets, time.time()))
    return bool(proofs) and all(proofs)
