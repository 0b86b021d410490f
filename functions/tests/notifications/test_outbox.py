"""What writes an event: each change that somebody asked to be told of, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from demo.seed import catalogue as seeded
from support.events import Outbox
from support.orders import ANYBODY, order
from support.receiver import Receiver

from imagegen import db, tasks
from imagegen.catalogue import catalogue
from imagegen.credits import ledger
from imagegen.credits.endpoints import GetUserCredits, get_user_credits
from imagegen.errors import BackendUnavailable, GenerationFailed, ImagegenError
from imagegen.firestore.store import Query
from imagegen.generation import create as generation
from imagegen.generation import worker
from imagegen.generation.endpoints import (
    CancelGenerationRequest,
    cancel_generation_request,
)
from imagegen.notifications import devices, registration
from imagegen.notifications.event import PUSH, EventDocument

Consumer = Callable[[], Receiver]


@pytest.fixture
def app(in_outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> Outbox:
    """An app with models, and a user with nine credits."""
    for path, fields in seeded("").items():
        in_outbox.memory.put(path, fields | {"failureRate": 0.0, "latencySeconds": 0.0})
    for name, rate in (("Sure Model", 0.0), ("Doomed Model", 1.0)):
        model = {"generator": "mock", "imageUrl": "https://x.test/i", "failureRate": rate}
        in_outbox.memory.put(f"models/{name}", model)
    in_outbox.memory.put(db.user("ann"), {"credits": 9})
    monkeypatch.setattr(tasks, "enqueue", lambda *_, **__: None)
    catalogue.forget()
    return in_outbox


def told(in_outbox: Outbox) -> list[str]:
    """The types of the events, in the order in which they were written."""
    events = sorted(in_outbox.events(), key=lambda each: in_outbox.queued.index(each.id))
    return [str(each.type) for each in events]


def one(in_outbox: Outbox) -> EventDocument:
    (event,) = in_outbox.events()
    return event


def test_a_silent_queue_holds_up_a_call_for_some_seconds_however_many_events_it_has(
    app: Outbox, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes back after a year has many lots that have expired, each with its event."""
    registration.register(consumer().url, ["credits.expired"])
    gone = {
        f"month-{number}": {
            "remaining": 1,
            "kind": "subscription",
            "priority": 40,
            "grantedAt": app.moment - timedelta(days=60),
            "expiresAt": app.moment - timedelta(days=30),
            "purchaseId": f"month-{number}",
        }
        for number in range(20)
    }
    app.memory.put(db.user("ann"), {"credits": 20, "lots": gone})
    waited: list[float] = []

    def be_silent(event_id: str, *, timeout_seconds: float) -> None:
        waited.append(timeout_seconds)
        app.seconds += timeout_seconds
        raise BackendUnavailable

    monkeypatch.setattr(tasks, "enqueue_event", be_silent)
    monkeypatch.setattr(db, "time", SimpleNamespace(monotonic=lambda: app.seconds))
    assert get_user_credits(GetUserCredits(user_id="ann"), ANYBODY).current_credits == 0
    assert len(app.events()) == 20
    assert sum(waited) <= db.AFTER_COMMIT_SECONDS


def test_nobody_is_told_where_nobody_is_registered(app: Outbox) -> None:
    generation.create(order("ann"), ANYBODY)
    with pytest.raises(GenerationFailed):
        generation.create(order("ann", model="Doomed Model"), ANYBODY)
    ledger.grant_credits("ann", 5, key="k", reason="sorry", by="cli:test")
    assert (app.events(), app.queued) == ([], [])


def test_how_a_request_ends_is_told_with_ids_alone(app: Outbox, consumer: Consumer) -> None:
    endpoint_id, _ = registration.register(consumer().url)
    created = generation.create(order("ann"), ANYBODY)
    event = one(app)
    assert event.type == "generation.completed"
    assert event.about == db.generation_request(created.body.generation_request_id)
    assert event.user_id == "ann"
    assert list(event.deliveries) == [endpoint_id]
    assert app.queued == [event.id]
    stored = str(event.document.fields)
    assert "lighthouse" not in stored
    assert "https://" not in stored


def test_a_failure_and_a_cancel_are_told_as_what_they_are(app: Outbox, consumer: Consumer) -> None:
    registration.register(consumer().url, ["generation.failed", "generation.canceled"])
    with pytest.raises(GenerationFailed):
        generation.create(order("ann", model="Doomed Model"), ANYBODY)
    made = generation.create(order("ann", mode="async"), ANYBODY)
    body = CancelGenerationRequest(generation_request_id=made.body.generation_request_id)
    for _ in range(2):
        cancel_generation_request(body, ANYBODY)
    assert told(app) == ["generation.failed", "generation.canceled"]


def test_only_what_an_endpoint_asked_for_is_written(app: Outbox, consumer: Consumer) -> None:
    registration.register(consumer().url, ["credits.purchased"])
    generation.create(order("ann"), ANYBODY)
    assert app.events() == []


def test_what_comes_into_an_account_and_leaves_it_unspent_is_told(
    app: Outbox, consumer: Consumer
) -> None:
    registration.register(
        consumer().url, [each for each in registration.TYPES if "credits" in each]
    )
    ledger.grant_credits("ann", 5, key="k", reason="sorry", by="cli:test")

    def buy(transaction: db.Transaction) -> None:
        expires_at = app.moment + timedelta(days=1)
        ledger.purchase(transaction, "ann", "p1", 100, app.moment, expires_at=expires_at)

    db.transact(buy, db.user("ann"))
    app.moment += timedelta(days=2)
    get_user_credits(GetUserCredits(user_id="ann"), ANYBODY)
    assert told(app) == ["credits.granted", "credits.purchased", "credits.expired"]
    assert [each.about.rpartition("-")[2] for each in app.events()][1] == "purchase"


def test_a_low_balance_is_told_once_for_each_time_it_falls(
    app: Outbox, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOW_BALANCE", "8")
    registration.register(consumer().url, ["credits.low"])
    for _ in range(3):  # 8, 7 and 6 credits are left
        generation.create(order("ann"), ANYBODY)
    assert told(app) == ["credits.low"]
    assert one(app).about.endswith("-deduction")
    ledger.grant_credits("ann", 5, key="k", reason="sorry", by="cli:test")  # 11
    for _ in range(5):
        generation.create(order("ann"), ANYBODY)
    assert told(app) == ["credits.low", "credits.low"]


def test_a_low_balance_is_never_told_where_the_parameter_is_zero(
    app: Outbox, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOW_BALANCE", "0")
    registration.register(consumer().url, ["credits.low"])
    for _ in range(9):
        generation.create(order("ann"), ANYBODY)
    assert app.events() == []


def test_a_refused_order_tells_nothing(app: Outbox, consumer: Consumer) -> None:
    registration.register(consumer().url)
    for refused in (order("ann", size="9x9"), order("nobody")):
        with pytest.raises(ImagegenError):
            generation.create(refused, ANYBODY)
    assert app.events() == []


def test_the_devices_are_told_of_what_ends_in_the_background(app: Outbox) -> None:
    devices.register("ann", "phone")
    generation.create(order("ann"), ANYBODY)
    assert app.events() == [], "who waits for the answer needs no message"
    for model in ("Sure Model", "Doomed Model"):
        made = generation.create(order("ann", mode="async", model=model), ANYBODY)
        for _ in range(3):
            worker.process({"generationRequestId": made.body.generation_request_id})
            app.sleep(600)
    assert told(app) == ["generation.completed", "generation.failed"]
    assert [list(each.deliveries) for each in app.events()] == [[PUSH], [PUSH]]


def test_the_devices_are_not_told_of_what_their_user_has_canceled(app: Outbox) -> None:
    devices.register("ann", "phone")
    made = generation.create(order("ann", mode="async"), ANYBODY)
    body = CancelGenerationRequest(generation_request_id=made.body.generation_request_id)
    cancel_generation_request(body, ANYBODY)
    assert app.events() == []


def test_nothing_is_charged_while_it_cannot_be_found_out_who_is_to_be_told(
    app: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = db.query

    def away(wanted: Query, **options: Any) -> Any:
        if wanted.collection == "webhookEndpoints":
            raise BackendUnavailable
        return query(wanted, **options)

    monkeypatch.setattr(db, "query", away)
    with pytest.raises(BackendUnavailable):
        generation.create(order("ann"), ANYBODY)
    assert app.memory.documents[db.user("ann")]["credits"] == 9
