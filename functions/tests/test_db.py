"""`transact` on the emulator: conflicts, lost replies, and nothing half done."""

import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import SimpleNamespace

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import firestore
from support.proxy import Fault, FirestoreProxy

from imagegen import db
from imagegen.errors import BackendUnavailable, OutcomeUnknown
from imagegen.firestore.store import Create, Document, Query, Write


def add_one(path: str) -> Callable[[db.Transaction], None]:
    def decide(transaction: db.Transaction) -> None:
        transaction.update(path, {"credits": transaction[path]["credits"] + 1})

    return decide


def test_twenty_writers_of_one_document_lose_no_update(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    path = db.user(new_user(0))
    start = threading.Barrier(20)

    def write(_: int) -> None:
        start.wait()
        db.transact(add_one(path), path)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(write, range(20)))
    assert client.document(path).get().get("credits") == 20


def test_a_transaction_is_one_read_and_one_commit(
    proxy: FirestoreProxy, new_user: Callable[..., str]
) -> None:
    path = db.user(new_user(0))
    proxy.reset()
    db.transact(add_one(path), path)
    assert proxy.traffic.rpcs == {"BatchGetDocuments": 1, "Commit": 1}


def test_a_decision_sees_its_documents_as_of_one_moment_also_one_that_it_names_late(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    """Else a late commit of our own between two reads leads to a refusal that was never right."""
    path, late = db.user(new_user(0)), db.user(new_user(0))
    seen: list[tuple[int, int]] = []

    def decide(transaction: db.Transaction) -> None:
        first = transaction[path]["credits"]
        if first == 0:
            client.document(path).update({"credits": 7})
            client.document(late).update({"credits": 7})
        seen.append((first, transaction[late]["credits"]))

    db.transact(decide, path)
    assert seen == [(7, 7)]


def test_what_a_commit_returned_is_the_precondition_of_the_next(
    proxy: FirestoreProxy, new_user: Callable[..., str]
) -> None:
    path = db.user(new_user(0))
    document = db.transact(add_one(path), path)[path]
    proxy.reset()
    assert db.transact(add_one(path), document)[path]["credits"] == 2
    assert proxy.traffic.rpcs == {"Commit": 1}


def test_a_known_document_that_has_changed_since_is_read_again(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    path = db.user(new_user(0))
    (stale,) = db.read(path)
    client.document(path).update({"credits": 10})
    assert db.transact(add_one(path), stale)[path]["credits"] == 11


def test_what_a_decision_raises_writes_nothing(
    client: firestore.Client, proxy: FirestoreProxy, new_user: Callable[..., str]
) -> None:
    path = db.user(new_user(3))
    proxy.reset()

    def refuse(transaction: db.Transaction) -> None:
        transaction.update(path, {"credits": 0})
        raise KeyError("no")

    with pytest.raises(KeyError):
        db.transact(refuse, path)
    assert proxy.traffic.rpcs == {"BatchGetDocuments": 1}
    assert client.document(path).get().get("credits") == 3


def test_all_writes_are_applied_or_none(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    path, taken = db.user(new_user(1)), db.user(new_user(1))

    def decide(transaction: db.Transaction) -> None:
        if transaction[taken].exists:
            return
        transaction.update(path, {"credits": 99})
        transaction.create(taken, {"credits": 99})

    db.transact(decide, path, Document(taken))  # wrongly believed to be absent
    assert client.document(path).get().get("credits") == 1
    assert client.document(taken).get().get("credits") == 1


def test_a_document_that_was_not_read_cannot_be_updated() -> None:
    with pytest.raises(LookupError):
        db.Transaction([Document("users/nobody")]).update("users/nobody", {"credits": 1})


def test_an_update_of_a_document_that_is_created_is_one_write() -> None:
    transaction = db.Transaction([Document("users/new")])
    transaction.create("users/new", {"credits": 1, "debt": 0})
    transaction.update("users/new", {"credits": 2})
    assert transaction.writes == {"users/new": Create("users/new", {"credits": 2, "debt": 0})}
    assert transaction["users/new"]["credits"] == 2


def test_a_document_that_was_not_named_is_read_when_it_is_looked_at(
    proxy: FirestoreProxy, new_user: Callable[..., str]
) -> None:
    named, other = db.user(new_user(1)), db.user(new_user(2))

    def decide(transaction: db.Transaction) -> None:
        moved = transaction[other]["credits"]
        assert transaction[other]["credits"] == moved
        transaction.update(named, {"credits": transaction[named]["credits"] + moved})
        transaction.update(other, {"credits": 0})

    documents = db.transact(decide, named)
    assert (documents[named]["credits"], documents[other]["credits"]) == (3, 0)
    assert proxy.traffic.rpcs == {"BatchGetDocuments": 2, "Commit": 1}


@pytest.mark.parametrize(
    "code", ["UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED", "INTERNAL", "UNKNOWN"]
)
def test_a_lost_reply_is_found_out_by_reading_again(
    proxy: FirestoreProxy, new_user: Callable[..., str], code: str
) -> None:
    path = db.user(new_user(0, mark=""))
    fault = Fault(grpc.StatusCode[code], reply_lost=True)
    faults = iter([fault])
    proxy.fault_for = lambda rpc: next(faults, None) if rpc == "Commit" else None

    def decide(transaction: db.Transaction) -> None:
        if transaction[path]["mark"] != "ours":
            transaction.update(path, {"credits": transaction[path]["credits"] + 1, "mark": "ours"})

    assert db.transact(decide, path)[path]["credits"] == 1


def test_firestore_out_of_reach_is_said_and_it_is_said_whether_a_commit_was_sent(
    proxy: FirestoreProxy, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "DEADLINE_SECONDS", 1)
    path = db.user(new_user(0))
    proxy.fault_for = lambda rpc: Fault()
    with pytest.raises(BackendUnavailable) as unread:
        db.transact(add_one(path), path)
    assert not isinstance(unread.value, OutcomeUnknown)
    proxy.fault_for = lambda rpc: Fault() if rpc == "Commit" else None
    with pytest.raises(OutcomeUnknown):
        db.transact(add_one(path), path)


class SlowStore:
    """Answers just before each time-out. `seconds` is the time, for `db` as well."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 0.0
        time = SimpleNamespace(monotonic=lambda: self.seconds, sleep=self._pass)
        monkeypatch.setattr(db, "time", time)
        monkeypatch.setattr(db, "connection", lambda: self)

    def read(self, paths: Sequence[str], timeout_seconds: float) -> list[Document]:
        self._pass(timeout_seconds)
        return [Document(path) for path in paths]

    def commit(self, writes: Sequence[Write], timeout_seconds: float) -> list[datetime]:
        self._pass(timeout_seconds)
        return [datetime.now(UTC) for _ in writes]

    def _pass(self, seconds: float) -> None:
        self.seconds += seconds


def test_a_transaction_that_reads_again_takes_no_longer_than_the_longest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first call of a month, or of a user, needs documents that it has not named."""
    store, late = SlowStore(monkeypatch), [db.user(f"late-{number}") for number in range(4)]

    def decide(transaction: db.Transaction) -> None:
        for path in late:
            transaction[path]
        transaction.create("users/new", {"credits": 1})

    db.transact(decide, "users/new")
    assert store.seconds <= db.LONGEST_TRANSACTION_SECONDS


def test_what_follows_a_commit_has_some_seconds_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each event may wait for a queue that is silent, and the call waits for them all."""
    store = SlowStore(monkeypatch)
    given: list[float] = []

    def follow(seconds: float) -> None:
        given.append(seconds)
        store.seconds += min(seconds, 3.0)

    def decide(transaction: db.Transaction) -> None:
        transaction.create("users/new", {"credits": 1})
        for _ in range(20):
            transaction.after_commit(follow)

    db.transact(decide, Document("users/new"))
    assert given == [5.0, 2.0] + [0.0] * 18


@pytest.mark.parametrize("error", [exceptions.PermissionDenied, exceptions.InvalidArgument])
def test_what_firestore_said_is_logged_where_the_caller_hears_only_that_it_is_out_of_reach(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: type[exceptions.GoogleAPICallError],
) -> None:
    """A lost right, an index that is not built: it is no outage, and waiting does not help."""

    class Refusing(SlowStore):
        def read(self, paths: Sequence[str], timeout_seconds: float) -> list[Document]:
            raise exceptions.ServiceUnavailable("of reads")

        def query(self, query: Query, timeout_seconds: float) -> list[Document]:
            raise exceptions.ServiceUnavailable("of queries")

        def commit(self, writes: Sequence[Write], timeout_seconds: float) -> list[datetime]:
            raise error("of commits")

    Refusing(monkeypatch)
    with pytest.raises(OutcomeUnknown):
        db.transact(lambda t: t.create("users/new", {}), Document("users/new"))
    with pytest.raises(BackendUnavailable):
        db.transact(lambda t: None, "users/new")
    with pytest.raises(BackendUnavailable):
        db.read("users/new")
    with pytest.raises(BackendUnavailable):
        db.query(Query("users"))
    said = [json.loads(line)["error"] for line in capsys.readouterr().out.splitlines()]
    assert ["of commits" in said[0], "of reads" in said[1]] == [True, True]
    assert ["of reads" in said[2], "of queries" in said[3]] == [True, True]


def test_the_deadline_holds_when_firestore_hangs(
    proxy: FirestoreProxy, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "DEADLINE_SECONDS", 0.5)
    path = db.user(new_user(0))
    proxy.fault_for = lambda rpc: Fault(delay_seconds=3)
    started = time.monotonic()
    with pytest.raises(BackendUnavailable):
        db.transact(add_one(path), path)
    assert time.monotonic() - started < 2


def test_reads_and_queries_say_when_firestore_is_out_of_reach(
    proxy: FirestoreProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "DEADLINE_SECONDS", 0.3)
    proxy.fault_for = lambda rpc: Fault(grpc.StatusCode.INTERNAL)
    with pytest.raises(BackendUnavailable):
        db.read("users/anybody")
    with pytest.raises(BackendUnavailable):
        db.query(Query("styles"))


def test_reads_and_queries_try_again_when_one_attempt_fails(proxy: FirestoreProxy) -> None:
    faults = iter([Fault(), None, Fault(reply_lost=True), None])
    proxy.fault_for = lambda rpc: next(faults)
    assert not db.read("users/nobody-there")[0].exists
    assert db.query(Query("styles", limit=2))


def test_reads_that_firestore_aborts_are_tried_again(proxy: FirestoreProxy) -> None:
    aborted = Fault(grpc.StatusCode.ABORTED)
    faults = iter([aborted, None, aborted, None])
    proxy.fault_for = lambda rpc: next(faults)
    assert not db.read("users/nobody-there")[0].exists
    assert db.query(Query("styles", limit=2))
