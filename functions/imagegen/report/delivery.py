"""One JSON message to one webhook, with a few attempts.

It is sent again while no connection is made, and after an answer that says to try again (429, or a
5xx). Once it was sent and no answer came, it may have arrived, and is not sent again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagegen import outbound
from imagegen.outbound import OutboundRefused, OutboundUnanswered, OutboundUnreachable

ATTEMPTS = 3
TIMEOUT_SECONDS = 5.0
FIRST_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Delivery:
    """How it went: sent, failed, refused (not tried), or unknown (sent, but not answered)."""

    status: str
    attempts: int
    error: str | None = None


def deliver(url: str, message: Mapping[str, Any]) -> Delivery:
    """POST `message` as JSON. Never raises for what may go wrong on the network."""
    error = ""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            response = outbound.request(
                "POST",
                url,
                headers={"Content-Type": "application/json"},
                body=json.dumps(message).encode(),
                timeout_seconds=TIMEOUT_SECONDS,
            )
        except OutboundRefused as reason:
            return Delivery("refused", attempt - 1, str(reason))
        except OutboundUnanswered as reason:
            return Delivery("unknown", attempt, str(reason))
        except OutboundUnreachable as reason:
            error = str(reason)
        else:
            if 200 <= response.status < 300:
                return Delivery("sent", attempt)
            error = f"HTTP {response.status}"
            if response.status != 429 and response.status < 500:
                return Delivery("failed", attempt, error)
        if attempt < ATTEMPTS:
            time.sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
    return Delivery("failed", ATTEMPTS, error)
