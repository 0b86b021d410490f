"""Events, their deliveries, and the webhook endpoints that they go to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from imagegen import db
from imagegen.actions import Operator
from imagegen.admin.wire import Page, Reason, uid_of
from imagegen.api import paging
from imagegen.api.auth import Caller
from imagegen.api.endpoint import Success, endpoint
from imagegen.api.schema import (
    DocumentId,
    Flag,
    NextPageToken,
    Reply,
    Timestamp,
    UserId,
    WireModel,
    is_none,
)
from imagegen.errors import EventNotFound, WebhookEndpointNotFound
from imagegen.firestore.store import Query
from imagegen.firestore.stored import readable
from imagegen.notifications import redelivery, registration, webhooks
from imagegen.notifications.event import DeliveryStatus, EventDocument, EventType
from imagegen.notifications.webhooks import WebhookEndpoint

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


class WebhookEndpointView(WireModel):
    """A server that is told of events."""

    id: str = Field(description="The webhook endpoint.")
    url: str = Field(description="Where events are sent.")
    types: list[str] = Field(description="Of which types.")
    enabled: bool = Field(description="Whether it is sent any.")
    created_at: Timestamp = Field(description="When it was registered.")
    failing_since: Timestamp | None = Field(
        description="When a delivery failed first after the last success; null: none has."
    )
    disabled_at: Timestamp | None = Field(description="When it was disabled; null: it is not.")
    disabled_reason: str | None = Field(description="Why it was disabled; null: it is not.")

    @classmethod
    def from_document(cls, stored: WebhookEndpoint) -> WebhookEndpointView:
        return cls(
            id=stored.id,
            url=stored.url,
            types=list(stored.types),
            enabled=stored.disabled_at is None,
            created_at=stored.created_at,
            failing_since=stored.failing_since,
            disabled_at=stored.disabled_at,
            disabled_reason=stored.disabled_reason,
        )


class WebhookEndpointList(WireModel):
    """All webhook endpoints."""

    webhook_endpoints: list[WebhookEndpointView] = Field(
        description="Webhook endpoints, the oldest first."
    )


class ListWebhookEndpoints(WireModel):
    """No fields."""


EXAMPLE_ENDPOINT: dict[str, Any] = {
    "id": EXAMPLE_ENDPOINT_ID,
    "url": "https://example.com/hooks",
    "types": ["generation.completed"],
    "enabled": True,
    "createdAt": "2026-11-01T08:00:00.000000Z",
    "failingSince": None,
    "disabledAt": None,
    "disabledReason": None,
}


@endpoint(
    methods=("GET",),
    example={},
    success=Success("All of them.", {"endpoints": {"webhookEndpoints": [EXAMPLE_ENDPOINT]}}),
)
def list_webhook_endpoints(body: ListWebhookEndpoints, caller: Caller) -> WebhookEndpointList:
    """List the webhook endpoints.

    All of them, the oldest first, without their secrets.
    """
    return WebhookEndpointList(
        webhook_endpoints=[
            WebhookEndpointView.from_document(each) for each in registration.listed()
        ]
    )


class RegisterWebhookEndpoint(WireModel):
    """A server that is to be told of events."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=2048)] = Field(
        description="An https URL at a public address."
    )
    types: list[Annotated[str, StringConstraints(max_length=100)]] = Field(
        default=[], description="Types of events; all of them if it is left out or empty."
    )
    reason: Reason


class WebhookEndpointSecret(WireModel):
    """The secret of a webhook endpoint, which is shown this once."""

    id: str = Field(description="The webhook endpoint.")
    secret: str = Field(description="What its deliveries are signed with.")


@endpoint(
    methods=("POST",),
    example={
        "url": "https://example.com/hooks",
        "types": ["generation.completed"],
        "reason": "The shop wants to know.",
    },
    success=Success(
        "Its id and its secret.",
        {"registered": {"id": EXAMPLE_ENDPOINT_ID, "secret": "whsec_4lT0kq"}},
        code=201,
    ),
)
def register_webhook_endpoint(
    body: RegisterWebhookEndpoint, caller: Caller
) -> Reply[WebhookEndpointSecret]:
    """Register a webhook endpoint.

    A server that is told of events (docs/events.md). The secret, which its deliveries are signed
    with, is shown this once.
    """
    operator = Operator(uid_of(caller), body.reason)
    endpoint_id, secret = registration.register(body.url, body.types, operator=operator)
    return Reply(WebhookEndpointSecret(id=endpoint_id, secret=secret), code=201)


class SwitchWebhookEndpoint(WireModel):
    """Whether a webhook endpoint is to be told of events."""

    endpoint_id: DocumentId = Field(description="The webhook endpoint.")
    enabled: Flag = Field(description="Whether to send it events.")
    reason: Reason


@endpoint(
    methods=("PUT",),
    example={"endpointId": EXAMPLE_ENDPOINT_ID, "enabled": False, "reason": "Moving it."},
    success=Success("The webhook endpoint.", {"endpoint": EXAMPLE_ENDPOINT}),
    errors=(WebhookEndpointNotFound,),
)
def set_webhook_endpoint(body: SwitchWebhookEndpoint, caller: Caller) -> WebhookEndpointView:
    """Enable or disable a webhook endpoint.

    What is pending for a disabled one is dropped when its next attempt is due; one that is enabled
    again gets events from then on.
    """
    operator = Operator(uid_of(caller), body.reason)
    if body.enabled:
        stored = registration.enable(body.endpoint_id, operator=operator)
    else:
        stored = webhooks.disable(body.endpoint_id, operator=operator)
    return WebhookEndpointView.from_document(stored)


class ChangeWebhookEndpoint(WireModel):
    """Which webhook endpoint, and why."""

    endpoint_id: DocumentId = Field(description="The webhook endpoint.")
    reason: Reason


EXAMPLE_CHANGE = {"endpointId": EXAMPLE_ENDPOINT_ID, "reason": "A yearly exercise."}


@endpoint(
    methods=("POST",),
    example=EXAMPLE_CHANGE,
    success=Success(
        "The new secret.", {"rotated": {"id": EXAMPLE_ENDPOINT_ID, "secret": "whsec_4lT0kq"}}
    ),
    errors=(WebhookEndpointNotFound,),
)
def rotate_webhook_secret(body: ChangeWebhookEndpoint, caller: Caller) -> WebhookEndpointSecret:
    """Replace the secret of a webhook endpoint.

    The new one is shown this once. For 24 hours deliveries are signed with both.
    """
    operator = Operator(uid_of(caller), body.reason)
    secret = registration.rotate(body.endpoint_id, operator=operator)
    return WebhookEndpointSecret(id=body.endpoint_id, secret=secret)


class SentEvent(WireModel):
    """An event that was sent."""

    event_id: str = Field(description="The event.")


@endpoint(
    methods=("POST",),
    example=EXAMPLE_CHANGE,
    success=Success("The event.", {"sent": {"eventId": EXAMPLE_EVENT_ID}}),
    errors=(WebhookEndpointNotFound,),
)
def test_webhook_endpoint(body: ChangeWebhookEndpoint, caller: Caller) -> SentEvent:
    """Send a test event to a webhook endpoint.

    An event of the type `test`, signed like all others.
    """
    operator = Operator(uid_of(caller), body.reason)
    return SentEvent(event_id=redelivery.send_test(body.endpoint_id, operator=operator))


@endpoint(
    methods=("DELETE",),
    example=EXAMPLE_CHANGE,
    success=Success("The webhook endpoint, as it was.", {"deleted": EXAMPLE_ENDPOINT}),
    errors=(WebhookEndpointNotFound,),
)
def delete_webhook_endpoint(body: ChangeWebhookEndpoint, caller: Caller) -> WebhookEndpointView:
    """Delete a webhook endpoint.

    It is sent nothing more, and what is pending is dropped.
    """
    operator = Operator(uid_of(caller), body.reason)
    removed = registration.remove(body.endpoint_id, operator=operator)
    return WebhookEndpointView.from_document(removed)
