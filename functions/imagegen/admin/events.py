"""Events, and their deliveries."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from imagegen import db
from imagegen.actions import Operator
from imagegen.admin.wire import Page, Reason, uid_of
from imagegen.api import paging
from imagegen.api.auth import Caller
from imagegen.api.endpoint import Success, endpoint
from imagegen.api.schema import DocumentId, NextPageToken, Timestamp, UserId, WireModel, is_none
from imagegen.errors import EventNotFound, WebhookEndpointNotFound
from imagegen.firestore.store import Query
from imagegen.firestore.stored import readable
from imagegen.notifications import redelivery
from imagegen.notifications.event import DeliveryStatus, EventDocument, EventType

LOOKED_THROUGH = 500  # events of one page whose deliveries are filtered
EXAMPLE_EVENT_ID = "45c48cce2e2d7fbdea1afc51c7c6ad26"
EXAMPLE_ENDPOINT_ID = "d3d9446802a44259755d38e6d163e820"


class EventDelivery(WireModel):
    """One delivery of an event."""

    endpoint_id: str = Field(description="The webhook endpoint, or `push` for push messages.")
    status: DeliveryStatus = Field(description="How far it is.")
    attempts: int = Field(description="How often it was tried.")
    next_attempt_at: Timestamp | None = Field(description="When it is tried next, if it is.")
    result: str = Field(description="How the last attempt ended; empty before the first.")


class EventView(WireModel):
    """An event, and how far its deliveries are."""

    event_id: str = Field(description="The event.")
    type: EventType = Field(description="What kind of event it is.")
    about: str = Field(description="The path of the document that it is about.")
    user_id: str | None = Field(
        default=None, exclude_if=is_none, description="Whose it is. Absent if nobody's."
    )
    created_at: Timestamp = Field(description="When it happened.")
    deliveries: list[EventDelivery] = Field(description="Whom it is told.")

    @classmethod
    def from_document(cls, event: EventDocument) -> EventView:
        return cls(
            event_id=event.id,
            type=event.type,
            about=event.about,
            user_id=event.user_id,
            created_at=event.created_at,
            deliveries=[
                EventDelivery(
                    endpoint_id=name,
                    status=each.status,
                    attempts=each.attempts,
                    next_attempt_at=each.next_attempt_at,
                    result=each.result,
                )
                for name, each in sorted(event.deliveries.items())
            ],
        )


class EventPage(WireModel):
    """A page of events."""

    events: list[EventView] = Field(description="Events, newest first.")
    next_page_token: NextPageToken = None


class ListEvents(Page):
    """Which events to list."""

    status: DeliveryStatus | None = Field(
        default=None, description="Only those with such a delivery."
    )


EXAMPLE_EVENT: dict[str, Any] = {
    "eventId": EXAMPLE_EVENT_ID,
    "type": "generation.completed",
    "about": "generationRequests/0d3c1f5c7f1e4b0f9f6f2f0a54b7c9de",
    "userId": "testUser1",
    "createdAt": "2026-11-21T12:30:05.000000Z",
    "deliveries": [
        {
            "endpointId": EXAMPLE_ENDPOINT_ID,
            "status": "delivered",
            "attempts": 1,
            "nextAttemptAt": None,
            "result": "HTTP 204",
        }
    ],
}
FOUND = Success("A page of events.", {"firstPage": {"events": [EXAMPLE_EVENT]}})


@endpoint(methods=("GET",), example={"status": "failed", "pageSize": 20}, success=FOUND)
def list_events(body: ListEvents, caller: Caller) -> EventPage:
    """List events.

    Newest first; those whose deliveries have all ended are kept for 30 days. With a `status`, the
    500 events that a page begins with are looked through, so a page may be short or empty and yet
    have a next one.
    """
    return _page(body, ("events", body.status), None, body.status)


class ListUserEvents(Page):
    """Whose events to list."""

    user_id: UserId


@endpoint(methods=("GET",), example={"userId": "testUser1", "pageSize": 20}, success=FOUND)
def list_user_events(body: ListUserEvents, caller: Caller) -> EventPage:
    """List the events of a user.

    Newest first. A page holds `pageSize` of them, 20 by default and 100 at most.
    """
    return _page(body, ("events of", body.user_id), body.user_id, None)


def _page(
    body: Page, bound_to: tuple[Any, ...], user_id: str | None, status: DeliveryStatus | None
) -> EventPage:
    size, limit = body.size(), body.size() if status is None else LOOKED_THROUGH
    found = db.query(events_query(user_id, limit + 1, body.after(bound_to)))
    token = paging.next_token(found, limit, bound_to)
    shown = [
        (document, event)
        for document, event in readable(
            found[:limit],
            EventDocument,
            lambda each: (each.document, EventView.from_document(each)),
        )
        if status is None or any(each.status is status for each in event.deliveries)
    ]
    if len(shown) > size:
        token = paging.token_after(shown[size - 1][0], bound_to)
    return EventPage(events=[event for _, event in shown[:size]], next_page_token=token)


def events_query(
    user_id: str | None, limit: int, after: tuple[datetime, str] | None = None
) -> Query:
    """A page of the events of a user, or of all, the newest first."""
    return Query(
        "events",
        where=[("userId", "==", user_id)] if user_id is not None else [],
        order_by=("createdAt", "DESCENDING"),
        limit=limit,
        start_after=after,
    )


class GetEvent(WireModel):
    """Which event to look at."""

    event_id: DocumentId = Field(description="The event.")


@endpoint(
    methods=("GET",),
    example={"eventId": EXAMPLE_EVENT_ID},
    success=Success("The event.", {"event": EXAMPLE_EVENT}),
    errors=(EventNotFound,),
)
def get_event(body: GetEvent, caller: Caller) -> EventView:
    """Look at an event.

    Whom it is told, and how far each delivery is.
    """
    (document,) = db.read(db.event(body.event_id))
    if not document.exists:
        raise EventNotFound(eventId=body.event_id)
    return EventView.from_document(EventDocument(document))


class RedeliverEvent(WireModel):
    """Which event to deliver again, and to whom."""

    event_id: DocumentId = Field(description="The event.")
    endpoint_id: DocumentId | None = Field(
        default=None,
        description="The webhook endpoint; all that the event was addressed to if it is left out.",
    )
    reason: Reason


@endpoint(
    methods=("POST",),
    example={
        "eventId": EXAMPLE_EVENT_ID,
        "endpointId": EXAMPLE_ENDPOINT_ID,
        "reason": "The server was down.",
    },
    success=Success("The event.", {"event": EXAMPLE_EVENT}),
    errors=(EventNotFound, WebhookEndpointNotFound),
)
def redeliver_event(body: RedeliverEvent, caller: Caller) -> EventView:
    """Deliver an event again.

    To a webhook endpoint, from the beginning of the schedule, whatever became of it.
    """
    operator = Operator(uid_of(caller), body.reason)
    return EventView.from_document(
        redelivery.redeliver(body.event_id, body.endpoint_id, operator=operator)
    )
