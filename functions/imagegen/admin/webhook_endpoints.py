"""Webhook endpoints: the servers that events are delivered to."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from imagegen.actions import Operator
from imagegen.admin.events import EXAMPLE_ENDPOINT_ID, EXAMPLE_EVENT_ID
from imagegen.admin.wire import Reason, uid_of
from imagegen.api.auth import Caller
from imagegen.api.endpoint import Success, endpoint
from imagegen.api.schema import DocumentId, Flag, Reply, Timestamp, WireModel
from imagegen.errors import WebhookEndpointNotFound
from imagegen.notifications import redelivery, registration, webhooks
from imagegen.notifications.webhooks import WebhookEndpoint


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
    with, is shown this once. A URL whose endpoint is enabled is refused (400, `url`): if the answer
    with its secret was lost, replace the secret.
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
