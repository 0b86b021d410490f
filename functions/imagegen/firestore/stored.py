"""Typed views of stored documents: the names, types and defaults of a collection's fields, once.

A view converts a field when it is asked for it, so a document is never refused as a whole. Most
fields have a default for when they are missing or malformed; one without a default, or a `strict`
one that is malformed, raises `MalformedDocument` to whoever needs it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar, overload

from imagegen import logger
from imagegen.errors import ImagegenError
from imagegen.firestore.store import Document

T = TypeVar("T")
_NONE: Any = object()


class MalformedDocument(ImagegenError):
    """A stored field that is needed is missing or malformed; the log names path and field."""


class Field(Generic[T]):
    """A field called `name` in Firestore, converted by `read`, which raises ValueError."""

    def __init__(
        self, name: str, read: Callable[[Any], T], default: T = _NONE, *, strict: bool = False
    ) -> None:
        self.name = name
        self._read = read
        self._default = default
        self._strict = strict or default is _NONE

    @overload
    def __get__(self, view: None, owner: type) -> "Field[T]": ...
    @overload
    def __get__(self, view: "Stored", owner: type) -> T: ...
    def __get__(self, view: "Stored | None", owner: type) -> "Field[T] | T":
        if view is None:
            return self
        value = view.document.get(self.name, _NONE)
        if value is not _NONE:
            try:
                return self._read(value)
            except ValueError as error:
                if self._strict:
                    raise view.malformed(self.name, value) from error
        if self._default is _NONE:
            raise view.malformed(self.name, None)
        return self._default


class Stored:
    """Base of the views: a subclass declares one `Field` for each field of its collection."""

    __slots__ = ("document",)

    malformed_error: ClassVar[type[ImagegenError]] = MalformedDocument

    def __init__(self, document: Document) -> None:
        self.document = document

    @property
    def id(self) -> str:
        return self.document.id

    @property
    def path(self) -> str:
        return self.document.path

    @property
    def exists(self) -> bool:
        return self.document.exists

    def malformed(self, field: str, value: object) -> ImagegenError:
        """The error for a field that cannot be used, which is logged with its path."""
        logger.error("malformed document", path=self.path, field=field, value=repr(value)[:100])
        return self.malformed_error()

    @classmethod
    def fields(cls, **values: Any) -> dict[str, Any]:
        """`values`, by attribute, under their names in Firestore."""
        return {getattr(cls, attribute).name: value for attribute, value in values.items()}


View = TypeVar("View", bound=Stored)


def readable(documents: Iterable[Document], view: type[View], show: Callable[[View], T]) -> list[T]:
    """What `show` makes of the views of documents; a malformed one is logged and left out."""
    shown = []
    for document in documents:
        with suppress(MalformedDocument):
            shown.append(show(view(document)))
    return shown


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not text")
    return value


def whole_number(value: Any) -> int:
    """20, and 20.0: JavaScript and Dart write whole numbers as doubles."""
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    raise ValueError("not a whole number")


def instant(value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise ValueError("not a timestamp")
    return value


def mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("not a map")
    return value


def array(value: Any) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise ValueError("not an array")
    return value


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("not true or false")
    return value
