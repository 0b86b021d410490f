"""The few things we ask of Firestore: read documents, commit writes with preconditions, query.

Errors are google.api_core's. Writes carry their precondition with them: a `Create` needs the
document to be absent, an `Update` needs it unchanged since `update_time`; there is no blind write.
"""

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, cast

from google.api_core.retry import Retry
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

# Whoever calls decides what a failure means. (Here None will not do: a stream that breaks in the
# middle asks the Retry it was given.)
NEVER = Retry(predicate=lambda error: False)


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it was read or written; `fields` is None where there is none at `path`."""

    path: str
    fields: Mapping[str, Any] | None = None
    update_time: datetime | None = None

    @property
    def exists(self) -> bool:
        return self.fields is not None

    @property
    def id(self) -> str:
        return self.path.rpartition("/")[2]

    def __getitem__(self, name: str) -> Any:
        return self._present()[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self._present().get(name, default)

    def _present(self) -> Mapping[str, Any]:
        if self.fields is None:
            raise LookupError(f"there is no document at {self.path}")
        return self.fields


@dataclass(frozen=True, slots=True)
class Create:
    """Write a document that must not exist yet."""

    path: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Update:
    """Replace top-level fields of a document that must not have changed since `update_time`."""

    path: str
    fields: Mapping[str, Any]
    update_time: datetime


@dataclass(frozen=True, slots=True)
class Query:
    """Documents of one collection, in the order of one field and then of their ids.

    `order_by` is (field, "ASCENDING" | "DESCENDING"); `start_after` is the field's value and the
    id of the document before the first one wanted.
    """

    collection: str
    where: Sequence[tuple[str, str, Any]] = ()
    order_by: tuple[str, str] | None = None
    limit: int | None = None
    start_after: tuple[Any, str] | None = None


class Store(Protocol):
    """What `imagegen.db` needs; Firestore in earnest, memory in the simulation."""

    def read(self, paths: Sequence[str], timeout_seconds: float) -> list[Document]:
        """The documents at `paths`, in that order, all as of one moment."""

    def commit(self, writes: Sequence[Create | Update], timeout_seconds: float) -> list[datetime]:
        """Apply all writes or none; the update time of each."""

    def query(self, query: Query, timeout_seconds: float) -> list[Document]:
        """The documents that match."""


class FirestoreStore:
    """`Store` on Cloud Firestore or its emulator."""

    def __init__(self, client: firestore.Client) -> None:
        self.client = client

    def read(self, paths: Sequence[str], timeout_seconds: float) -> list[Document]:
        # retry=None: whoever calls us decides what a failure means and reads again.
        snapshots = self.client.get_all(
            [self.client.document(path) for path in paths], retry=None, timeout=timeout_seconds
        )
        found = {
            s.reference.path: Document(s.reference.path, s.to_dict(), s.update_time)
            for s in snapshots
        }
        return [found[path] for path in paths]

    def commit(self, writes: Sequence[Create | Update], timeout_seconds: float) -> list[datetime]:
        batch = self.client.batch()
        for write in writes:
            reference = self.client.document(write.path)
            match write:
                case Create():
                    batch.create(reference, dict(write.fields))
                case Update():
                    unchanged = self.client.write_option(last_update_time=write.update_time)
                    batch.update(reference, dict(write.fields), option=unchanged)
        # retry=None: a commit whose reply was lost must come back to us, not be sent again blindly.
        results = batch.commit(retry=None, timeout=timeout_seconds)
        return [cast(datetime, result.update_time) for result in results]

    def query(self, query: Query, timeout_seconds: float) -> list[Document]:
        firestore_query: Any = self.client.collection(query.collection)
        for field, operator, value in query.where:
            firestore_query = firestore_query.where(filter=FieldFilter(field, operator, value))
        if query.order_by is not None:
            field, direction = query.order_by
            firestore_query = firestore_query.order_by(field, direction=direction)
            firestore_query = firestore_query.order_by("__name__", direction=direction)
            if query.start_after is not None:
                value, document_id = query.start_after
                last = self.client.collection(query.collection).document(document_id)
                firestore_query = firestore_query.start_after({field: value, "__name__": last})
        if query.limit is not None:
            firestore_query = firestore_query.limit(query.limit)
        snapshots: Iterable[Any] = firestore_query.stream(retry=NEVER, timeout=timeout_seconds)
        return [Document(s.reference.path, s.to_dict(), s.update_time) for s in snapshots]


_lock = threading.Lock()
_client: firestore.Client | None = None


def client() -> firestore.Client:
    """The instance's one Firestore client, made when first asked for: all threads share it."""
    global _client  # noqa: PLW0603 - one channel per instance is the point
    with _lock:
        if _client is None:
            _client = firestore.Client(project=os.environ.get("GCLOUD_PROJECT"))
        return _client
