"""Old and new code side by side: each reads what the other has written.

A deploy runs both for minutes, and a rollback brings old code to new documents. release_0_1.json
holds what orders left behind in that release, one in every state.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from seed import catalogue as seeded  # tools/seed.py
from simulation.memory_store import MemoryStore
from support.orders import ANYBODY, now, order

from imagegen import clock, db, tasks
from imagegen.catalogue import catalogue
from imagegen.credits import endpoints as credit_endpoints
from imagegen.credits.endpoints import GetUserCredits
from imagegen.generation import create as generation
from imagegen.generation import endpoints as generation_endpoints
from imagegen.generation import recovery, worker
from imagegen.generation.endpoints import ListGenerationRequests, NamedRequest

RELEASE = Path(__file__).with_name("release_0_1.json")
OPENING = 20
Documents = dict[str, dict[str, Any]]


def released() -> Documents:
    """The documents of the release, by path."""

    def typed(fields: dict[str, Any]) -> dict[str, Any]:
        return {
            name: datetime.fromisoformat(value["time"])
            if isinstance(value, dict) and set(value) == {"time"}
            else value
            for name, value in fields.items()
        }

    documents: Documents = json.loads(RELEASE.read_text(), object_hook=typed)
    return documents


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryStore]:
    """An empty database with a catalogue."""
    made = MemoryStore(now)
    monkeypatch.setattr(db, "connection", lambda: made)
    monkeypatch.setattr(tasks, "enqueue", lambda *_, **__: None)
    for path, fields in seeded("").items():
        made.put(path, fields | {"failureRate": 0.0, "latencySeconds": 0.0})
    made.put("models/Doomed Model", {"generator": "mock", "imageUrl": "", "failureRate": 1.0})
    catalogue.forget()
    yield made
    catalogue.forget()


def live(store: MemoryStore) -> None:
    """A life with a request in every state: completed, failed, canceled, pending, processing."""
    store.put("users/ann", {"credits": OPENING, "createdAt": now(), "updatedAt": now()})
    generation.create(order("ann", model="Model A"), ANYBODY)
    for model in ("Doomed Model", "Model A", "Model A"):
        generation.create(order("ann", model=model, mode="async"), ANYBODY)
    waiting = [d for d in store.documents.values() if d.get("status") == "pending"]
    doomed, canceled, _ = waiting
    generation.cancel(NamedRequest(generation_request_id=canceled.id), ANYBODY)
    for _ in range(2):
        with pytest.raises(worker.ComeBackLater):
            worker.process({"generationRequestId": doomed.id})
    worker.process({"generationRequestId": doomed.id})
    processing = generation.create(order("ann", model="Doomed Model", mode="async"), ANYBODY).body
    with pytest.raises(worker.ComeBackLater):
        worker.process({"generationRequestId": getattr(processing, "generation_request_id")})  # noqa: B009


def life_of(store: MemoryStore) -> Documents:
    return {
        path: dict(document.fields or {})
        for path, document in store.documents.items()
        if path.startswith(("users/", "generationRequests/"))
    }


def test_this_release_goes_on_with_what_the_last_one_left(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = released()
    for path, fields in documents.items():
        store.put(path, fields)
    requests = {path: each for path, each in documents.items() if "fingerprint" in each}
    assert {each["status"] for each in requests.values()} == {
        "completed",
        "failed",
        "canceled",
        "pending",
        "processing",
    }
    listed = generation_endpoints.listing(ListGenerationRequests(user_id="ann"), ANYBODY)
    assert len(listed.generation_requests) == len(requests)
    statement = credit_endpoints.statement(GetUserCredits(user_id="ann"), ANYBODY)
    assert statement.current_credits == documents["users/ann"]["credits"]

    waiting = next(path for path, each in requests.items() if each["status"] == "pending")
    monkeypatch.setattr(clock, "now", lambda: requests[waiting]["createdAt"])
    worker.process({"generationRequestId": waiting.rpartition("/")[2]})
    assert store.documents[waiting]["status"] == "completed"
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(days=3650))
    assert recovery.recover() == 1  # the one that was in work
    balance = credit_endpoints.statement(GetUserCredits(user_id="ann"), ANYBODY).current_credits
    assert balance == OPENING - 2  # two images, at one credit each


def test_the_last_release_finds_every_field_that_it_reads(store: MemoryStore) -> None:
    """What this release writes has all that the last one wrote, of the same type."""
    live(store)
    before, after = shapes(released()), shapes(life_of(store))
    assert set(before) <= set(after)
    for kind, fields in before.items():
        for name, types in fields.items():
            assert name in after[kind], f"{kind}: {name} is gone"
            assert after[kind][name] & types, f"{kind}: {name} was {types}"


def shapes(documents: Documents) -> dict[str, dict[str, set[str]]]:
    """By kind of document and status or type, the fields and the types of their values."""
    found: dict[str, dict[str, set[str]]] = {}
    for path, fields in documents.items():
        kind = f"{path.split('/')[-2]} {fields.get('status', fields.get('type', ''))}"
        for name, value in fields.items():
            # A StrEnum is stored as the text that it is.
            type_name = "str" if isinstance(value, str) else type(value).__name__
            found.setdefault(kind, {}).setdefault(name, set()).add(type_name)
    return found
