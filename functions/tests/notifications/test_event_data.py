"""What events say, which is what the API says of the same things."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from support.api import is_valid
from support.events import Outbox
from support.orders import ANYBODY
from support.receiver import Receiver

from imagegen import db
from imagegen.credits import ledger
from imagegen.generation.endpoints import GetGenerationStatus, get_generation_status
from imagegen.notifications import registration

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
REQUEST = {
    "userId": "ann",
    "model": "Model A",
    "style": "anime",
    "color": "neon",
    "size": "512x512",
    "prompt": "a lighthouse",
    "credits": 1,
    "status": "completed",
    "mode": "async",
    "imageUrl": "https://images.test/a.png",
    "createdAt": NOON,
    "startedAt": NOON,
    "completedAt": NOON,
    "expiresAt": NOON,
}


@pytest.fixture
def say(in_outbox: Outbox, consumer: Callable[[], Receiver]) -> Callable[..., Any]:
    """Delivers an event of a type about a document; what arrives as its data."""
    server = consumer()
    endpoint_id, _ = registration.register(server.url)

    def deliver(event_type: str, about: str, user_id: str | None = "ann") -> Any:
        server.messages.clear()
        event_id = in_outbox.write(endpoint_id, event_type=event_type, about=about, user_id=user_id)
        in_outbox.deliver(event_id)
        return server.messages[0]["data"] if server.messages else None

    return deliver


def test_a_request_is_told_as_get_generation_status_shows_it(
    in_outbox: Outbox, say: Callable[..., Any]
) -> None:
    in_outbox.memory.put("generationRequests/r1", REQUEST)
    data = say("generation.completed", "generationRequests/r1")
    shown = get_generation_status(GetGenerationStatus(generation_request_id="r1"), ANYBODY)
    assert data == shown.body.model_dump(mode="json", by_alias=True)
    is_valid(data, {"$ref": "#/components/schemas/GenerationRequest"})


def test_it_is_told_as_it_stands_when_it_is_delivered(
    in_outbox: Outbox, say: Callable[..., Any]
) -> None:
    in_outbox.memory.put("generationRequests/r1", REQUEST | {"prompt": ""})
    assert say("generation.completed", "generationRequests/r1")["prompt"] == ""


def test_the_request_of_an_account_that_was_deleted_is_not_told(
    in_outbox: Outbox, say: Callable[..., Any]
) -> None:
    in_outbox.memory.put("generationRequests/r1", REQUEST | {"userId": "deleted-1"})
    assert say("generation.completed", "generationRequests/r1") is None


def test_a_ledger_entry_is_told_with_its_user_and_the_balance_after_it(
    in_outbox: Outbox, say: Callable[..., Any]
) -> None:
    in_outbox.memory.put(db.user("ann"), {"credits": 9})
    ledger.grant_credits("ann", 5, key="k", reason="sorry", by="cli:test")
    data = say("credits.granted", ledger.grant_path("ann", "k"))
    assert data == {
        "userId": "ann",
        "id": ledger.grant_path("ann", "k").rpartition("/")[2],
        "type": "grant",
        "credits": 5,
        "delta": 5,
        "balanceAfter": 14,
        "reason": "sorry",
        "generationRequestId": None,
        "timestamp": "2026-11-18T12:00:00.000000Z",
    }


def test_a_report_is_told_by_its_week(in_outbox: Outbox, say: Callable[..., Any]) -> None:
    report = {
        "isoWeek": "2026-W46",
        "revision": 2,
        "periodStart": NOON,
        "periodEnd": NOON,
        "generatedAt": NOON,
        "totals": {"requests": 5},
    }
    in_outbox.memory.put("reports/2026-W46", report)
    data = say("report.stored", "reports/2026-W46", None)
    assert data == {
        "isoWeek": "2026-W46",
        "revision": 2,
        "periodStart": "2026-11-18T12:00:00.000000Z",
        "periodEnd": "2026-11-18T12:00:00.000000Z",
        "generatedAt": "2026-11-18T12:00:00.000000Z",
    }
