"""Webhook endpoints: whom the operators have registered, and what they may do about them.

The secrets that sign the deliveries stand in the documents, which no client may read. Whoever may
read the database can forge deliveries to the endpoints, and nothing else.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from imagegen import clock, db, logger, outbound
from imagegen.errors import InvalidField, WebhookEndpointNotFound
from imagegen.firestore.store import Document, Query
from imagegen.firestore.stored import Field, Stored, array, instant, mapping, text
from imagegen.notifications import signing
from imagegen.notifications.event import EventType
from imagegen.outbound import OutboundError

MAX_ENDPOINTS = 50
MAX_URL_LENGTH = 2048
# How long a replaced secret signs, too.
ROTATION = timedelta(hours=24)
# An endpoint at which every delivery has failed for so long is disabled.
PATIENCE = timedelta(days=5)
TYPES = tuple(each for each in EventType if each is not EventType.TEST)


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

    _change(endpoint_id, changed)
    return secret


def disable(endpoint_id: str, reason: str = "by an operator") -> WebhookEndpoint:
    """Send it nothing more; what is pending is dropped when its next attempt is due.

    Raises WebhookEndpointNotFound, BackendUnavailable.
    """
    moment = clock.now()

    def changed(endpoint: WebhookEndpoint) -> dict[str, Any]:
        if endpoint.disabled_at is not None:
            return {}
        return WebhookEndpoint.fields(disabled_at=moment, disabled_reason=reason)

    return _change(endpoint_id, changed)


def enable(endpoint_id: str) -> WebhookEndpoint:
    """Send it events again, from now on. Raises WebhookEndpointNotFound, BackendUnavailable."""
    fields = WebhookEndpoint.fields(disabled_at=None, disabled_reason=None, failing_since=None)
    return _change(endpoint_id, lambda _: fields)


def note(endpoint: WebhookEndpoint, *, succeeded: bool, is_gone: bool, moment: datetime) -> None:
    """Keep in mind how an attempt ended: nothing is written but what changes.

    An endpoint that is gone (410), or at which nothing has succeeded for PATIENCE, is disabled.
    """
    reason = "it answered 410 Gone" if is_gone else ""
    since = endpoint.failing_since
    if not succeeded and since is not None and moment - since >= PATIENCE:
        reason = reason or f"no delivery has succeeded since {since:%Y-%m-%d %H:%M} UTC"
    if reason:
        disable(endpoint.id, reason)
        logger.error("webhook endpoint disabled", webhookEndpointId=endpoint.id, reason=reason)
    elif succeeded != (since is None):

        def changed(current: WebhookEndpoint) -> dict[str, Any]:
            if succeeded == (current.failing_since is None):
                return {}
            return WebhookEndpoint.fields(failing_since=None if succeeded else moment)

        _change(endpoint.id, changed)


def _change(endpoint_id: str, changed: Any) -> WebhookEndpoint:
    def decide(transaction: db.Transaction) -> None:
        endpoint = WebhookEndpoint(transaction[path(endpoint_id)])
        if not endpoint.exists:
            raise WebhookEndpointNotFound(webhookEndpointId=endpoint_id)
        if fields := changed(endpoint):
            transaction.update(endpoint.path, fields)

    return WebhookEndpoint(db.transact(decide, path(endpoint_id))[path(endpoint_id)])
