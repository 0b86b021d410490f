"""Retention: prompts and images are kept for so many days, and then removed page by page.

How far each of the two has come is stored in `sweeps/{prompts, images}`: creation time and id of
the last request that was looked at. A page moves it on in the transaction that changes its
requests. So a run that died is continued, two runs at once do the work of one, and no request is
read twice.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from imagegen import clock, config, db
from imagegen.firestore.store import Document, Query
from imagegen.firestore.stored import Field, Stored, instant, text
from imagegen.generation import deletion
from imagegen.generation.request import RequestDocument, longest_life

PAGE_SIZE = 100

Change = Callable[[RequestDocument, datetime], dict[str, Any]]


class SweepDocument(Stored):
    """`sweeps/{name}`: how far a sweep has come."""

    created_at = Field("createdAt", instant)
    request_id = Field("requestId", text)


def delete_prompts() -> int:
    """Remove the prompts and sources of a page of requests that are old enough; how many were read.

    0 when nothing is left to do. No-op if PROMPT_RETENTION_DAYS is 0. Raises BackendUnavailable.
    """
    return len(_page("prompts", config.PROMPT_RETENTION_DAYS.value, _without_prompt))


def delete_images() -> int:
    """Remove the images of a page of requests that are old enough; how many were read.

    0 when nothing is left to do. No-op if IMAGE_RETENTION_DAYS is 0. Raises BackendUnavailable.
    """
    page = _page("images", config.IMAGE_RETENTION_DAYS.value, _without_image)
    requests = [RequestDocument(document) for document in page if document.exists]
    deletion.finish(each for each in requests if each.deletion_due_at is not None)
    return len(page)


def _without_prompt(request: RequestDocument, moment: datetime) -> dict[str, Any]:
    if request.is_without_prompt:
        return {}
    # An upload of that age is gone.
    return RequestDocument.fields(prompt="", source=None, updated_at=moment)


def _without_image(request: RequestDocument, moment: datetime) -> dict[str, Any]:
    is_deleted = request.image_deleted_at is not None
    return {} if is_deleted else deletion.image_fields(request, moment)


def _page(name: str, days: int, change: Change) -> list[Document]:
    """The requests of the next page as they are after `change`; none if nothing is due."""
    if days <= 0:
        return []
    path, moment = f"sweeps/{name}", clock.now()
    (sweep,) = db.read(path)
    start = _position(sweep)
    page = db.query(old_query(_horizon(moment, days), start))
    if not page:
        return []

    def decide(transaction: db.Transaction) -> None:
        if _position(transaction[path]) != start:
            return  # another run has done this page; or this one, and only the reply was lost
        for document in page:
            request = RequestDocument(transaction[document.path])
            if request.exists and (fields := change(request, moment)):
                transaction.update(request.path, fields)
        last = SweepDocument.fields(created_at=page[-1]["createdAt"], request_id=page[-1].id)
        if start is None:
            transaction.create(path, last)
        else:
            transaction.update(path, last)

    documents = db.transact(decide, sweep, *page)
    return [documents[document.path] for document in page]


def _horizon(moment: datetime, days: int) -> datetime:
    """Requests from before that are due: they are old enough, and none can still be worked on."""
    return min(moment - timedelta(days=days), moment - longest_life())


def _position(document: Document) -> tuple[datetime, str] | None:
    if not document.exists:
        return None
    sweep = SweepDocument(document)
    return sweep.created_at, sweep.request_id


def old_query(horizon: datetime, after: tuple[datetime, str] | None = None) -> Query:
    """A page of the requests from before `horizon`, the oldest first."""
    return Query(
        "generationRequests",
        where=[("createdAt", "<=", horizon)],
        order_by=("createdAt", "ASCENDING"),
        limit=PAGE_SIZE,
        start_after=after,
    )
