"""Webhook endpoints: whom the operators have registered, and whether they answer.

The secrets that sign the deliveries stand in the documents, which no client may read. Whoever may
read the database can forge deliveries to the endpoints, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from imagegen import actions, clock, db, logger
from imagegen.actions import Operator
from imagegen.errors import WebhookEndpointNotFound
from imagegen.firestore.store import Query
from imagegen.firestore.stored import Field, Stored, array, instant, mapping, text

MAX_ENDPOINTS = 50
# An endpoint at which every delivery has failed for so long is disabled.
PATIENCE = timedelta(days=5)


def _types(value: Any) -> tuple[str, ...]:
    return tuple(text(each) for each in array(value))


def _secrets(value: Any) -> Sequence[Mapping[str, Any]]:
    return [mapping(each) for each in array(value)]


class WebhookEndpoint(Stored):
    """`webhookEndpoints/{id}`: where events of some types are sent."""

    url = Field("url", text)
    types: Field[tuple[str, ...]] = Field("types", _types, ())
    # [{secret, expiresAt}]: the newest first; expiresAt is null for that one.
    secrets: Field[Sequence[Mapping[str, Any]]] = Field("secrets", _secrets)
    created_at = Field("createdAt", instant)
    # The first failure since the last success.
    failing_since: Field[datetime | None] = Field("failingSince", instant, None)
    disabled_at: Field[datetime | None] = Field("disabledAt", instant, None)
    disabled_reason: Field[str | None] = Field("disabledReason", text, None)

    def signing_secrets(self, moment: datetime) -> list[str]:
        """The newest secret, and those that it has replaced not long before `moment`."""
        return [
            each["secret"]
            for each in self.secrets
            if each.get("expiresAt") is None or each["expiresAt"] > moment
        ]


def path(endpoint_id: str) -> str:
    return f"webhookEndpoints/{endpoint_id}"


def all_query() -> Query:
    return Query("webhookEndpoints", limit=MAX_ENDPOINTS)


def note(endpoint: WebhookEndpoint, *, succeeded: bool, is_gone: bool, moment: datetime) -> None:
    """Keep in mind how an attempt of that moment ended: nothing is written but what changes.

    An endpoint that is gone (410), or at which nothing has succeeded for PATIENCE, is disabled.

    Raises WebhookEndpointNotFound, BackendUnavailable.
    """

    def changed(current: WebhookEndpoint) -> dict[str, Any]:
        since = current.failing_since
        if current.disabled_at is not None:
            return {}
        if is_gone:
            return _disabled(moment, "it answered 410 Gone")
        if succeeded:
            return {} if since is None else WebhookEndpoint.fields(failing_since=None)
        if since is None:
            return WebhookEndpoint.fields(failing_since=moment)
        if moment - since < PATIENCE:
            return {}
        return _disabled(moment, f"no delivery has succeeded since {since:%Y-%m-%d %H:%M} UTC")

    if not changed(endpoint):
        return
    found = change(endpoint.id, changed)  # which looks again: it may be well by now
    if found.disabled_at == moment:
        reason = found.disabled_reason
        logger.error("webhook endpoint disabled", webhookEndpointId=endpoint.id, reason=reason)


def _disabled(moment: datetime, reason: str) -> dict[str, Any]:
    return WebhookEndpoint.fields(disabled_at=moment, disabled_reason=reason)


def disable(
    endpoint_id: str, reason: str = "by an operator", *, operator: Operator | None = None
) -> WebhookEndpoint:
    """Send it nothing more; what is pending is dropped when its next attempt is due.

    Raises WebhookEndpointNotFound, BackendUnavailable.
    """
    moment = clock.now()

    def changed(endpoint: WebhookEndpoint) -> dict[str, Any]:
        return {} if endpoint.disabled_at is not None else _disabled(moment, reason)

    return change(endpoint_id, changed, "webhookEndpoint.disable", operator)


def change(
    endpoint_id: str,
    changed: Callable[[WebhookEndpoint], dict[str, Any]],
    action: str = "",
    operator: Operator | None = None,
) -> WebhookEndpoint:
    """Write the fields that `changed` gives for the endpoint; none: nothing is written.

    Where an operator has asked for it, it is logged as `action`.

    Raises WebhookEndpointNotFound, BackendUnavailable.
    """

    def decide(transaction: db.Transaction) -> None:
        endpoint = WebhookEndpoint(transaction[path(endpoint_id)])
        if not endpoint.exists:
            raise WebhookEndpointNotFound(webhookEndpointId=endpoint_id)
        if fields := changed(endpoint):
            transaction.update(endpoint.path, fields)
            note_action(transaction, action, endpoint, operator)

    return WebhookEndpoint(db.transact(decide, path(endpoint_id))[path(endpoint_id)])


def note_action(
    transaction: db.Transaction, action: str, endpoint: WebhookEndpoint, operator: Operator | None
) -> None:
    """Log what an operator does to an endpoint; its secrets are not logged."""
    if operator is not None:
        actions.record(
            transaction,
            action,
            endpoint.path,
            by=operator.by,
            reason=operator.reason,
            moment=clock.now(),
            before={"url": endpoint.url, "disabledAt": endpoint.disabled_at},
        )
