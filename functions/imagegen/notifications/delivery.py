"""Delivering an event: claim what is due, tell, and write down how it went.

Tasks are delivered twice, recovery runs beside them, and processes die. So an attempt first claims
the deliveries that are due, in a transaction that counts the attempt and keeps the others away
until a lease ends. What an attempt has claimed and not written down is due again then: everything
is delivered at least once, and sometimes twice, under the same id.

One task makes the first two attempts, 5 seconds apart. The later ones are made by the tasks that
`recovery` puts on the queue when they are due: a queue has no such schedule.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

from pydantic import ValidationError

from imagegen import clock, db, logger
from imagegen.api.schema import DocumentId, WireModel
from imagegen.errors import BackendUnavailable
from imagegen.notifications import push, sender, webhooks
from imagegen.notifications.event import (
    PUSH,
    Delivery,
    DeliveryStatus,
    EventDocument,
    Result,
    most_attempts,
)
from imagegen.notifications.sender import Describe
from imagegen.notifications.webhooks import WebhookEndpoint

SHORT_WAIT = timedelta(seconds=10)  # what a task waits for itself
THREADS = 20  # a round of all endpoints ends within its lease


class EventTask(WireModel):
    """What a task says: which event to deliver."""

    event_id: DocumentId


def deliver(data: object, describe: Describe) -> None:
    """Do one delivery of a task, whose `data` names the event.

    Raises BackendUnavailable when Firestore cannot be reached. Cloud Tasks then delivers the task
    again.
    """
    try:
        task = EventTask.model_validate(data, by_alias=True, by_name=False)
    except ValidationError:
        logger.error("task without an event")  # delivering it again would not help
        return
    while True:
        claim = uuid.uuid4().hex
        event, due = _claim(task.event_id, claim)
        if not due:
            return
        event = _write_down(event, claim, _attempt(event, due, describe))
        if event.next_attempt_at is None:
            return
        wait = event.next_attempt_at - clock.now()
        if wait > SHORT_WAIT:
            return
        time.sleep(max(0.0, wait.total_seconds()))


def _claim(event_id: str, claim: str) -> tuple[EventDocument, dict[str, Delivery]]:
    """The event, and the deliveries of it that are this attempt's to make."""
    path, moment = db.event(event_id), clock.now()

    def decide(transaction: db.Transaction) -> None:
        event = EventDocument(transaction[path])
        if not event.exists:
            return  # expired or deleted
        deliveries = {
            name: _claimed(name, each, claim, moment) for name, each in event.deliveries.items()
        }
        if deliveries != event.deliveries:
            transaction.update(path, EventDocument.fields_of(deliveries, moment))

    event = EventDocument(db.transact(decide, path)[path])
    if not event.exists:
        return event, {}
    return event, {
        name: each
        for name, each in event.deliveries.items()
        if each.claim == claim and each.status is DeliveryStatus.PENDING
    }


def _claimed(name: str, delivery: Delivery, claim: str, moment: datetime) -> Delivery:
    if not delivery.is_due(moment) or delivery.claim == claim:
        return delivery
    if delivery.attempts >= most_attempts(name):  # the last attempt died
        interrupted = Result(DeliveryStatus.FAILED, "the last attempt was interrupted")
        return delivery.after(interrupted, moment, most_attempts(name))
    return delivery.claimed(claim, moment)


def _attempt(
    event: EventDocument, due: Mapping[str, Delivery], describe: Describe
) -> dict[str, Result]:
    """Make the attempts that are due, side by side; how each ended."""
    endpoints = _endpoints(name for name in due if name != PUSH)
    body = cache(lambda: sender.body_of(event, describe))  # read once, and only for a webhook

    def attempt(name: str) -> Result:
        try:
            if name == PUSH:
                return push.send(event, already_reached=due[name].reached)
            return sender.send(event, endpoints[name], body)
        except BackendUnavailable as error:
            return Result(DeliveryStatus.PENDING, error.message)
        except Exception as error:  # noqa: BLE001 - one delivery must not stop the others
            logger.error("defect", eventId=event.id, delivery=name, error=repr(error))
            return Result(DeliveryStatus.PENDING, "a defect of ours")

    return dict(zip(due, _map(attempt, due), strict=True))


def _map(function: Callable[[str], Result], names: Iterable[str]) -> Iterable[Result]:
    with ThreadPoolExecutor(THREADS) as pool:
        return pool.map(function, names)


def _endpoints(ids: Iterable[str]) -> dict[str, WebhookEndpoint]:
    paths = [webhooks.path(each) for each in ids]
    found = db.read(*paths) if paths else []
    return {document.id: WebhookEndpoint(document) for document in found}


def _write_down(event: EventDocument, claim: str, results: Mapping[str, Result]) -> EventDocument:
    """Store how the attempts ended; the event as it then is.

    What another attempt has claimed meanwhile is its own, unless it has arrived through this one.
    """
    moment = clock.now()

    def decide(transaction: db.Transaction) -> None:
        current = EventDocument(transaction[event.path])
        if not current.exists:
            return
        deliveries = dict(current.deliveries)
        for name, result in results.items():
            delivery = deliveries.get(name)
            if delivery is None or delivery.status is not DeliveryStatus.PENDING:
                continue
            if delivery.claim == claim or result.status is DeliveryStatus.DELIVERED:
                done = delivery.after(result, moment, most_attempts(name))
                # Stored, so that this is not done twice when the reply to the commit is lost.
                deliveries[name] = replace(done, claim="")
        if deliveries != current.deliveries:
            transaction.update(event.path, EventDocument.fields_of(deliveries, moment))

    event = EventDocument(db.transact(decide, event.document)[event.path])
    for name, result in results.items():
        logger.info(
            "event delivered" if result.status is DeliveryStatus.DELIVERED else "event attempt",
            eventId=event.id,
            delivery=name,
            outcome=result.status,
            result=result.text,
        )
    return event
