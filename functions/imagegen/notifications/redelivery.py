"""What operators do about deliveries: send a test event, and deliver events again."""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import partial

from imagegen import actions, clock, db
from imagegen.actions import Operator
from imagegen.errors import EventNotFound, WebhookEndpointNotFound
from imagegen.firestore.store import Document, Query
from imagegen.notifications import outbox, webhooks
from imagegen.notifications.event import (
    PUSH,
    Delivery,
    DeliveryStatus,
    EventDocument,
    EventType,
)
from imagegen.notifications.webhooks import WebhookEndpoint

PAGE_SIZE = 100
MISSED = (DeliveryStatus.FAILED, DeliveryStatus.DROPPED)


def send_test(endpoint_id: str, *, operator: Operator | None = None) -> str:
    """Send a `test` event to one endpoint; its id.

    Raises WebhookEndpointNotFound, BackendUnavailable.
    """
    about, event_id, moment = webhooks.path(endpoint_id), uuid.uuid4().hex, clock.now()
    path = db.event(event_id)

    def decide(transaction: db.Transaction) -> None:
        if transaction[path].exists:  # an earlier commit succeeded and only its reply was lost
            transaction.after_commit(partial(outbox.enqueue, event_id))
            return
        endpoint = WebhookEndpoint(transaction[about])
        if not endpoint.exists:
            raise WebhookEndpointNotFound(webhookEndpointId=endpoint_id)
        webhooks.note_action(transaction, "webhookEndpoint.test", endpoint, operator)
        outbox.write(transaction, EventType.TEST, about, moment, [endpoint_id], event_id=event_id)

    db.transact(decide, about, Document(path))
    return event_id


def redeliver(
    event_id: str, endpoint_id: str | None, *, operator: Operator | None = None
) -> EventDocument:
    """Deliver an event to an endpoint from the beginning of the schedule, whatever became of it.

    Without an `endpoint_id`, to every endpoint that it was addressed to and that is still there.

    Raises EventNotFound, WebhookEndpointNotFound, BackendUnavailable.
    """
    path, key, moment = db.event(event_id), uuid.uuid4().hex, clock.now()
    logged = actions.path(actions.action_id("redeliver", path, key))

    def decide(transaction: db.Transaction) -> None:
        transaction.after_commit(partial(outbox.enqueue, event_id))
        if transaction[logged].exists:
            return  # an earlier commit of this call succeeded and only its reply was lost
        event = EventDocument(transaction[path])
        if not event.exists:
            raise EventNotFound(eventId=event_id)
        wanted = [endpoint_id] if endpoint_id is not None else [*event.deliveries.keys() - {PUSH}]
        there = [name for name in wanted if transaction[webhooks.path(name)].exists]
        if not there:
            raise WebhookEndpointNotFound(webhookEndpointId=endpoint_id or "")
        again = dict.fromkeys(there, Delivery(next_attempt_at=moment))
        transaction.update(path, EventDocument.fields_of({**event.deliveries, **again}, moment))
        if operator is not None:
            actions.record(
                transaction,
                "redeliver",
                path,
                by=operator.by,
                reason=operator.reason,
                moment=moment,
                key=key,
                user_id=event.user_id,
                after={"endpointIds": there},
            )

    return EventDocument(db.transact(decide, path, Document(logged))[path])


def redeliver_missed(endpoint_id: str, since: datetime, *, operator: Operator | None = None) -> int:
    """Deliver to an endpoint again what it has missed since then; how many events.

    For when it was out of order for longer than the schedule lasts, or disabled. What was made
    while it was disabled was not addressed to it, and is not delivered.

    Raises WebhookEndpointNotFound, BackendUnavailable.
    """
    redelivered = 0
    after: tuple[datetime, str] | None = (clock.now(), "")
    while after is not None:
        page = [EventDocument(each) for each in db.query(newest_query(after))]
        wanted = [each for each in page if each.created_at >= since]
        for event in wanted:
            delivery = event.deliveries.get(endpoint_id)
            if delivery is not None and delivery.status in MISSED:
                redeliver(event.id, endpoint_id, operator=operator)
                redelivered += 1
        is_last = len(wanted) < PAGE_SIZE
        after = None if is_last else (wanted[-1].created_at, wanted[-1].id)
    return redelivered


def newest_query(before: tuple[datetime, str]) -> Query:
    """A page of events, the newest first."""
    return Query(
        "events",
        where=[("createdAt", "<=", before[0])],
        order_by=("createdAt", "DESCENDING"),
        limit=PAGE_SIZE,
        start_after=before if before[1] else None,
    )
