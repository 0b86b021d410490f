"""Exporting an account: everything of a user as one JSON file in Cloud Storage.

A task writes the file while it reads, page by page, so an account need not fit into memory. The
document `users/{userId}/exports/latest` says how far it is. Whoever has the link can load the file;
as such a link does not end by itself, the file is deleted a day later.
"""

import hashlib
import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from imagegen import actions, clock, db, logger, tasks
from imagegen.accounts.moving import page_query
from imagegen.actions import Operator
from imagegen.errors import BackendUnavailable, UserNotFound
from imagegen.firestore.store import Document
from imagegen.firestore.stored import Field, Stored, instant, text
from imagegen.providers.base import GeneratorError

PAGE_SIZE = 300
KEPT = timedelta(days=1)
FRESH = timedelta(minutes=10)  # a file of that age answers another call
LOST_AFTER = timedelta(minutes=15)  # longer than a task may run
WRITE_SECONDS = 500.0
DELETE_SECONDS = 30.0
DELETED_AT_ONCE = 500
# Of requests: what the worker needs and what says nothing of the user.
INTERNAL = ("attemptId", "leasedUntil", "fingerprint", "providerCall", "providerJob", "enqueuedAt")
OPERATORS = ("reporterId", "resolvedBy")  # of reports of images: who works for the app


class ExportStatus(StrEnum):
    """How far an export is."""

    RUNNING = "running"
    READY = "ready"


class ExportDocument(Stored):
    """`users/{userId}/exports/latest`."""

    export_id = Field("exportId", text)
    status = Field("status", ExportStatus)
    started_at = Field("startedAt", instant)
    url: Field[str | None] = Field("url", text, None)
    expires_at: Field[datetime | None] = Field("expiresAt", instant, None)


@dataclass(frozen=True)
class Export:
    """An export: where it can be loaded from, and until when; without a URL it is being made."""

    url: str | None = None
    expires_at: datetime | None = None


def require_storage() -> None:
    """Raises BackendUnavailable where the functions have no bucket. Operators' machines know none.

    An export that has begun all the same is tried again, until there is one.
    """
    from imagegen.providers import bucket  # noqa: PLC0415 - few functions store files

    if not bucket.is_configured():
        raise BackendUnavailable("There is no storage to export to.")


def export(user_id: str, operator: Operator | None = None) -> Export:
    """The latest export of the user if it is fresh; else one is begun, once.

    That an operator has asked for it is logged once for each export.

    Raises UserNotFound; BackendUnavailable, also when the queue is out of reach, and then none has
    begun; OutcomeUnknown, after which the same call may be repeated. One that has no task all the
    same, because the process died, is begun again by a call after LOST_AFTER.
    """
    path, export_id = document_path(user_id), uuid.uuid4().hex

    def decide(transaction: db.Transaction) -> None:
        latest, moment = ExportDocument(transaction[path]), clock.now()
        if not transaction[db.user(user_id)].exists:
            raise UserNotFound(userId=user_id)
        if not latest.exists or not _is_current(latest, moment):
            fields = ExportDocument.fields(
                export_id=export_id,
                status=ExportStatus.RUNNING,
                started_at=moment,
                url=None,
                expires_at=None,
            )
            if latest.exists:
                transaction.update(path, fields)
            else:
                transaction.create(path, fields)
        if operator is not None:
            asked_for = ExportDocument(transaction[path]).export_id
            actions.record_once(
                transaction,
                "export",
                db.user(user_id),
                by=operator.by,
                reason=operator.reason,
                moment=moment,
                key=f"{asked_for} {operator.by}",
                user_id=user_id,
            )

    latest = ExportDocument(db.transact(decide, path, db.user(user_id))[path])
    if latest.export_id == export_id:  # begun here, also if the reply to the commit was lost
        try:
            tasks.enqueue_account("exportOf", user_id)
        except BackendUnavailable:
            _take_back(path, export_id)
            raise
    return Export(latest.url, latest.expires_at)


def _take_back(path: str, export_id: str) -> None:
    """Make an export that no task writes as if it had not begun, so that the next call begins one.

    Raises BackendUnavailable, OutcomeUnknown: then one is begun after LOST_AFTER.
    """

    def decide(transaction: db.Transaction) -> None:
        latest = ExportDocument(transaction[path])
        is_ours = latest.exists and latest.export_id == export_id
        if is_ours and latest.status is ExportStatus.RUNNING:
            transaction.delete(path)

    db.transact(decide, path)


def _is_current(latest: ExportDocument, moment: datetime) -> bool:
    """Whether it is being made, or has been made just now."""
    if latest.status is ExportStatus.RUNNING:
        return moment - latest.started_at < LOST_AFTER
    return latest.url is not None and moment - latest.started_at < FRESH


def document_path(user_id: str) -> str:
    return f"{db.user(user_id)}/exports/latest"


def write(user_id: str) -> None:
    """Write the file of an export that has begun, as a task does; no-op if it is ready.

    Raises BackendUnavailable and GeneratorError, after which a later delivery may succeed.
    """
    from imagegen.providers import bucket  # noqa: PLC0415 - few functions store files

    path = document_path(user_id)
    latest = ExportDocument(db.read(path)[0])
    if not latest.exists or latest.status is ExportStatus.READY:
        return
    # Each delivery of a task writes a file of its own: another would end the link of the first.
    name = f"exports/{clock.now():%Y%m%d}/{_owner(user_id)}/{uuid.uuid4().hex}.json"
    url = bucket.write_text(
        name,
        _json(user_id),
        "application/json",
        deadline=time.monotonic() + WRITE_SECONDS,
        token=uuid.uuid4().hex,
    )
    moment = clock.now()

    def decide(transaction: db.Transaction) -> None:
        current = transaction[path]
        if current.exists and ExportDocument(current).export_id == latest.export_id:
            fields = ExportDocument.fields(
                status=ExportStatus.READY, url=url, expires_at=moment + KEPT
            )
            transaction.update(path, fields)

    if not db.transact(decide, path)[path].exists:  # taken back, or the account was deleted
        bucket.delete(name, deadline=time.monotonic() + DELETE_SECONDS)


def _owner(user_id: str) -> str:
    return hashlib.sha256(user_id.encode()).hexdigest()


def _json(user_id: str) -> Iterator[str]:
    """The file, in parts: one page of documents is in memory at a time."""
    (user,) = db.read(db.user(user_id))
    yield f'{{"userId":{json.dumps(user_id)},"exportedAt":{_dumped(clock.now())}'
    yield f',"account":{_dumped(user.fields)}'
    sections = {
        "generationRequests": ("generationRequests", {"userId": user_id}),
        "transactions": (db.entries(user_id), {}),
        "purchases": ("purchases", {"userId": user_id}),
        "imageReports": ("imageReports", {"userId": user_id}),
        "devices": (f"{db.user(user_id)}/devices", {}),
    }
    hidden = {*INTERNAL, *OPERATORS}
    for section, (collection, where) in sections.items():
        yield f',"{section}":['
        separator = ""
        for document in _documents(collection, where):
            fields = {k: v for k, v in (document.fields or {}).items() if k not in hidden}
            yield f"{separator}{_dumped({'id': document.id, **fields})}"
            separator = ",\n"
        yield "]"
    yield "}\n"


def _documents(collection: str, where: dict[str, Any]) -> Iterator[Document]:
    after: tuple[str, str] | None = None
    while page := db.query(page_query(collection, where, PAGE_SIZE, after)):
        yield from page
        if len(page) < PAGE_SIZE:
            break
        after = (page[-1].path, "")


def _dumped(value: Any) -> str:
    return json.dumps(value, default=_text, ensure_ascii=False, separators=(",", ":"))


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def delete_all(user_id: str) -> int:
    """Delete the files of the user; how many. Raises GeneratorError; safe twice."""
    from imagegen.providers import bucket  # noqa: PLC0415 - few functions store files

    deadline, today = time.monotonic() + DELETE_SECONDS, clock.now()
    days = [today - timedelta(days=number) for number in range(3)]  # older ones are deleted
    return sum(
        bucket.delete(f"exports/{day:%Y%m%d}/{_owner(user_id)}/", deadline=deadline) for day in days
    )


def delete_expired() -> int:
    """Delete files that are older than `KEPT`, some hundreds at a time; how many.

    No-op where there is no storage. One that cannot be reached is logged: the next run deletes
    them.
    """
    from imagegen.providers import bucket  # noqa: PLC0415 - few functions store files

    if not bucket.is_configured():
        return 0
    before = clock.now() - KEPT
    try:
        return bucket.delete(
            "exports/",
            deadline=time.monotonic() + DELETE_SECONDS,
            before=before,
            end_offset=f"exports/{before + timedelta(days=1):%Y%m%d}",
            at_most=DELETED_AT_ONCE,
        )
    except GeneratorError as error:
        logger.warn("exports not deleted", error=repr(error))
        return 0
