"""Operators look at events, deliver them again, and say which servers are told of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.cloud import firestore
from support.admin_calls import actions_about

from imagegen import db
from imagegen.credits import ledger
from imagegen.notifications import outbox
from imagegen.notifications.event import DeliveryStatus, EventDocument

Call = Callable[..., Any]
WHY = {"reason": "the server was moved"}


@pytest.fixture
def registered(
    admin: Call, client: firestore.Client, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The id of a webhook endpoint of this test, which asks for grants."""
    monkeypatch.setenv("FUNCTIONS_EMULATOR", "true")  # an address on this machine may be called
    monkeypatch.setattr(outbox, "enqueue", lambda *_: None)
    made = admin(
        "POST",
        "/webhookEndpoints",
        201,
        json={"url": "http://127.0.0.1:9/hook", "types": ["credits.granted"]} | WHY,
    )
    assert made["secret"].startswith("whsec_")
    outbox.forget()
    yield made["id"]
    client.document(f"webhookEndpoints/{made['id']}").delete()
    outbox.forget()


@pytest.fixture
def event_id(admin: Call, registered: str, new_user: Callable[..., str]) -> tuple[str, str]:
    """The ids of an event of a grant, and of the user."""
    user_id = new_user(0)
    ledger.grant_credits(user_id, 1, key="k", reason="r", by="cli:ann")
    (event,) = admin("GET", f"/users/{user_id}/events")["events"]
    return event["eventId"], user_id


def test_an_endpoint_is_registered_listed_disabled_enabled_and_deleted(
    admin: Call, client: firestore.Client, registered: str
) -> None:
    def shown() -> dict[str, Any]:
        listed = admin("GET", "/webhookEndpoints")["webhookEndpoints"]
        (found,) = [each for each in listed if each["id"] == registered]
        return dict(found)

    assert (shown()["enabled"], shown()["types"]) == (True, ["credits.granted"])
    assert not {"secret", "secrets"} & shown().keys()
    path = f"/webhookEndpoints/{registered}"
    assert admin("PUT", path, json={"enabled": False} | WHY)["enabled"] is False
    assert shown()["disabledAt"] is not None
    assert admin("PUT", path, json={"enabled": True} | WHY)["enabled"] is True
    assert admin("PUT", path, json={"enabled": True} | WHY)["enabled"] is True
    rotated = admin("POST", f"{path}/rotateSecret", json=WHY)
    stored = client.document(f"webhookEndpoints/{registered}").get().to_dict() or {}
    assert stored["secrets"][0]["secret"] == rotated["secret"]
    admin("DELETE", path, query_string=WHY)
    admin("DELETE", path, 404, query_string=WHY)
    logged = actions_about(client, f"webhookEndpoints/{registered}")
    assert [each["action"].removeprefix("webhookEndpoint.") for each in by_time(logged)] == [
        "register",
        "disable",
        "enable",
        "rotateSecret",
        "delete",
    ]
    assert "whsec_" not in repr(logged)


def by_time(logged: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(logged, key=lambda action: action["at"])


@pytest.mark.parametrize(
    "body",
    [
        {"url": "ftp://example.com/"},
        {"url": "https://10.0.0.1/"},
        {"url": "https://example.com/", "types": ["credits.lost"]},
    ],
)
def test_what_may_not_be_called_is_not_registered(admin: Call, body: dict[str, Any]) -> None:
    refused = admin("POST", "/webhookEndpoints", 400, json=body | WHY)
    (violation,) = refused["error"]["details"]["fieldViolations"]
    assert violation["field"] == ("types" if "types" in body else "url")


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


def test_a_test_event_is_sent_to_one_endpoint(admin: Call, registered: str) -> None:
    sent = admin("POST", f"/webhookEndpoints/{registered}/test", json=WHY)
    shown = admin("GET", f"/events/{sent['eventId']}")
    assert shown["type"] == "test"
    assert [each["endpointId"] for each in shown["deliveries"]] == [registered]
