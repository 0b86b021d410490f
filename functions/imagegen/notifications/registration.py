"""What operators do about webhook endpoints: register, list, enable, delete, replace a secret.

To disable one, see `webhooks.disable`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from imagegen import clock, db, outbound
from imagegen.actions import Operator
from imagegen.errors import InvalidField, WebhookEndpointNotFound
from imagegen.firestore.store import Document
from imagegen.notifications import signing
from imagegen.notifications.event import EventType
from imagegen.notifications.webhooks import (
    MAX_ENDPOINTS,
    WebhookEndpoint,
    all_query,
    change,
    note_action,
    path,
)
from imagegen.outbound import OutboundError

MAX_URL_LENGTH = 2048
# How long a replaced secret signs, too.
ROTATION = timedelta(hours=24)
TYPES = tuple(each for each in EventType if each is not EventType.TEST)


def listed() -> list[WebhookEndpoint]:
    """All of them, the oldest first. Raises BackendUnavailable."""
    endpoints = [WebhookEndpoint(document) for document in db.query(all_query())]
    return sorted(endpoints, key=lambda each: each.created_at)


def register(
    url: str, types: Iterable[str] = (), *, operator: Operator | None = None
) -> tuple[str, str]:
    """Register an endpoint for events of `types`, all of them if none is named; id and secret.

    Instances find out about it within CATALOGUE_TTL_SECONDS.

    Raises InvalidField for a URL that may not be called or that an enabled endpoint has, for an
    unknown type, and for one endpoint too many; BackendUnavailable.
    """
    wanted = tuple(dict.fromkeys(types)) or TYPES
    if unknown := [each for each in wanted if each not in TYPES]:
        raise InvalidField.of(
            "types", f"unknown: {', '.join(unknown)}; there are {', '.join(TYPES)}"
        )
    _require_callable(url)
    endpoint_id, secret = uuid.uuid4().hex, signing.new_secret()
    moment = clock.now()

    def decide(transaction: db.Transaction) -> None:
        if transaction[path(endpoint_id)].exists:
            return  # an earlier commit of this call succeeded and only its reply was lost
        _require_new(url, endpoint_id)
        transaction.create(
            path(endpoint_id),
            WebhookEndpoint.fields(
                url=url,
                types=list(wanted),
                secrets=[{"secret": secret, "expiresAt": None}],
                created_at=moment,
            ),
        )
        made = WebhookEndpoint(transaction[path(endpoint_id)])
        note_action(transaction, "webhookEndpoint.register", made, operator)

    db.transact(decide, Document(path(endpoint_id)))
    return endpoint_id, secret


def _require_callable(url: str) -> None:
    if len(url) > MAX_URL_LENGTH:
        raise InvalidField.of("url", f"must be at most {MAX_URL_LENGTH} characters long")
    try:
        outbound.require_allowed(url)
    except OutboundError as error:
        raise InvalidField.of("url", str(error)) from error


def _require_new(url: str, endpoint_id: str) -> None:
    endpoints = [each for each in listed() if each.id != endpoint_id]  # ours may come late
    if any(each.url == url and each.disabled_at is None for each in endpoints):
        text = "is registered already; rotate its secret if you have not seen it"
        raise InvalidField.of("url", text)
    if len(endpoints) >= MAX_ENDPOINTS:
        raise InvalidField.of("url", f"there are {MAX_ENDPOINTS} endpoints already")


def rotate(endpoint_id: str, *, operator: Operator | None = None) -> str:
    """Replace the secret; the new one. For ROTATION, deliveries are signed with both.

    Raises WebhookEndpointNotFound, BackendUnavailable.
    """
    secret, moment = signing.new_secret(), clock.now()

    def changed(endpoint: WebhookEndpoint) -> dict[str, Any]:
        newest, *_ = endpoint.secrets
        if newest["secret"] == secret:
            return {}  # ours; the reply was lost
        replaced = {"secret": newest["secret"], "expiresAt": moment + ROTATION}
        kept = [
            each
            for each in endpoint.secrets
            if each.get("expiresAt") and each["expiresAt"] > moment
        ]
        return WebhookEndpoint.fields(
            secrets=[{"secret": secret, "expiresAt": None}, replaced, *kept]
        )

    change(endpoint_id, changed, "webhookEndpoint.rotateSecret", operator)
    return secret


def enable(endpoint_id: str, *, operator: Operator | None = None) -> WebhookEndpoint:
    """Send it events again, from now on; no-op if it is enabled.

    Raises WebhookEndpointNotFound, BackendUnavailable.
    """
    fields = WebhookEndpoint.fields(disabled_at=None, disabled_reason=None, failing_since=None)

    def changed(endpoint: WebhookEndpoint) -> dict[str, Any]:
        is_well = endpoint.disabled_at is None and endpoint.failing_since is None
        return {} if is_well else fields

    return change(endpoint_id, changed, "webhookEndpoint.enable", operator)


def remove(endpoint_id: str, *, operator: Operator | None = None) -> WebhookEndpoint:
    """Delete an endpoint; it, as it was. What is pending is dropped when it is due.

    Raises WebhookEndpointNotFound, BackendUnavailable.
    """
    removed: WebhookEndpoint | None = None

    def decide(transaction: db.Transaction) -> None:
        nonlocal removed
        endpoint = WebhookEndpoint(transaction[path(endpoint_id)])
        if not endpoint.exists:
            if removed is not None:
                return  # an earlier commit of this call succeeded and only its reply was lost
            raise WebhookEndpointNotFound(webhookEndpointId=endpoint_id)
        removed = endpoint
        note_action(transaction, "webhookEndpoint.delete", endpoint, operator)
        transaction.delete(path(endpoint_id))

    db.transact(decide, path(endpoint_id))
    if removed is None:
        raise WebhookEndpointNotFound(webhookEndpointId=endpoint_id)
    return removed
