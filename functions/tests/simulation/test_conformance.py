"""MemoryStore and Firestore answer the same calls alike: values, order, errors, update times."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core.exceptions import GoogleAPICallError
from google.cloud.firestore import DELETE_FIELD

from imagegen.firestore import client as firestore_client
from imagegen.firestore.store import PATH, Create, Delete, Document, Query, Store, Update, Write
from simulation.memory_store import MemoryStore

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
IDS = ("a", "b", "c", "d", "B", "é")
VALUES: tuple[Any, ...] = (
    None,
    True,
    1,
    2,
    1.5,
    "x",
    "Y",
    NOON,
    NOON + timedelta(microseconds=1),
    {"k": {"n": [1, {"m": None}]}, "l": 1},
    [1, "x"],
)
COMPARABLE = (1, 2, 1.5, "x", NOON)


class Pair:
    """The same calls to both stores; update times are compared by the commits that made them."""

    def __init__(self, firestore_store: Store) -> None:
        self.stores: tuple[Store, Store] = (MemoryStore(), firestore_store)
        self.times: tuple[dict[str, list[datetime]], ...] = ({}, {})  # of each document, in order

    def commit(self, writes: Sequence[tuple[str, dict[str, Any] | None, int | None]]) -> Any:
        """`writes` are (path, fields, how many versions ago, or None to create).

        Without fields, the document is deleted.
        """

        def on(number: int) -> Any:
            times = self.times[number]
            made = [self._write(number, *each) for each in writes]
            results = self.stores[number].commit(made, 10)
            kept = [
                (path, moment)
                for (path, fields, _), moment in zip(writes, results, strict=True)
                if fields is not None
            ]
            for path, moment in kept:
                known = times.setdefault(path, [])
                if moment not in known:  # a write that changes nothing has the time of before
                    assert not known or moment > known[-1]
                    known.append(moment)
            return [times[path].index(moment) for path, moment in kept]

        return self.both(on)

    def read(self, paths: Sequence[str]) -> Any:
        return self.both(lambda n: self._seen(n, self.stores[n].read(paths, 10)))

    def query(self, query: Query) -> Any:
        return self.both(lambda n: self._seen(n, self.stores[n].query(query, 10)))

    def both(self, call: Callable[[int], Any]) -> Any:
        """What both answer, result or class of error; it is the same."""
        answers = []
        for number in (0, 1):
            try:
                answers.append(call(number))
            except GoogleAPICallError as error:
                answers.append(type(error).__name__)
        assert answers[0] == answers[1]
        return answers[0]

    def _write(
        self, number: int, path: str, fields: dict[str, Any] | None, back: int | None
    ) -> Write:
        if fields is None:
            return Delete(path, self._version(number, path, back or 0))
        if back is None:
            return Create(path, fields)
        return Update(path, fields, self._version(number, path, back))

    def _version(self, number: int, path: str, back: int) -> datetime:
        known = self.times[number].get(path, [])
        return known[-1 - back] if back < len(known) else NOON

    def _seen(self, number: int, documents: Sequence[Document]) -> list[Any]:
        return [
            (
                document.path,
                document.fields,
                document.update_time
                and self.times[number][document.path].index(document.update_time),
            )
            for document in documents
        ]


@pytest.mark.parametrize("seed", range(25))
def test_memory_and_firestore_answer_alike(emulator: str, seed: int) -> None:
    source = random.Random(seed)
    pair = Pair(firestore_client.connection())
    collection = f"conformance-{uuid.uuid4().hex[:12]}"
    outcomes = set()
    for _ in range(60):
        doing = source.choice((commit, commit, commit, read, query))
        outcomes.add(str(doing(pair, source, collection)))
    assert outcomes & {"AlreadyExists", "FailedPrecondition"}


def commit(pair: Pair, source: random.Random, collection: str) -> Any:
    """A few documents are created, or updated or deleted as they were now or versions ago."""
    chosen = source.sample(IDS, source.choice((1, 1, 2, 3)))
    return pair.commit(
        [
            (
                f"{collection}/{each}",
                some_fields(source) if source.random() < 0.85 else None,
                source.choices((None, 0, 1, 2), (5, 7, 1, 1))[0],
            )
            for each in chosen
        ]
    )


def some_fields(source: random.Random) -> dict[str, Any]:
    names = source.sample(("x", "y", "z", "a.b", "ü `"), source.randint(1, 4))
    return {name: source.choice((*VALUES, DELETE_FIELD)) for name in names}


def read(pair: Pair, source: random.Random, collection: str) -> Any:
    return pair.read([f"{collection}/{each}" for each in source.sample(IDS, 3)])


def query(pair: Pair, source: random.Random, collection: str) -> Any:
    """A query of the kinds that imagegen makes."""
    where: list[tuple[str, str, Any]] = []
    if source.random() < 0.4:
        where.append(("y", "==", source.choice(VALUES)))
    if source.random() < 0.3:
        where.append(("z", "in", source.sample(COMPARABLE, 2)))
    order_by, after, limit = None, None, source.choice((None, 1, 2, 3))
    if source.random() < 0.3:
        where.append(("x", "<=", source.choice(COMPARABLE)))
    if source.random() < 0.7:
        order_by = ("x", source.choice(("ASCENDING", "DESCENDING")))
        if source.random() < 0.4:
            after = (source.choice(COMPARABLE), source.choice(IDS))
    if source.random() < 0.2:
        where = [each for each in where if each[1] == "=="]
        order_by = (PATH, "ASCENDING")
        after = (f"{collection}/{source.choice(IDS)}", "") if limit != 3 else None
    select = ["x", "a.b"] if limit == 2 else None
    return pair.query(Query(collection, where, order_by, limit, after, select, in_group=limit == 3))


def test_ranges_are_answered_alike(emulator: str) -> None:
    pair = Pair(firestore_client.connection())
    collection = f"conformance-{uuid.uuid4().hex[:12]}"
    for number, value in enumerate(COMPARABLE):
        pair.commit([(f"{collection}/{number}", {"x": value}, None)])
    found = [
        pair.query(Query(collection, [("x", operator, value)], ("x", "ASCENDING")))
        for operator in ("<", "<=", ">", ">=")
        for value in COMPARABLE
    ]
    assert any(found)


def test_what_is_read_or_written_is_a_copy() -> None:
    memory, fields = MemoryStore(), dict[str, Any](list=[1], map={"a": {"b": 1}})
    memory.commit([Create("c/1", fields)], 1)
    fields["map"]["a"]["b"] = 2
    (document,) = memory.read(["c/1"], 1)
    document["list"].append(2)
    assert memory.read(["c/1"], 1)[0].fields == {"list": [1], "map": {"a": {"b": 1}}}
