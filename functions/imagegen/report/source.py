"""What the report reads of Firestore: all of it as of the moment of its first read.

So the numbers of a report belong together, whatever is written while it runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from imagegen import db
from imagegen.firestore.client import FirestoreStore
from imagegen.firestore.store import PATH, Document, Query
from imagegen.firestore.stored import whole_number

READ_DEADLINE_SECONDS = 30.0
AGGREGATE_DEADLINE_SECONDS = 60.0
STREAM_TIMEOUT_SECONDS = 300.0
PAGE = 2000


class Source:
    """Firestore at one moment, over a channel of its own, for any number of threads.

    Errors are google.api_core's. Reads and aggregations are tried again after those that may pass;
    a stream is not, since only its reader knows where it broke off.
    """

    def __init__(self) -> None:
        self._store = FirestoreStore(db.client())
        self._read_time: datetime | None = None

    def close(self) -> None:
        """End whatever is still being read."""
        self._store.close()

    @property
    def read_time(self) -> datetime:
        """The moment of the first read."""
        if self._read_time is None:
            raise LookupError("nothing has been read yet")
        return self._read_time

    def documents(self, paths: Sequence[str], select: Sequence[str]) -> list[Document]:
        """The documents at `paths`, with the field paths in `select`."""
        snapshot = db.retry(
            lambda _: self._store.snapshot(
                paths, READ_DEADLINE_SECONDS, select=select, read_time=self._read_time
            ),
            db.RETRYABLE_READ,
            READ_DEADLINE_SECONDS,
        )
        self._read_time = self._read_time or snapshot.read_time
        return snapshot.documents

    def aggregate(self, query: Query, sums: Sequence[str] = ()) -> dict[str, int]:
        """The number of documents that match, as "count", and the whole sums of the fields.

        Raises ValueError when a sum is not a whole number of 64 bits.
        """
        found = db.retry(
            lambda _: self._store.aggregate(
                query, sums, AGGREGATE_DEADLINE_SECONDS, read_time=self.read_time
            ),
            db.RETRYABLE_READ,
            AGGREGATE_DEADLINE_SECONDS,
        )
        return {name: _sum(value) for name, value in found.items()}

    def read(self, query: Query) -> Iterator[Document]:
        """The documents that match, in the order of a field, in pages; for values of any type."""
        if query.order_by is None:
            raise ValueError("pages need an order")
        field, rest = query.order_by[0], replace(query, limit=PAGE)
        while True:
            page = db.retry(
                lambda _: list(self.stream(rest)),  # noqa: B023 - called at once
                db.RETRYABLE_READ,
                STREAM_TIMEOUT_SECONDS,
            )
            documents = [self._store.document(each) for each in page]
            yield from documents
            if len(page) < PAGE:
                return
            last = documents[-1]
            position = last.path if field == PATH else page[-1].fields[field]
            rest = replace(rest, start_after=(position, last.id))

    def stream(self, query: Query) -> Iterator[Any]:
        """The documents that match, in one RPC, as `FirestoreStore.stream` yields them."""
        return self._store.stream(query, STREAM_TIMEOUT_SECONDS, read_time=self.read_time)


def _sum(value: Any) -> int:
    """A sum is a double where one of its terms is."""
    number = whole_number(value)
    if not -(2**63) <= number < 2**63:
        raise ValueError("a sum of more than 64 bits")
    return number
