"""The log of what operators do: one document for each change, which nobody changes afterwards.

It is written in the transaction of the change, so there is an entry for what was committed and none
for what was not. What is no transaction, such as a run of recovery, is logged before it begins.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from imagegen import clock, db
from imagegen.firestore.store import Query
from imagegen.firestore.stored import Field, Stored, instant, mapping, text

COLLECTION = "adminActions"


@dataclass(frozen=True)
class Operator:
    """Who changes something, and why."""

    by: str
    reason: str


class ActionDocument(Stored):
    """`adminActions/{id}`."""

    at = Field("at", instant)
    by = Field("by", text)  # the uid of an operator, or `cli:` and who ran imagegen-admin
    action = Field("action", text)
    subject = Field("subject", text, "")  # the path of a document
    user_id: Field[str | None] = Field("userId", text, None)  # whom it concerns
    reason = Field("reason", text, "")
    before: Field[Mapping[str, Any] | None] = Field("before", mapping, None)
    after: Field[Mapping[str, Any] | None] = Field("after", mapping, None)


def path(action_id: str) -> str:
    return f"{COLLECTION}/{action_id}"


def action_id(action: str, subject: str, key: str | None) -> str:
    """The id of an action that is done once for each key; without a key a fresh one."""
    if key is None:
        return uuid.uuid4().hex
    return hashlib.sha256(json.dumps([action, subject, key]).encode()).hexdigest()[:32]


def record(
    transaction: db.Transaction,
    action: str,
    subject: str,
    *,
    by: str,
    reason: str,
    moment: datetime,
    key: str | None = None,
    user_id: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> str:
    """Log that `by` does `action` to the document at `subject`; the id of the log's document.

    `before` and `after` are what changes of it.
    """
    logged = action_id(action, subject, key)
    transaction.create(
        path(logged),
        ActionDocument.fields(
            at=moment,
            by=by,
            action=action,
            subject=subject,
            user_id=user_id,
            reason=reason,
            before=before,
            after=after,
        ),
    )
    return logged


def record_once(
    transaction: db.Transaction,
    action: str,
    subject: str,
    *,
    by: str,
    reason: str,
    moment: datetime,
    key: str,
    user_id: str | None = None,
) -> None:
    """The same as `record`, unless it has been logged under the key before."""
    if not transaction[path(action_id(action, subject, key))].exists:
        record(
            transaction,
            action,
            subject,
            by=by,
            reason=reason,
            moment=moment,
            key=key,
            user_id=user_id,
        )


def record_alone(action: str, subject: str, *, by: str, reason: str) -> None:
    """Log an action that is no transaction, before it begins.

    Raises BackendUnavailable and OutcomeUnknown, and then the action must not begin.
    """
    moment, key = clock.now(), uuid.uuid4().hex
    logged = path(action_id(action, subject, key))

    def decide(transaction: db.Transaction) -> None:  # again, if the reply to a commit was lost
        record_once(transaction, action, subject, by=by, reason=reason, moment=moment, key=key)

    db.transact(decide, logged)


def newest_query(limit: int, after: tuple[datetime, str] | None = None) -> Query:
    """A page of the log, the newest first."""
    return Query(COLLECTION, order_by=("at", "DESCENDING"), limit=limit, start_after=after)
