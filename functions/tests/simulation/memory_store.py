"""`Store` in memory, with Firestore's semantics for what `imagegen.firestore.store` asks of it.

`test_conformance.py` compares it with the emulator, call by call.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from operator import ge, gt, le, lt
from typing import Any

from google.api_core import exceptions
from google.cloud.firestore import DELETE_FIELD

from imagegen.firestore.store import PATH, Create, Delete, Document, Query, Update, Write

EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
# Firestore's order of values of different types, as far as documents here have them.
TYPE_ORDER: tuple[Any, ...] = (type(None), bool, (int, float), datetime, str, list, dict)


class MemoryStore:
    """Documents by path. Update times follow `clock` where it runs forward, and always increase."""

    def __init__(self, clock: Callable[[], datetime] = lambda: EARLIEST) -> None:
        self.documents: dict[str, Document] = {}
        self._clock = clock
        self._latest = EARLIEST

    def read(self, paths: Sequence[str], timeout_seconds: float) -> list[Document]:
        return [_copy(self.documents.get(path) or Document(path)) for path in paths]

    def commit(self, writes: Sequence[Write], timeout_seconds: float) -> list[datetime]:
        for write in writes:
            self.require(write)
        moment = self._next_moment()
        return [self._write(write, moment) for write in writes]

    def query(self, query: Query, timeout_seconds: float) -> list[Document]:
        found = [
            document
            for document in self.documents.values()
            if _is_in(document, query)
            and all(_matches(document, *condition) for condition in query.where)
        ]
        field, descending = _order(query)
        if field == PATH:
            field = None
            after_path = query.start_after[0] if query.start_after else None
            found = [d for d in found if after_path is None or d.path > after_path]
            query = replace(query, start_after=None)
        if field is not None:
            found = [document for document in found if field in (document.fields or {})]

        def position(value: Any, document_id: str) -> tuple[Any, ...]:
            return (*(_rank(value) if field is not None else ()), document_id)

        def place(document: Document) -> tuple[Any, ...]:
            return position(document.get(field) if field is not None else None, document.id)

        found.sort(key=place, reverse=descending)
        if query.start_after is not None:
            after = position(*query.start_after)
            found = [d for d in found if (place(d) < after if descending else place(d) > after)]
        return [_copy(_selected(document, query)) for document in found[: query.limit]]

    def require(self, write: Write) -> None:
        """Raise what Firestore raises when the precondition of `write` does not hold."""
        current = self.documents.get(write.path)
        match write:
            case Create():
                if current is not None:
                    raise exceptions.AlreadyExists(f"{write.path} exists")
            case Update() | Delete():
                if current is None or current.update_time != write.update_time:
                    raise exceptions.FailedPrecondition(f"{write.path} has changed")

    def put(self, path: str, fields: Mapping[str, Any] | None) -> None:
        """Write or, without fields, delete past all preconditions, as an operator does by hand."""
        self.documents.pop(path, None)
        if fields is not None:
            self._write(Create(path, fields), self._next_moment())

    def _next_moment(self) -> datetime:
        self._latest = max(self._clock(), self._latest + TICK)
        return self._latest

    def _write(self, write: Write, moment: datetime) -> datetime:
        if isinstance(write, Delete):
            self.documents.pop(write.path)
            return moment
        current = self.documents.get(write.path)
        fields = {**((current.fields or {}) if current else {}), **_copied(write.fields)}
        fields = {name: value for name, value in fields.items() if value is not DELETE_FIELD}
        if current is not None and current.update_time and _same(fields, current.fields):
            return current.update_time  # a write that changes nothing leaves the time as it was
        self.documents[write.path] = Document(write.path, fields, moment)
        return moment


def _copy(document: Document) -> Document:
    if document.fields is None:
        return document
    return Document(document.path, _copied(document.fields), document.update_time)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal to Firestore, for which true is not 1, nor 1 the double 1.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    numbers = (bool, int, float)
    is_alike = type(one) is type(other) or not isinstance(one, numbers)
    return is_alike and bool(one == other)


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _copied(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_copied(each) for each in value]
    return value


def _order(query: Query) -> tuple[str | None, bool]:
    """The field to order by; an inequality orders by its own field when nothing else is said."""
    if query.order_by is not None:
        return query.order_by[0], query.order_by[1] == "DESCENDING"
    unequal = [field for field, operator, _ in query.where if operator in ("<=", ">=", "<")]
    return (unequal[0] if unequal else None), False


def _is_in(document: Document, query: Query) -> bool:
    collection = document.path.rpartition("/")[0]
    return (collection.rpartition("/")[2] if query.in_group else collection) == query.collection


def _selected(document: Document, query: Query) -> Document:
    if query.select is None:
        return document
    fields = {
        name: value for name, value in (document.fields or {}).items() if name in query.select
    }
    return Document(document.path, fields, document.update_time)


COMPARISONS = {">": gt, ">=": ge, "<": lt, "<=": le}


def _matches(document: Document, field: str, operator: str, value: Any) -> bool:
    fields = document.fields or {}
    if field not in fields:
        return False
    found = fields[field]
    match operator:
        case "==":
            return _rank(found) == _rank(value)
        case "in":  # never true of null
            return found is not None and any(_rank(found) == _rank(each) for each in value)
        case ">" | ">=" | "<" | "<=":  # within one type
            is_of_type = _rank(found)[0] == _rank(value)[0]
            return is_of_type and COMPARISONS[operator](_rank(found), _rank(value))
    raise NotImplementedError(operator)


def _rank(value: Any) -> tuple[int, Any]:
    """A key that sorts as Firestore sorts values: by type, then by value."""
    for number, kinds in enumerate(TYPE_ORDER):
        if isinstance(value, kinds):
            return number, (value if value is not None else 0)
    raise NotImplementedError(type(value))
