"""The few things we ask of Firestore: read documents, commit writes with preconditions, query.

Errors are google.api_core's. Writes carry their precondition with them: a `Create` needs the
document to be absent, an `Update` and a `Delete` need it unchanged since `update_time`; there is no
blind write.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

MAX_ID_BYTES = 1500
PATH = "__name__"  # Firestore's name for it


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
        if self.fields is None:
            raise LookupError(f"there is no document at {self.path}")
        return self.fields[name]

    def get(self, name: str, default: Any = None) -> Any:
        if self.fields is None:
            raise LookupError(f"there is no document at {self.path}")
        return self.fields.get(name, default)


def is_document_id(value: str) -> bool:
    """Whether Firestore accepts `value` as the id of a document; a read of any other fails whole.

    https://firebase.google.com/docs/firestore/quotas#collections_documents_and_fields
    """
    is_reserved = len(value) > 3 and value[:2] == value[-2:] == "__"
    return (
        1 <= len(value.encode()) <= MAX_ID_BYTES
        and "/" not in value
        and value not in {".", ".."}
        and not is_reserved
    )


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
class Delete:
    """Delete a document that must not have changed since `update_time`."""

    path: str
    update_time: datetime


Write = Create | Update | Delete


# Later than any timestamp: a field that is at most this is one, and not text or a number.
LATEST = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Query:
    """Documents of one collection, in the order of one field and then of their ids.

    `order_by` is (field, "ASCENDING" | "DESCENDING"); `start_after` is the field's value and the
    id of the document before the first one wanted. The order may be that of PATH, whose value is
    the document's path. `then_by` is a field that orders documents whose first field is equal,
    where an index has it. `select` names the fields that the documents
    come with, all of them if None. With `in_group`, `collection` is an id, and every collection of
    that id is searched, below whichever document it is.
    """

    collection: str
    where: Sequence[tuple[str, str, Any]] = ()
    order_by: tuple[str, str] | None = None
    limit: int | None = None
    start_after: tuple[Any, str] | None = None
    select: Sequence[str] | None = None
    in_group: bool = False
    then_by: str | None = None


class Store(Protocol):
    """What `imagegen.db` needs: Firestore, or memory in the simulation."""

    def read(self, paths: Sequence[str], timeout_seconds: float) -> list[Document]:
        """The documents at `paths`, in that order, all as of one moment."""

    def commit(self, writes: Sequence[Write], timeout_seconds: float) -> list[datetime]:
        """Apply all writes or none; the update time of each, which of a deletion means nothing."""

    def query(self, query: Query, timeout_seconds: float) -> list[Document]:
        """The documents that match."""
