"""The real thing: servers that fail, hang, redirect and go away, and a deliverer that is killed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psutil
import pytest
from google.cloud import firestore
from google.cloud.firestore import FieldFilter
from support.events import verified
from support.orders import order_body
from support.paths import FUNCTIONS
from support.receiver import Receiver
from support.servers import kill

from imagegen.credits import ledger
from imagegen.errors import UserNotFound
from imagegen.notifications import outbox, registration, webhooks

EVENTS, KILLS = 20, 4
LONGEST_SECONDS = 90
Consumer = Callable[[], Receiver]


@pytest.fixture
def register(
    client: firestore.Client, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., tuple[str, str]]]:
    """Registers endpoints that are disabled again at the end."""
    monkeypatch.setenv("CATALOGUE_TTL_SECONDS", "0")
    made = []

    def endpoint(server: Receiver, *types: str) -> tuple[str, str]:
        made.append(registration.register(server.url, types))
        return made[-1]

    outbox.forget()
    yield endpoint
    for endpoint_id, _ in made:
        webhooks.disable(endpoint_id)
    outbox.forget()


def test_what_was_committed_arrives_whatever_happens_to_servers_and_deliverers(
    client: firestore.Client,
    new_user: Callable[..., str],
    consumer: Consumer,
    register: Callable[..., tuple[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbox, "enqueue", lambda *_: None)  # each is found by recovery
    servers = {name: consumer() for name in ("good", "failing", "hanging", "moved", "gone")}
    source = random.Random(5)
    servers["failing"].answers = source.choices((200, 200, 200, 500, 0), k=10_000)
    servers["hanging"].hangs_for = 2
    servers["moved"].answers = source.choices((301, 302, 307, 308), k=10_000)
    servers["gone"].answers = [410] * 10_000
    ids = {name: register(server, "credits.granted")[0] for name, server in servers.items()}
    user_id, started = new_user(0), time.monotonic()
    with pytest.raises(UserNotFound):
        ledger.grant_credits("nobody-at-all", 5, key="k", reason="a test", by="cli:test")
    deliverer = start()
    for number in range(EVENTS):
        ledger.grant_credits(user_id, 1, key=f"k{number}", reason="a test", by="cli:test")
        if number % (EVENTS // KILLS) == 3:
            time.sleep(source.random())
            kill(deliverer)
            deliverer = start()
    try:
        while pending(client, user_id):
            assert time.monotonic() - started < LONGEST_SECONDS, pending(client, user_id)
            time.sleep(0.5)
    finally:
        kill(deliverer)
    stored = events(client, user_id)
    assert len(stored) == EVENTS
    for name in ("good", "failing"):
        statuses = {each["deliveries"][ids[name]]["status"] for each in stored.values()}
        assert statuses == {"delivered"}
        assert {each["id"] for each in servers[name].messages} == set(stored)
    for name in ("hanging", "moved"):
        statuses = {each["deliveries"][ids[name]]["status"] for each in stored.values()}
        assert statuses == {"failed"}
    # Those that were written before it was disabled are dropped; later ones are not for it.
    to_gone = [each["deliveries"].get(ids["gone"]) for each in stored.values()]
    assert {each["status"] for each in to_gone if each is not None} == {"dropped"}
    outbox.forget()
    ledger.grant_credits(user_id, 1, key="later", reason="a test", by="cli:test")
    (later,) = (each for event, each in events(client, user_id).items() if event not in stored)
    assert ids["gone"] not in later["deliveries"]
    gone = client.document(webhooks.path(ids["gone"])).get().to_dict() or {}
    assert gone["disabledReason"] == "it answered 410 Gone"


def start() -> psutil.Popen:
    return psutil.Popen(
        [sys.executable, "-m", "support.deliverer"],
        cwd=FUNCTIONS / "tests",
        env={**os.environ, "PYTHONPATH": f"{FUNCTIONS}:{FUNCTIONS / 'tests'}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def events(client: firestore.Client, user_id: str) -> dict[str, dict[str, Any]]:
    found = client.collection("events").where(filter=FieldFilter("userId", "==", user_id))
    return {each.id: each.to_dict() or {} for each in found.stream()}


def pending(client: firestore.Client, user_id: str) -> list[str]:
    return [
        event_id
        for event_id, each in events(client, user_id).items()
        if each["nextAttemptAt"] is not None
    ]


def test_an_order_over_http_is_told_through_the_queue(
    deployed: httpx.Client,
    new_user: Callable[..., str],
    consumer: Consumer,
    register: Callable[..., tuple[str, str]],
) -> None:
    server, user_id = consumer(), new_user(5)
    _, secret = register(server, "generation.completed")
    time.sleep(1.5)  # the functions cache the endpoints for a second
    key = uuid.uuid4().hex
    answer = deployed.post("/createGenerationRequest", json=order_body(user_id, idempotencyKey=key))
    assert answer.status_code == 200
    for _ in range(120):
        told = [n for n, each in enumerate(server.messages) if each["data"]["userId"] == user_id]
        if told:
            break
        time.sleep(0.5)
    content = verified(server, secret, told[0])
    request_id = answer.json()["generationRequestId"]
    shown = deployed.get("/getGenerationStatus", params={"generationRequestId": request_id})
    assert (content["type"], content["data"]) == ("generation.completed", shown.json())
