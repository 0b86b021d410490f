"""An outbox in memory, with a queue that keeps what it is given, and consumers of webhooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from simulation.memory_store import MemoryStore
from standardwebhooks import Webhook

from imagegen import clock, db, event_data, tasks
from imagegen.firestore.store import Document
from imagegen.notifications import delivery, outbox, webhooks
from imagegen.notifications.event import Delivery, EventDocument, EventType
from support.receiver import Receiver


class Outbox:
    """A store in memory, a clock that is set by hand, and the ids that were put on the queue."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.moment = datetime.fromisoformat("2026-11-18T12:00:00+00:00")
        self.memory = MemoryStore(lambda: self.moment)
        self.queued: list[str] = []
        self.seconds = 0.0
        monkeypatch.setenv("CATALOGUE_TTL_SECONDS", "0")
        monkeypatch.setattr(db, "connection", lambda: self.memory)
        monkeypatch.setattr(clock, "now", lambda: self.moment)
        monkeypatch.setattr(
            tasks, "enqueue_event", lambda event_id, **_: self.queued.append(event_id)
        )
        monkeypatch.setattr(delivery, "time", SimpleNamespace(sleep=self.sleep))
        outbox.forget()

    def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)

    def events(self) -> list[EventDocument]:
        documents = self.memory.documents.values()
        return [EventDocument(each) for each in documents if each.path.startswith("events/")]

    def event(self, event_id: str) -> EventDocument:
        return EventDocument(self.memory.documents[db.event(event_id)])

    def delivery(self, event_id: str, name: str) -> Delivery:
        return self.event(event_id).deliveries[name]

    def endpoint(self, endpoint_id: str) -> webhooks.WebhookEndpoint:
        return webhooks.WebhookEndpoint(self.memory.documents[webhooks.path(endpoint_id)])

    def write(self, *names: str, **options: Any) -> str:
        """An event of the type `test`, as in a transaction that changes something."""
        settings: dict[str, Any] = {"event_type": EventType.TEST, "about": "reports/x"} | options
        written = []

        def decide(transaction: db.Transaction) -> None:
            event_id = outbox.write(transaction, moment=self.moment, names=list(names), **settings)
            written.append(event_id)

        db.transact(decide, Document("any"))
        return written[-1]

    def deliver(self, event_id: str) -> None:
        delivery.deliver({"eventId": event_id}, event_data.of)


@pytest.fixture
def in_outbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Outbox]:
    yield Outbox(monkeypatch)
    outbox.forget()


@pytest.fixture
def consumer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Receiver]]:
    """Makes servers that receive webhooks, on this machine, as the emulators allow."""
    monkeypatch.setenv("FUNCTIONS_EMULATOR", "true")
    servers = []

    def start() -> Receiver:
        servers.append(Receiver())
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def verified(receiver: Receiver, secret: str, number: int = -1) -> dict[str, Any]:
    """What a consumer reads from a delivery, once the reference implementation has accepted it."""
    headers = dict(receiver.headers[number].items())
    content: dict[str, Any] = Webhook(secret).verify(receiver.bodies[number], headers)
    return content
