"""firestore.indexes.json against the queries the code can issue: the emulator enforces none."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

from support.orders import now
from support.paths import FUNCTIONS

from imagegen.catalogue import catalogue
from imagegen.firestore.store import Query
from imagegen.generation import recovery
from imagegen.generation.endpoints import requests_query
from imagegen.purchases.booking import owing_query
from imagegen.purchases.endpoints import purchases_query

Composite = tuple[str, tuple[tuple[str, str], ...]]


def queries() -> Iterator[Query]:
    """Every shape of query that listing and recovery issue."""
    filters = ("status", *catalogue.FIELDS)
    for count in range(len(filters) + 1):
        for names in itertools.combinations(filters, count):
            yield requests_query("u", [(name, "x") for name in names], 20)
    yield recovery.expired_query(now())
    yield purchases_query("u", 20)
    yield owing_query("u")


def test_every_query_is_served_by_declared_indexes() -> None:
    declared = set(composites())
    unserved = [query for query in queries() if not served(query, declared)]
    assert unserved == []


def test_no_index_of_the_requests_is_declared_in_vain() -> None:
    declared = set(composites())
    for index in declared:
        if index[0] == "generationRequests" and index[1][-1][0] in ("createdAt", "expiresAt"):
            fewer = declared - {index}
            assert any(not served(query, fewer) for query in queries()), index


def composites() -> Iterator[Composite]:
    content = json.loads((FUNCTIONS.parent / "firestore.indexes.json").read_text())
    for index in content["indexes"]:
        fields = tuple((f["fieldPath"], f.get("order", "CONTAINS")) for f in index["fields"])
        yield index["collectionGroup"], fields


def served(query: Query, declared: set[Composite]) -> bool:
    """Whether Firestore can answer `query` from `declared`.

    An index serves equality fields in any order, followed by the ordered field. Several indexes
    with the same ordered field are merged: together they must cover all equality fields.
    https://firebase.google.com/docs/firestore/query-data/index-overview#taking_advantage_of_index_merging
    """
    assert query.order_by is not None
    equal = {field for field, operator, _ in query.where if operator in ("==", "in")}
    covered: set[str] = set()
    for collection, fields in declared:
        *prefix, last = fields
        names = {name for name, _ in prefix}
        if collection == query.collection and last == query.order_by and names <= equal:
            covered |= names
    return covered == equal


def test_the_check_itself_can_fail() -> None:
    declared = set(composites())
    wanted: Any = Query("generationRequests", [("prompt", "==", "x")], ("createdAt", "DESCENDING"))
    assert not served(wanted, declared)
