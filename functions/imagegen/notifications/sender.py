"""Sending one event to one webhook endpoint: its body, its signature, and what the answer means."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from imagegen import clock, outbound
from imagegen.api.schema import rfc3339
from imagegen.errors import WebhookEndpointNotFound
from imagegen.notifications import signing, webhooks
from imagegen.notifications.event import DeliveryStatus, EventDocument, Result
from imagegen.notifications.webhooks import WebhookEndpoint
from imagegen.outbound import OutboundError

TIMEOUT_SECONDS = 15.0
USER_AGENT = "imagegen-webhooks/1"

# What an event says: the JSON object `data`, or None where what it is about is gone.
Describe = Callable[[EventDocument], Mapping[str, Any] | None]


def send(
    event: EventDocument, endpoint: WebhookEndpoint, read_body: Callable[[], bytes | None]
) -> Result:
    """Send the event to one endpoint."""
    if not endpoint.exists or endpoint.disabled_at is not None:
        return Result(DeliveryStatus.DROPPED, "the endpoint is disabled")
    if (body := read_body()) is None:
        return Result(DeliveryStatus.DROPPED, "what the event is about is gone")
    moment = clock.now()
    signed = signing.headers(event.id, moment, body, endpoint.signing_secrets(moment))
    result = _post(endpoint.url, body, signed)
    succeeded = result.status is DeliveryStatus.DELIVERED
    is_gone = result.status is DeliveryStatus.DROPPED
    with suppress(WebhookEndpointNotFound):  # deleted meanwhile
        webhooks.note(endpoint, succeeded=succeeded, is_gone=is_gone, moment=moment)
    return result


def _post(url: str, body: bytes, signed: Mapping[str, str]) -> Result:
    try:
        response = outbound.request(
            "POST",
            url,
            headers={"Content-Type": "application/json", "User-Agent": USER_AGENT, **signed},
            body=body,
            timeout_seconds=TIMEOUT_SECONDS,
        )
    except OutboundError as error:
        return Result(DeliveryStatus.PENDING, str(error))
    answer = f"HTTP {response.status}"
    if 200 <= response.status < 300:
        return Result(DeliveryStatus.DELIVERED, answer)
    if response.status == 410:
        return Result(DeliveryStatus.DROPPED, answer)
    seconds = response.headers.get("Retry-After", "")
    digits = seconds if seconds.isascii() and seconds.isdigit() and len(seconds) < 7 else "0"
    return Result(DeliveryStatus.PENDING, answer, retry_after=timedelta(seconds=int(digits)))


def body_of(event: EventDocument, describe: Describe) -> bytes | None:
    """The JSON to send, or None when what the event is about is gone."""
    data = describe(event)
    if data is None:
        return None
    content = {
        "id": event.id,
        "type": event.type,
        "timestamp": rfc3339(event.created_at),
        "data": data,
    }
    return json.dumps(content, separators=(",", ":")).encode()
