"""The bytes that Firestore bills for a document and its index entries.

The sizes are those of https://firebase.google.com/docs/firestore/storage-size; which fields have
indexes stands in firestore.indexes.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from servers import ROOT

NAME_BYTES, DOCUMENT_BYTES, ENTRY_BYTES = 16, 32, 32  # beside what they hold
GROUP_ENTRY_BYTES = 48  # of a single-field entry over a collection group
Fields = Mapping[str, Any]


class Indexes:
    """What firestore.indexes.json says of indexes; fields it does not name have the automatic."""

    def __init__(self) -> None:
        declared = json.loads((ROOT / "firestore.indexes.json").read_text())
        self._composite = declared["indexes"]
        self._single = {
            (each["collectionGroup"], each["fieldPath"]): each
            for each in declared["fieldOverrides"]
        }

    def has_time_to_live(self, collection: str) -> bool:
        """Whether its documents are deleted by themselves."""
        return any(
            each.get("ttl") for (name, _), each in self._single.items() if name == collection
        )

    def entry_bytes(self, path: str, fields: Fields) -> int:
        """All index entries of a document."""
        return sum(self._single_entries(path, fields)) + sum(self._composite_entries(path, fields))

    def _single_entries(self, path: str, fields: Fields) -> Iterator[int]:
        collection, name, parent = path.split("/")[-2], name_bytes(path), parent_bytes(path)
        for field, value in _leaves(fields):
            override = self._single.get((collection, field.partition(".")[0]))
            size = string_bytes(field) + value_bytes(value)
            if override is None:
                # Ascending and descending; an array has one entry for each of its elements beside.
                values = len(value) if isinstance(value, list) else 0
                yield (2 + values) * (name + parent + size + ENTRY_BYTES)
                continue
            for index in override["indexes"]:
                in_group = index["queryScope"] == "COLLECTION_GROUP"
                yield name + size + (GROUP_ENTRY_BYTES if in_group else parent + ENTRY_BYTES)

    def _composite_entries(self, path: str, fields: Fields) -> Iterator[int]:
        for index in self._composite:
            names = [each["fieldPath"] for each in index["fields"]]
            if index["collectionGroup"] != path.split("/")[-2] or not set(names) <= set(fields):
                continue
            values = sum(value_bytes(fields[each]) for each in names)
            parent = 0 if index["queryScope"] == "COLLECTION_GROUP" else parent_bytes(path)
            yield name_bytes(path) + parent + values + ENTRY_BYTES


def document_bytes(path: str, fields: Fields) -> int:
    return name_bytes(path) + _fields_bytes(fields) + DOCUMENT_BYTES


def name_bytes(path: str) -> int:
    return sum(string_bytes(each) for each in path.split("/")) + NAME_BYTES


def parent_bytes(path: str) -> int:
    """Of the document that the collection is in; a collection at the top is in none."""
    parent = path.split("/")[:-2]
    return name_bytes("/".join(parent)) if parent else 0


def string_bytes(text: str) -> int:
    return len(text.encode()) + 1


def value_bytes(value: Any) -> int:
    if value is None or isinstance(value, bool):
        return 1
    if isinstance(value, (int, float, datetime)):
        return 8
    if isinstance(value, str):
        return string_bytes(value)
    if isinstance(value, list):
        return sum(value_bytes(each) for each in value)
    return _fields_bytes(value) + DOCUMENT_BYTES


def _fields_bytes(fields: Fields) -> int:
    return sum(string_bytes(name) + value_bytes(value) for name, value in fields.items())


def _leaves(fields: Fields, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every field, and every field of a map, by its path."""
    for name, value in fields.items():
        yield prefix + name, value
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
