"""Deletion of what was made: image, prompt and source go; the request and its price stay.

The document comes first. One transaction takes out what it shows and sets `deletionDueAt`, which
stays until the bytes in Cloud Storage are gone, too. Who dies in between, or cannot reach the
storage, leaves that mark, and `finish_due` deletes the bytes later. So nothing is ever shown that
is half deleted, and no bytes are left that nobody knows of.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from google.cloud.firestore import DELETE_FIELD

from imagegen import clock, db, logger
from imagegen.errors import BackendUnavailable, GenerationRequestNotFound, NotDeletable
from imagegen.firestore.store import Query
from imagegen.generation.request import RequestDocument
from imagegen.providers.base import GeneratorError

STORAGE_SECONDS = 10.0
PAGE_SIZE = 100
THREADS = 16
# Whoever has set the mark deletes the bytes meanwhile.
FIRST_DUE_AFTER = timedelta(minutes=10)
# Bytes that cannot be deleted must not keep those of others waiting.
DUE_AGAIN_AFTER = timedelta(hours=1)


def delete(
    request: RequestDocument,
    *,
    also: Callable[[db.Transaction], None] = lambda _: None,
) -> RequestDocument:
    """Delete the image, the prompt and the source of an ended request; the request as it then is.

    No-op if that has been done. An uploaded photo is deleted even if other requests name it. `also`
    may write something else into the same transaction; it is called also where nothing is left to
    delete.

    Raises NotDeletable while the request is open; GenerationRequestNotFound; BackendUnavailable,
    also when the bytes could not be deleted: call it again, or `finish_due` does.
    """

    def decide(transaction: db.Transaction) -> None:
        current = RequestDocument(transaction[request.path])
        if not current.exists:
            raise GenerationRequestNotFound(generationRequestId=request.id)
        if current.is_open:
            raise NotDeletable(generationRequestId=request.id, status=current.status)
        if current.image_deleted_at is None:
            moment = clock.now()
            fields = image_fields(current, moment) | _prompt_fields(current, moment)
            transaction.update(request.path, fields)
        also(transaction)

    deleted = RequestDocument(db.transact(decide, request.document)[request.path])
    if deleted.deletion_due_at is None:
        return deleted
    try:
        return _finish(deleted)
    except GeneratorError as error:
        logger.error("bytes not deleted", generationRequestId=request.id, error=repr(error))
        raise BackendUnavailable("The image could not be deleted completely.") from error


def image_fields(request: RequestDocument, moment: datetime) -> dict[str, Any]:
    """What changes in the document when its image is deleted.

    Where the bytes are stays until they are gone; no reply shows it.
    """
    fields = RequestDocument.fields(
        image_url=None, thumbnail_url=None, image_deleted_at=moment, updated_at=moment
    )
    if request.may_have_images:
        fields |= RequestDocument.fields(deletion_due_at=moment + FIRST_DUE_AFTER)
    return fields


def _prompt_fields(request: RequestDocument, moment: datetime) -> dict[str, Any]:
    """What changes in the document when the prompt and the source are deleted.

    The fingerprint stays, a hash by which a repeated order is recognised. Which upload it was stays
    until its bytes are gone; no reply shows it.
    """
    if request.upload_id is None:
        return RequestDocument.fields(prompt="", source=None)
    return RequestDocument.fields(prompt="", deletion_due_at=moment + FIRST_DUE_AFTER)


def finish(requests: Iterable[RequestDocument]) -> int:
    """Delete the bytes of requests whose documents are marked; of how many they are gone.

    What could not be deleted is logged and due again later.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(_finish_or_postpone, requests))


def finish_due() -> int:
    """Finish a page of deletions that died half-way; how many. Raises BackendUnavailable."""
    return finish([RequestDocument(document) for document in db.query(due_query(clock.now()))])


def due_query(moment: datetime) -> Query:
    """A page of the requests that may still have bytes to delete, the longest waiting first."""
    return Query(
        "generationRequests",
        where=[("deletionDueAt", "<=", moment)],
        order_by=("deletionDueAt", "ASCENDING"),
        limit=PAGE_SIZE,
    )


def _finish_or_postpone(request: RequestDocument) -> bool:
    try:
        _finish(request)
    except Exception as error:  # noqa: BLE001 - one bad document must not stop the others
        logger.error("bytes not deleted", generationRequestId=request.id, error=repr(error))
        _write(request, deletion_due_at=clock.now() + DUE_AGAIN_AFTER)
        return False
    return True


def _finish(request: RequestDocument) -> RequestDocument:
    """Delete the bytes, then take the mark back. Raises GeneratorError, BackendUnavailable."""
    from imagegen.providers import bucket, photos, storage  # noqa: PLC0415 - most store none

    gone: dict[str, Any] = {"deletion_due_at": DELETE_FIELD}
    if request.image_deleted_at is not None:
        gone["image"] = None
        if request.image is not None or bucket.is_configured():
            storage.delete_images(request.id, deadline=time.monotonic() + STORAGE_SECONDS)
    if request.is_without_prompt:
        gone["source"] = None
        if request.upload_id is not None:
            photos.delete(request.user_id, request.upload_id, timeout_seconds=STORAGE_SECONDS)
    return _write(request, **gone)


def _write(request: RequestDocument, **values: Any) -> RequestDocument:
    """Write fields of a request that is still marked; the request as it then is."""

    def decide(transaction: db.Transaction) -> None:
        current = RequestDocument(transaction[request.path])
        if current.exists and current.deletion_due_at is not None:
            transaction.update(request.path, RequestDocument.fields(**values))

    return RequestDocument(db.transact(decide, request.document)[request.path])
