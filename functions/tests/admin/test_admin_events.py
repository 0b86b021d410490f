"""Operators look at events, and deliver them again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.cloud import firestore
from support.admin_calls import actions_about
from support.proxy import FirestoreProxy

from imagegen import db
from imagegen.credits import ledger
from imagegen.notifications import outbox
from imagegen.notifications.event import DeliveryStatus, EventDocument

Call = Callable[..., Any]
WHY = {"reason": "the server was moved"}


@pytest.fixture
def event_id(admin: Call, registered: str, new_user: Callable[..., str]) -> tuple[str, str]:
    """The ids of an event of a grant, and of the user."""
    user_id = new_user(0)
    ledger.grant_credits(user_id, 1, key="k", reason="r", by="cli:ann")
    (event,) = admin("GET", f"/users/{user_id}/events")["events"]
    return event["eventId"], user_id


def test_an_event_is_shown_with_its_deliveries(
    admin: Call, registered: str, event_id: tuple[str, str]
) -> None:
    shown = admin("GET", f"/events/{event_id[0]}")
    assert (shown["type"], shown["userId"]) == ("credits.granted", event_id[1])
    (delivery,) = [each for each in shown["deliveries"] if each["endpointId"] == registered]
    assert (delivery["status"], delivery["attempts"]) == ("pending", 0)
    newest = admin("GET", "/events?pageSize=1")
    assert newest["events"] == [shown]
    admin("GET", "/events/not-there", 404)


def test_events_are_filtered_by_the_status_of_a_delivery(
    admin: Call, client: firestore.Client, registered: str, event_id: tuple[str, str]
) -> None:
    def ids(status: str) -> list[str]:
        page = admin("GET", f"/events?pageSize=100&status={status}")
        return [each["eventId"] for each in page["events"]]

    assert event_id[0] in ids("pending")
    assert event_id[0] not in ids("failed")
    client.document(db.event(event_id[0])).update(
        {f"deliveries.`{registered}`.status": "failed", "nextAttemptAt": None}
    )
    assert event_id[0] in ids("failed")


@pytest.mark.parametrize("to_all", [False, True])
def test_an_event_is_delivered_again(
    admin: Call,
    client: firestore.Client,
    registered: str,
    event_id: tuple[str, str],
    to_all: bool,
) -> None:
    path = db.event(event_id[0])
    client.document(path).update(
        {f"deliveries.`{registered}`.status": "failed", "nextAttemptAt": None}
    )
    wanted = WHY if to_all else WHY | {"endpointId": registered}
    admin("POST", f"/events/{event_id[0]}/redeliver", json=wanted)
    event = EventDocument(db.read(path)[0])
    assert event.deliveries[registered].status is DeliveryStatus.PENDING
    assert event.next_attempt_at is not None
    (action,) = actions_about(client, path)
    assert (action["action"], action["userId"]) == ("redeliver", event_id[1])
    admin("POST", f"/events/{event_id[0]}/redeliver", 404, json=WHY | {"endpointId": "none"})
    admin("POST", "/events/not-there/redeliver", 404, json=wanted)


def test_a_redelivery_whose_commit_was_answered_to_nobody_is_logged_and_queued_once(
    admin: Call,
    client: firestore.Client,
    registered: str,
    event_id: tuple[str, str],
    proxy: FirestoreProxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queued: list[str] = []
    monkeypatch.setattr(outbox, "enqueue", lambda event, _: queued.append(event))
    proxy.lose_reply_to_commit()
    wanted = WHY | {"endpointId": registered}
    admin("POST", f"/events/{event_id[0]}/redeliver", json=wanted)
    assert queued == [event_id[0]]
    assert len(actions_about(client, db.event(event_id[0]))) == 1
