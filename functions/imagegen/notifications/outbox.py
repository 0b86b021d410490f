"""The outbox: an event is written in the transaction that makes the change it tells of.

So there is an event for what was committed, and none for what was not, whenever a process dies.
After the commit the event is put on the queue; if that fails, `recovery` finds it later. Nothing is
written, read or queued where nobody is to be told.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from functools import partial

from imagegen import config, db, logger, tasks
from imagegen.catalogue.cache import Cache
from imagegen.errors import BackendUnavailable
from imagegen.notifications.event import PUSH, Delivery, EventDocument, EventType
from imagegen.notifications.webhooks import WebhookEndpoint, all_query

ENQUEUE_SECONDS = 3.0  # of the call whose change is told
LOAD_SECONDS = 2.0

Subscriptions = Mapping[str, tuple[str, ...]]


def record(
    transaction: db.Transaction,
    event_type: EventType,
    about: str,
    moment: datetime,
    *,
    user_id: str | None = None,
    to_devices: bool = False,
) -> None:
    """Write an event about the document at `about`, if somebody is to be told of it.

    That is every webhook endpoint that asked for this type, and with `to_devices` the user's
    devices.

    Raises BackendUnavailable when it cannot be found out who is to be told.
    """
    names = [name for name, types in subscriptions().items() if event_type in types]
    if to_devices:
        names.append(PUSH)
    if not names:
        return
    write(transaction, event_type, about, moment, names, user_id=user_id)


def write(
    transaction: db.Transaction,
    event_type: EventType,
    about: str,
    moment: datetime,
    names: list[str],
    *,
    user_id: str | None = None,
    event_id: str | None = None,
) -> str:
    """Write an event with the deliveries `names`, due now; its id, a fresh one if none is given."""
    event_id = event_id or uuid.uuid4().hex
    deliveries = {name: Delivery(next_attempt_at=moment) for name in names}
    transaction.create(
        db.event(event_id),
        EventDocument.fields(type=event_type, about=about, user_id=user_id, created_at=moment)
        | EventDocument.fields_of(deliveries, moment),
    )
    transaction.after_commit(partial(enqueue, event_id))
    return event_id


def enqueue(event_id: str, seconds: float) -> None:
    """Have the event delivered soon; if the queue does not take it, recovery has it delivered.

    The queue is waited for `seconds` at most, and not asked when there are none.
    """
    if seconds <= 0:
        logger.warn("event not enqueued", eventId=event_id, error="no time left")
        return
    try:
        tasks.enqueue_event(event_id, timeout_seconds=min(seconds, ENQUEUE_SECONDS))
    except BackendUnavailable as error:
        logger.warn("event not enqueued", eventId=event_id, error=repr(error.__cause__))


def subscriptions() -> Subscriptions:
    """The ids of the webhook endpoints that are not disabled, and the types each asked for.

    They are at most CATALOGUE_TTL_SECONDS old.

    Raises BackendUnavailable when they cannot be read.
    """
    return _cache.get(config.CATALOGUE_TTL_SECONDS.value)


def forget() -> None:
    """Read the webhook endpoints again at the next call."""
    _cache.clear()


def _load() -> Subscriptions:
    found = db.query(all_query(), deadline_seconds=LOAD_SECONDS)
    endpoints = [WebhookEndpoint(document) for document in found]
    return {each.id: each.types for each in endpoints if each.disabled_at is None}


_cache = Cache(_load, name="list of webhook endpoints")
