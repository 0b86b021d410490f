"""Lists of generation requests: filters, pages, and the query of both."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import StringConstraints

from imagegen.catalogue import catalogue
from imagegen.firestore.store import LATEST, Document, Query
from imagegen.firestore.stored import readable
from imagegen.generation.replies import GenerationRequest
from imagegen.generation.request import RequestDocument

FilterValue = Annotated[str, StringConstraints(min_length=1, max_length=100)]


def spelled(wanted: Mapping[str, str | None]) -> list[tuple[str, str]]:
    """The filters that are given, in the catalogue's spelling where it knows the name."""
    filters = [(field, value) for field, value in wanted.items() if value is not None]
    if not any(field in catalogue.FIELDS for field, _ in filters):
        return filters
    current = catalogue.current()
    return [
        (field, current.spelling(field, value) if field in catalogue.FIELDS else value)
        for field, value in filters
    ]


def requests_query(
    user_id: str | None,
    filters: Sequence[tuple[str, str]],
    limit: int,
    after: tuple[datetime, str] | None = None,
    *,
    since: datetime | None = None,
    until: datetime = LATEST,
) -> Query:
    """The query for a page of the requests of a user, or of all; newest first, ids break ties."""
    return Query(
        "generationRequests",
        where=[
            *([("userId", "==", user_id)] if user_id is not None else []),
            *((field, "==", value) for field, value in filters),
            ("createdAt", "<=", until),  # a timestamp at all: pages are positions in time
            *([("createdAt", ">=", since)] if since is not None else []),
        ],
        order_by=("createdAt", "DESCENDING"),
        limit=limit,
        start_after=after,
    )


def shown(documents: Iterable[Document]) -> list[GenerationRequest]:
    """The requests as they are shown, without those that lack a price or a status."""
    return readable(documents, RequestDocument, GenerationRequest.from_document)
