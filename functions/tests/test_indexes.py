"""firestore.indexes.json against the queries the code can issue: the emulator enforces none."""

import itertools
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from demo.seed import catalogue as seeded
from ops.reconciliation import paid_query
from simulation.memory_store import MemoryStore
from support.orders import ANYBODY, now, order
from support.paths import FUNCTIONS

from imagegen import actions, db, tasks
from imagegen.admin import events, users
from imagegen.audit import runs
from imagegen.catalogue import catalogue
from imagegen.credits import endpoints as credit_endpoints
from imagegen.credits.clawback import owing_query
from imagegen.credits.entries import EntryType
from imagegen.firestore.store import Document, Query
from imagegen.generation import create as generation
from imagegen.generation import deletion, image_reports, recovery, retention, worker
from imagegen.generation.listing import requests_query
from imagegen.notifications.recovery import due_query
from imagegen.notifications.redelivery import newest_query
from imagegen.purchases import listing
from imagegen.purchases.purchase import PurchaseStatus
from imagegen.report import credit_flows, revenue, weeks

Composite = tuple[str, tuple[tuple[str, str], ...]]
# What single-field indexes serve besides the queries below: the report streams requests by
# createdAt and counts the users of a day; the audit reads requests and purchases by userId; the
# console reads the reports by isoWeek.
QUERIED_ALONE = {
    ("generationRequests", "createdAt"),
    ("generationRequests", "userId"),
    ("purchases", "userId"),
    ("users", "createdAt"),
    ("reports", "isoWeek"),
}
# The one field that is looked for in all collections of a name: whose device a token is.
IN_ALL_COLLECTIONS = ("devices", "tokenHash")


def queries() -> Iterator[Query]:
    """Every shape of query that listing and recovery issue."""
    filters = ("status", *catalogue.FIELDS)
    for count in range(len(filters) + 1):
        for names in itertools.combinations(filters, count):
            yield requests_query("u", [(name, "x") for name in names], 20)
    for names in ((), ("status",), ("model",), ("status", "model")):
        yield requests_query(None, [(name, "x") for name in names], 20, since=now())
    yield recovery.expired_query(now())
    yield deletion.due_query(now())
    yield retention.old_query(now())
    yield image_reports.reports_query(image_reports.ReportStatus.OPEN, 20)
    for user_id in ("", "u"):
        for status in (None, PurchaseStatus.PAID):
            yield listing.query(20, user_id=user_id, status=status, since=now())
    yield owing_query("u")
    yield paid_query(now(), now(), None)
    yield revenue.query(weeks.named("2026-W10", ZoneInfo("UTC")))
    yield due_query(now())
    yield newest_query((now(), ""))
    yield actions.newest_query(20)
    yield users.newest_query(20)
    yield runs.newest_query(20)
    yield events.events_query(None, 20)
    yield events.events_query("u", 20)
    yield users.open_requests_query("u")


def test_every_query_is_served_by_declared_indexes() -> None:
    declared = set(composites())
    unserved = [query for query in queries() if not served(query, declared)]
    assert unserved == []


def test_entries_of_a_period_are_read_by_the_index_that_sums_them() -> None:
    query = credit_flows.query([EntryType.EXPIRY], ("timestamp", ">=", now()))
    assert query.in_group
    order = [
        (query.order_by[0] if query.order_by else "", "ASCENDING"),
        (query.then_by, "ASCENDING"),
    ]
    assert (query.collection, (("type", "ASCENDING"), *order)) in set(composites())


def test_no_index_of_the_requests_is_declared_in_vain() -> None:
    declared = set(composites())
    for index in declared:
        if index[0] == "generationRequests" and index[1][-1][0] in ("createdAt", "expiresAt"):
            fewer = declared - {index}
            assert any(not served(query, fewer) for query in queries()), index


def test_each_index_stands_once() -> None:
    """firebase-tools creates each that the project lacks; the second creation is a 409."""
    stated = list(composites())
    assert len(stated) == len(set(stated))


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


# --- exemptions --------------------------------------------------------------------------------


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryStore]:
    """Every document that orders leave behind: completed, failed, canceled and in work."""
    store = MemoryStore(now)
    monkeypatch.setattr(db, "connection", lambda: store)
    monkeypatch.setattr(tasks, "enqueue", lambda *_, **__: None)
    for path, fields in seeded("").items():
        store.put(path, fields | {"failureRate": 0.0, "latencySeconds": 0.0})
    store.put("models/Doomed Model", {"generator": "mock", "imageUrl": "", "failureRate": 1.0})
    store.put("users/ann", {"credits": 9, "createdAt": now(), "updatedAt": now()})
    catalogue.forget()
    generation.create(order("ann", model="Model A"), ANYBODY)
    background = order("ann", model="Doomed Model", mode="async")
    generation.create(background, ANYBODY)
    generation.create(background, ANYBODY)
    worked_on = next(d for d in store.documents.values() if d.get("status") == "pending")
    worker.process({"generationRequestId": worked_on.id})
    yield store
    catalogue.forget()


def test_no_time_is_indexed_that_nobody_queries(written: MemoryStore) -> None:
    """An index over rising values takes 500 writes a second, and each of them costs every write."""
    times = {
        (collection_of(document.path), name)
        for document in written.documents.values()
        for name, value in (document.fields or {}).items()
        if isinstance(value, datetime) or name.endswith(("At", "Until"))
    }
    assert ("generationRequests", "leasedUntil") in times
    assert ("transactions", "timestamp") in times
    assert times - exemptions() == {
        ("generationRequests", "createdAt"),
        ("users", "createdAt"),
    }


def test_long_texts_and_maps_are_not_indexed(written: MemoryStore) -> None:
    """A map costs an index entry for each of its keys, a text one of its length."""
    indexed = {
        (collection_of(document.path), name)
        for document in written.documents.values()
        if collection_of(document.path) in ("generationRequests", "users", "transactions")
        for name, value in (document.fields or {}).items()
        if isinstance(value, dict | list) or name in ("prompt", "source", "error", "imageUrl")
    }
    assert ("users", "usage") in indexed
    assert indexed <= exemptions()


def test_no_field_is_exempt_that_a_query_needs_alone() -> None:
    alone = QUERIED_ALONE | {
        (collection_of(f"{query.collection}/x"), next(iter(fields_of(query))))
        for query in (*queries(), *statement_queries())
        if len(fields_of(query)) == 1
    }
    assert ("transactions", "sequence") in alone
    assert not alone & exemptions()


def test_each_exemption_stands_once() -> None:
    stated = list(overrides())
    assert len(stated) == len(set(stated))


def statement_queries() -> Iterator[Query]:
    """The query for ledger entries, as it reaches the store."""
    asked: list[Query] = []

    def query(wanted: Query) -> list[Document]:
        asked.append(wanted)
        return []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "query", query)
        credit_endpoints._entries("ann", newest=5, limit=20)
    yield from asked


def fields_of(query: Query) -> set[str]:
    ordered = {query.order_by[0]} if query.order_by else set()
    return {field for field, _, _ in query.where} | ordered


def collection_of(path: str) -> str:
    return path.split("/")[-2]


def exemptions() -> set[tuple[str, str]]:
    return set(overrides())


def overrides() -> Iterator[tuple[str, str]]:
    """(collection, field) that no single-field index covers."""
    content = json.loads((FUNCTIONS.parent / "firestore.indexes.json").read_text())
    for override in content["fieldOverrides"]:
        name = (override["collectionGroup"], override["fieldPath"])
        if name == IN_ALL_COLLECTIONS:
            assert [each["queryScope"] for each in override["indexes"]] == ["COLLECTION_GROUP"]
            continue
        assert override["indexes"] == []
        yield override["collectionGroup"], override["fieldPath"]
