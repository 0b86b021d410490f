"""What operators do about webhook endpoints: register, list, enable, replace a secret.

To disable one, see `webhooks.disable`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from imagegen import clock, db, outbound
from imagegen.errors import InvalidField
from imagegen.firestore.store import Document
from imagegen.notifications import signing
from imagegen.notifications.event import EventType
from imagegen.notifications.webhooks import (
    MAX_ENDPOINTS,
    WebhookEndpoint,
    all_query,
    change,
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


def register(url: str, types: Iterable[str] = ()) -> tuple[str, str]:
    """Register an endpoint for events of `types`, all of them if none is named; id and secret.

    Instances find out about it within CATALOGUE_TTL_SECONDS.

    Raises InvalidField for a URL that may not be called, for an unknown type, and for one endpoint
    too many; BackendUnavailable.
    """
    wanted = tuple(dict.fromkeys(types)) or TYPES
    if unknown := [each for each in wanted if each not in TYPES]:
        raise _invalid("types", f"unknown: {', '.join(unknown)}; there are {', '.join(TYPES)}")
    _require_callable(url)
    if len(listed()) >= MAX_ENDPOINTS:
        raise _invalid("url", f"there are {MAX_ENDPOINTS} endpoints already")
    endpoint_id, secret = uuid.uuid4().hex, signing.new_secret()
    moment = clock.now()

    def decide(transaction: db.Transaction) -> None:
        if transaction[path(endpoint_id)].exists:
            return  # an earlier commit of this call succeeded and only its reply was lost
        transaction.create(
            path(endpoint_id),
            WebhookEndpoint.fields(
                url=url,
                types=list(wanted),
                secrets=[{"secret": secret, "expiresAt": None}],
                created_at=moment,
            ),
        )

    db.transact(decide, Document(path(endpoint_id)))
    return endpoint_id, secret


def _require_callable(url: str) -> None:
    if len(url) > MAX_URL_LENGTH:
        raise _invalid("url", f"must be at most {MAX_URL_LENGTH} characters long")
    try:
        outbound.require_allowed(url)
    except OutboundError as error:
        raise _invalid("url", str(error)) from error


def _invalid(field: str, description: str) -> InvalidField:
    return InvalidField(fieldViolations=[{"field": field, "description": description}])


def rotate(endpoint_id: str) -> str:
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

    change(endpoint_id, changed)
    return secret


def enable(endpoint_id: str) -> WebhookEndpoint:
    """Send it events again, from now on. Raises WebhookEndpointNotFound, BackendUnavailable."""
    fields = WebhookEndpoint.fields(disabled_at=None, disabled_reason=None, failing_since=None)
    return change(endpoint_id, lambda _: fields)
