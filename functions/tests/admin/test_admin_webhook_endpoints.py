"""Operators say which servers are told of events."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from google.cloud import firestore
from support.admin_calls import actions_about
from support.proxy import FirestoreProxy

Call = Callable[..., Any]
WHY = {"reason": "the server was moved"}


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


def test_a_registration_whose_commit_was_answered_to_nobody_is_made_once(
    admin: Call,
    client: firestore.Client,
    proxy: FirestoreProxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FUNCTIONS_EMULATOR", "true")
    body = {"url": f"http://127.0.0.1:9/{uuid.uuid4().hex}"} | WHY
    proxy.lose_reply_to_commit()
    made = admin("POST", "/webhookEndpoints", 201, json=body)
    document = client.document(f"webhookEndpoints/{made['id']}")
    try:
        (secret,) = document.get().get("secrets")
        assert secret["secret"] == made["secret"]
        refused = admin("POST", "/webhookEndpoints", 400, json=body)
        (violation,) = refused["error"]["details"]["fieldViolations"]
        assert violation["field"] == "url"
        assert "rotate its secret" in violation["description"]
        listed = admin("GET", "/webhookEndpoints")["webhookEndpoints"]
        assert [each["id"] for each in listed if each["url"] == body["url"]] == [made["id"]]
        assert len(actions_about(client, document.path)) == 1
    finally:
        document.delete()


def test_a_deletion_whose_commit_was_answered_to_nobody_is_told_as_done(
    admin: Call, client: firestore.Client, registered: str, proxy: FirestoreProxy
) -> None:
    path = f"/webhookEndpoints/{registered}"
    proxy.lose_reply_to_commit()
    admin("DELETE", path, query_string=WHY)
    admin("DELETE", path, 404, query_string=WHY)
    logged = [each["action"] for each in by_time(actions_about(client, path.removeprefix("/")))]
    assert logged == ["webhookEndpoint.register", "webhookEndpoint.delete"]


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


def test_a_test_event_is_sent_to_one_endpoint(admin: Call, registered: str) -> None:
    sent = admin("POST", f"/webhookEndpoints/{registered}/test", json=WHY)
    shown = admin("GET", f"/events/{sent['eventId']}")
    assert shown["type"] == "test"
    assert [each["endpointId"] for each in shown["deliveries"]] == [registered]


def test_a_test_event_whose_commit_was_answered_to_nobody_is_sent_once(
    admin: Call, client: firestore.Client, registered: str, proxy: FirestoreProxy
) -> None:
    path = f"webhookEndpoints/{registered}"
    proxy.lose_reply_to_commit()
    sent = admin("POST", f"/{path}/test", json=WHY)
    found = client.collection("events").where(filter=firestore.FieldFilter("about", "==", path))
    assert [each.id for each in found.stream()] == [sent["eventId"]]
    logged = [each["action"] for each in by_time(actions_about(client, path))]
    assert logged == ["webhookEndpoint.register", "webhookEndpoint.test"]
