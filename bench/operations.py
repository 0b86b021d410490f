"""The operations of docs/costs.md, each called once and counted."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest import mock

from imagegen.catalogue import catalogue
from imagegen.generation import recovery
from imagegen.notifications import outbox
from imagegen.notifications import recovery as event_recovery
from imagegen.report import weekly
from support.orders import order_body
from support.receiver import Receiver

from counter import Counter, Usage

EMPTY_WEEK = "2026-W01"
PAGE = 20
CREATE = "createGenerationRequest"
# Booked by a call without a token, too.
FREE_ALLOWANCE = {"FREE_MONTHLY_CREDITS": "10", "ALLOW_ANONYMOUS": "true"}


def counted(on: Counter) -> dict[str, Usage]:
    """Every operation of docs/costs.md, by its name there."""
    used: dict[str, Usage] = {}
    _read_anew()
    used["catalogue and webhooks, read anew"] = replace(on.used(), invocations=0)
    used |= _generations(on)
    used |= _others(on)
    used |= _with_events(on)
    used |= _floor(on)
    return used


def _generations(on: Counter) -> dict[str, Usage]:
    user = on.user()
    lots = {
        f"lot-{number}": {
            "kind": "purchase",
            "remaining": 2,
            "priority": 50,
            "grantedAt": datetime(2026, 1, 1, tzinfo=UTC),
            "expiresAt": datetime.now(UTC) + timedelta(days=100 + number),
        }
        for number in range(5)
    }
    keyed = order_body(user, idempotencyKey=uuid.uuid4().hex)
    found = {
        "generation": on.call(CREATE, order_body(user)),
        "generation, price taken from two lots of five": on.call(
            CREATE, order_body(on.user(10, lots=lots), size="1024x1024")
        ),
        "generation, with an idempotency key": on.call(CREATE, keyed),
        "the same order again": replace(on.call(CREATE, keyed), model_waits=0),
        "generation that fails, with its refund": on.call(
            CREATE, order_body(user, model="Doomed Model"), status=500
        ),
        "refused: too few credits": on.call(CREATE, order_body(on.user(0)), status=402),
    }
    with mock.patch.dict(os.environ, FREE_ALLOWANCE):
        found["generation that books the month's allowance"] = on.call(CREATE, order_body(user))
    ordered = on.call(CREATE, order_body(on.user(), mode="async"), status=202)
    found["generation in the background"] = ordered + on.work()
    return found


def _others(on: Counter) -> dict[str, Usage]:
    user = on.user()
    for _ in range(PAGE + 1):
        on.call(CREATE, order_body(user))
    request_id = on.answer["generationRequestId"]
    headers = {"Authorization": "a secret"}
    event = {
        "app_user_id": user,
        "environment": "PRODUCTION",
        "event_timestamp_ms": 1_795_000_000_000,
        "id": "evt",
        "type": "NON_RENEWING_PURCHASE",
        "product_id": "com.example.imagegen.pack100",
        "store": "APP_STORE",
        "transaction_id": "1000000000000001",
    }
    found = {
        "purchase told by a webhook": on.call(
            "revenueCatWebhook", {"event": event}, headers=headers
        ),
        "credits and a page of 20 entries": on.call(
            "getUserCredits", {"userId": user, "pageSize": PAGE}
        ),
        "page of 20 generation requests": on.call(
            "listGenerationRequests", {"userId": user, "pageSize": PAGE}
        ),
        "status of a generation request": on.call(
            "getGenerationStatus", {"generationRequestId": request_id}
        ),
    }
    runs: dict[str, Callable[[], object]] = {
        "recovery of requests, nothing to do": recovery.recover,
        "recovery of events, nothing to do": event_recovery.recover,
        "weekly report of an empty week": lambda: weekly.run(week=EMPTY_WEEK),
    }
    for name, run in runs.items():
        run()
        found[name] = on.used()
    return found


def _with_events(on: Counter) -> dict[str, Usage]:
    receiver, user = Receiver(), on.user()
    endpoint = {
        "url": receiver.url,
        "types": ["generation.completed", "generation.failed"],
        "secrets": [{"secret": "whsec_" + "A" * 32, "expiresAt": None}],
        "createdAt": datetime.now(UTC),
    }
    on.client.document("webhookEndpoints/0").set(endpoint)
    try:
        _read_anew()
        on.reset()
        ordered = on.call(CREATE, order_body(user))
        told = on.work()
        body = len(receiver.bodies[-1])
    finally:
        receiver.stop()
        on.client.document("webhookEndpoints/0").delete()
        _read_anew()
        on.reset()
    return {"generation whose event a webhook is told": ordered + replace(told, sent_bytes=body)}


def _floor(on: Counter) -> dict[str, Usage]:
    user = on.user()
    order = order_body(user, model="Model A")
    on.call(CREATE, order, side="floor")  # opens its channel
    return {"the floor's generation": on.call(CREATE, order, side="floor")}


def _read_anew() -> None:
    catalogue.forget()
    outbox.forget()
    catalogue.current()
    outbox.subscriptions()
