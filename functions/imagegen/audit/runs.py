"""Audits in the background: asked for by an operator, run by a task, kept in `audits/{id}`.

A run says every few seconds that it is alive. One that is silent for too long has died with its
instance, or has run into the time-out of its function, and counts as failed whatever is stored.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from imagegen import actions, clock, db, logger, tasks
from imagegen.api.schema import DocumentId, WireModel
from imagegen.audit import project
from imagegen.audit.project import Audit
from imagegen.errors import AuditNotFound, BackendUnavailable
from imagegen.firestore.store import Query
from imagegen.firestore.stored import Field, Stored, array, instant, text, whole_number

MAX_STORED = 200  # findings
MAX_STORED_BYTES = 900_000  # of their texts: a document holds 1 MiB
PROGRESS_SECONDS = 10.0
SILENCE = timedelta(minutes=5)  # the queue may take a while to begin, too


class AuditStatus(StrEnum):
    """How far an audit is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class AuditDocument(Stored):
    """`audits/{id}`."""

    stored_status = Field("status", AuditStatus)
    requested_at = Field("requestedAt", instant)
    by = Field("by", text, "")
    began_at: Field[datetime | None] = Field("beganAt", instant, None)
    alive_at = Field("aliveAt", instant)
    ended_at: Field[datetime | None] = Field("endedAt", instant, None)
    users = Field("users", whole_number, 0)
    entries = Field("entries", whole_number, 0)
    requests = Field("requests", whole_number, 0)
    purchases = Field("purchases", whole_number, 0)
    finding_count = Field("findingCount", whole_number, 0)
    warning_count = Field("warningCount", whole_number, 0)  # of the findings
    findings: Field[Sequence[Mapping[str, str]]] = Field("findings", array, ())
    stored_error: Field[str | None] = Field("error", text, None)

    @property
    def status(self) -> AuditStatus:
        return AuditStatus.FAILED if self._is_silent else self.stored_status

    @property
    def error(self) -> str | None:
        """Why it has failed."""
        minutes = SILENCE // timedelta(minutes=1)
        silent = f"It has said nothing for {minutes} minutes: its instance has ended."
        return silent if self._is_silent else self.stored_error

    @property
    def _is_silent(self) -> bool:
        is_running = self.stored_status is AuditStatus.RUNNING
        return is_running and clock.now() - self.alive_at > SILENCE


class AuditTask(WireModel):
    """What a task says: which audit to run."""

    audit_id: DocumentId


def path(audit_id: str) -> str:
    return f"audits/{audit_id}"


def find(audit_id: str) -> AuditDocument:
    """Raises AuditNotFound, BackendUnavailable."""
    (document,) = db.read(path(audit_id))
    if not document.exists:
        raise AuditNotFound(auditId=audit_id)
    return AuditDocument(document)


def newest_query(limit: int, after: tuple[datetime, str] | None = None) -> Query:
    """A page of the audits, the newest first."""
    return Query("audits", order_by=("requestedAt", "DESCENDING"), limit=limit, start_after=after)


def start(*, by: str, reason: str) -> str:
    """Let the operator `by` have an audit run in the background; its id.

    Raises BackendUnavailable when the queue does not take it, and OutcomeUnknown.
    """
    audit_id, moment = uuid.uuid4().hex, clock.now()

    def decide(transaction: db.Transaction) -> None:
        if transaction[path(audit_id)].exists:
            return  # an earlier commit of this call succeeded and only its reply was lost
        fields = AuditDocument.fields(
            stored_status=AuditStatus.RUNNING, requested_at=moment, alive_at=moment, by=by
        )
        transaction.create(path(audit_id), fields)
        actions.record(transaction, "audit", path(audit_id), by=by, reason=reason, moment=moment)

    db.transact(decide, path(audit_id))
    try:
        tasks.enqueue_audit(audit_id)
    except BackendUnavailable:
        _end(audit_id, AuditStatus.FAILED, stored_error="The queue is out of reach.")
        raise
    return audit_id


def run(data: object) -> None:
    """Do the audit that a task names, once: a task may be delivered twice.

    Raises BackendUnavailable when it could not begin, or its end could not be stored.
    """
    try:
        audit_id = AuditTask.model_validate(data, by_alias=True, by_name=False).audit_id
    except ValidationError as error:
        logger.error("malformed task", error=str(error))
        return
    if not _begin(audit_id):
        return
    told_at = time.monotonic()

    def tell(so_far: Audit) -> None:
        nonlocal told_at
        if time.monotonic() - told_at >= PROGRESS_SECONDS:
            told_at = time.monotonic()
            try:
                _write(audit_id, alive_at=clock.now(), **_counts(so_far))
            except BackendUnavailable as error:  # the next time, or at the end
                logger.warn("progress not stored", auditId=audit_id, error=repr(error.__cause__))

    try:
        audited = project.run(db.client(), tell)
    except Exception as error:
        logger.error("audit failed", auditId=audit_id, error=repr(error))
        _end(audit_id, AuditStatus.FAILED, stored_error=repr(error)[:1000])
        raise
    _end(audit_id, AuditStatus.DONE, findings=_storable(audited), **_counts(audited))
    logger.info("audit", auditId=audit_id, findings=audited.finding_count, users=audited.users)


def _storable(audit: Audit) -> list[dict[str, str]]:
    """The first findings, as many as a document holds."""
    stored, size = list[dict[str, str]](), 0
    for finding in audit.findings[:MAX_STORED]:
        fields = finding.as_json()
        size += sum(len(each.encode()) for each in fields.values())
        if size > MAX_STORED_BYTES:
            break
        stored.append(fields)
    return stored


def _begin(audit_id: str) -> bool:
    """Whether this delivery of the task is the one that runs the audit."""
    is_first, moment = False, clock.now()

    def decide(transaction: db.Transaction) -> None:
        nonlocal is_first
        found = transaction[path(audit_id)]
        audit = AuditDocument(found)
        # A moment of ours: an earlier commit of this call succeeded and only its reply was lost.
        is_first = found.exists and audit.began_at in (None, moment)
        if is_first and audit.began_at is None:
            fields = AuditDocument.fields(began_at=moment, alive_at=moment)
            transaction.update(path(audit_id), fields)

    db.transact(decide, path(audit_id))
    return is_first


def _counts(audit: Audit) -> dict[str, int]:
    return {
        "users": audit.users,
        "entries": audit.entries,
        "requests": audit.requests,
        "purchases": audit.purchases,
        "finding_count": audit.finding_count,
        "warning_count": audit.warning_count,
    }


def _end(audit_id: str, status: AuditStatus, **values: Any) -> None:
    moment = clock.now()
    _write(audit_id, stored_status=status, ended_at=moment, alive_at=moment, **values)


def _write(audit_id: str, **values: Any) -> None:
    def decide(transaction: db.Transaction) -> None:
        if transaction[path(audit_id)].exists:
            transaction.update(path(audit_id), AuditDocument.fields(**values))

    db.transact(decide, path(audit_id))
