"""Recovery: whatever died after the charge is refunded once, whoever else is at it."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import firestore
from support.books import check_books, requests_of
from support.orders import ANYBODY, now, order
from support.paths import FUNCTIONS
from support.proxy import Fault, FirestoreProxy

from imagegen import clock, db
from imagegen.errors import GenerationFailed, ImagegenError
from imagegen.firestore.store import Document, Query
from imagegen.generation import create as generation
from imagegen.generation import recovery
from imagegen.providers import registry as providers
from imagegen.providers.base import GeneratedImage, GenerationJob


@pytest.fixture
def lost(
    client: firestore.Client, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """Makes a request that was charged and then forgotten; the id of its user, who may be new."""

    class Died(Exception):
        pass

    def make(age: timedelta = timedelta(hours=1), of: str | None = None, **changes: Any) -> str:
        user_id = of or new_user(5)
        with monkeypatch.context() as dying:
            moment = now() - age

            def die(*_: object, **__: object) -> str:
                raise Died

            dying.setattr(clock, "now", lambda: moment)
            dying.setattr(generation, "generate_image", die)
            dying.setattr(generation, "enqueue", die)
            with pytest.raises(Died):
                generation.create(order(user_id, **changes), ANYBODY)
        return user_id

    return make


def test_a_lost_request_is_failed_and_refunded(
    client: firestore.Client, lost: Callable[..., str]
) -> None:
    user_id = lost(idempotencyKey="k")
    assert recovery.recover() >= 1
    (request,) = requests_of(client, user_id)
    assert (request["status"], request["error"]["reason"]) == ("failed", "GENERATION_LOST")
    assert check_books(client, user_id, opening=5) == 5
    with pytest.raises(GenerationFailed) as replayed:
        generation.create(order(user_id, idempotencyKey="k"), ANYBODY)
    assert replayed.value.details["retryable"] is True


def test_a_request_that_has_not_expired_is_left_alone(
    client: firestore.Client, lost: Callable[..., str]
) -> None:
    user_id = lost(age=timedelta(seconds=110))
    recovery.recover()
    assert [request["status"] for request in requests_of(client, user_id)] == ["pending"]


def test_running_again_changes_nothing(client: firestore.Client, lost: Callable[..., str]) -> None:
    user_id = lost()
    recovery.recover()
    recovery.recover()
    assert check_books(client, user_id, opening=5) == 5


def test_two_runs_at_once_refund_once(client: firestore.Client, lost: Callable[..., str]) -> None:
    users = [lost() for _ in range(5)]
    start = threading.Barrier(2)

    def run(_: int) -> None:
        start.wait()
        recovery.recover()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, range(2)))
    for user_id in users:
        assert check_books(client, user_id, opening=5) == 5


def test_all_pages_are_worked_through(
    client: firestore.Client, lost: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "PAGE_SIZE", 2)
    users = [lost() for _ in range(5)]
    assert recovery.recover() >= 5
    for user_id in users:
        assert check_books(client, user_id, opening=5) == 5


def test_requests_of_one_user_do_not_conflict_with_each_other(
    lost: Callable[..., str],
    new_user: Callable[..., str],
    client: firestore.Client,
    proxy: FirestoreProxy,
) -> None:
    user_id, many = new_user(40), 2 * recovery.THREADS
    recovery.recover()  # of other tests
    for _ in range(many):
        lost(of=user_id)
    proxy.reset()
    assert recovery.recover() == many
    assert proxy.traffic.rpcs == {"RunQuery": 1, "BatchGetDocuments": many, "Commit": many}
    assert check_books(client, user_id, opening=40) == 40


def test_a_user_whose_requests_take_long_leaves_the_rest_to_the_next_run(
    lost: Callable[..., str], client: firestore.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = lost()
    lost(of=user_id)
    sound = lost()
    with monkeypatch.context() as hurried:
        hurried.setattr(recovery, "USER_SECONDS", 0.0)
        with pytest.raises(ImagegenError, match="1 requests"):
            recovery.recover()
    assert check_books(client, sound, opening=5) == 5
    assert recovery.recover() == 1
    assert check_books(client, user_id, opening=5) == 5


def test_a_run_ends_before_its_timeout_and_the_next_goes_on(
    lost: Callable[..., str], client: firestore.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    recovery.recover()
    monkeypatch.setattr(recovery, "PAGE_SIZE", 2)
    users = [lost() for _ in range(3)]
    with monkeypatch.context() as late:
        late.setattr(recovery, "RUN_SECONDS", 0.0)
        assert recovery.recover() == 2
    assert recovery.recover() == 1
    for user_id in users:
        assert check_books(client, user_id, opening=5) == 5


def test_one_request_that_cannot_be_settled_does_not_keep_the_others_waiting(
    client: firestore.Client, lost: Callable[..., str]
) -> None:
    broken, sound = lost(age=timedelta(hours=2)), lost()
    client.document(db.user(broken)).update({"credits": "many"})
    with pytest.raises(ImagegenError, match="1 requests could not be settled"):
        recovery.recover()
    assert check_books(client, sound, opening=5) == 5
    client.document(db.user(broken)).update({"credits": 4})
    recovery.recover()
    assert check_books(client, broken, opening=5) == 5


UNSETTLABLE = [
    ("user", {"credits": None}),
    ("user", {"ledgerSequence": None}),
    ("user", {"ledgerSequence": 0.5}),
    ("request", {"credits": "3"}),
    ("request", {"credits": firestore.DELETE_FIELD}),
    ("request", {"createdAt": "yesterday"}),
    ("request", {"userId": firestore.DELETE_FIELD}),
]


@pytest.mark.parametrize(("which", "broken"), UNSETTLABLE)
def test_a_malformed_document_is_named_and_the_others_go_on(
    client: firestore.Client,
    lost: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
    which: str,
    broken: dict[str, Any],
) -> None:
    victim, sound = lost(age=timedelta(hours=2)), lost()
    (request,) = requests_of(client, victim)
    path = db.user(victim) if which == "user" else db.generation_request(request["id"])
    client.document(path).update(broken)
    with pytest.raises(ImagegenError, match="1 requests could not be settled"):
        recovery.recover()
    assert request["id"] in capsys.readouterr().err
    assert check_books(client, sound, opening=5) == 5
    client.document(db.generation_request(request["id"])).delete()  # none of the other tests'


@pytest.mark.parametrize(
    "broken",
    [
        {"usage": "x"},
        {"usage": {"days": {"total": 3}, "weeks": [1]}},
        {"usage": {"days": {"2026-11-27": "three"}, "weeks": {"2026-W48": 3}}},
        {"inFlight": []},
        {"inFlight": {"r1": "soon"}},
        {"rate": 7},
    ],
)
def test_what_is_only_a_summary_never_stands_in_the_way_of_a_refund(
    client: firestore.Client, lost: Callable[..., str], broken: dict[str, Any]
) -> None:
    user_id = lost(mode="async") if "inFlight" in broken else lost()
    client.document(db.user(user_id)).update(broken)
    recovery.recover()
    assert check_books(client, user_id, opening=5) == 5


def test_a_request_deleted_between_query_and_settle_is_no_failure(
    client: firestore.Client, lost: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (request,) = requests_of(client, lost())
    found = db.query

    def query(wanted: Query, **options: float) -> list[Document]:
        page = found(wanted, **options)
        client.document(db.generation_request(request["id"])).delete()
        return page

    monkeypatch.setattr(db, "query", query)
    recovery.recover()


def test_a_document_that_firestore_refuses_to_write_does_not_stop_the_others(
    client: firestore.Client, lost: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For instance one that the outcome would make larger than 1 MiB."""
    large, sound = lost(age=timedelta(hours=2)), lost()
    connection = db.connection()

    class Refusing:
        query = staticmethod(connection.query)
        read = staticmethod(connection.read)

        def commit(self, writes: list[Any], timeout_seconds: float) -> Any:
            if any(write.path == db.user(large) for write in writes):
                raise exceptions.InvalidArgument("the document is too large")
            return connection.commit(writes, timeout_seconds)

    with monkeypatch.context() as refusing:
        refusing.setattr(db, "connection", Refusing)
        with pytest.raises(ImagegenError, match="1 requests"):
            recovery.recover()
    assert check_books(client, sound, opening=5) == 5
    recovery.recover()


def test_requests_that_use_up_their_deadline_do_not_keep_the_others_waiting(
    client: firestore.Client, lost: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest ones hang; the run is over in a few deadlines, not in one for each."""
    slow = [lost(age=timedelta(hours=2)) for _ in range(recovery.THREADS)]
    sound = lost()
    connection = db.connection()

    class Hanging:
        query = staticmethod(connection.query)
        read = staticmethod(connection.read)

        def commit(self, writes: list[Any], timeout_seconds: float) -> Any:
            if any(db.user(user_id) == write.path for user_id in slow for write in writes):
                time.sleep(timeout_seconds)
                raise exceptions.DeadlineExceeded("slow")
            return connection.commit(writes, timeout_seconds)

    monkeypatch.setattr(recovery, "DEADLINE_SECONDS", 1.0)
    started = time.monotonic()
    with monkeypatch.context() as hanging:
        hanging.setattr(db, "connection", Hanging)
        with pytest.raises(ImagegenError, match=f"{len(slow)} requests"):
            recovery.recover()
    assert time.monotonic() - started < len(slow)
    assert check_books(client, sound, opening=5) == 5
    recovery.recover()


def test_a_run_that_dies_half_way_is_finished_by_the_next(
    client: firestore.Client,
    lost: Callable[..., str],
    proxy: FirestoreProxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    users = [lost() for _ in range(4)]
    commits = iter([None, Fault(reply_lost=True)])
    proxy.fault_for = lambda rpc: next(commits, Fault()) if rpc == "Commit" else None
    with monkeypatch.context() as hasty:
        hasty.setattr(recovery, "DEADLINE_SECONDS", 0.2)
        hasty.setattr(db, "DEADLINE_SECONDS", 0.2)
        with pytest.raises(ImagegenError):
            recovery.recover()
    proxy.reset()
    recovery.recover()
    for user_id in users:
        assert check_books(client, user_id, opening=5) == 5


def test_a_worker_that_finishes_after_recovery_loses_and_the_refund_stands(
    client: firestore.Client,
    new_user: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def recovered_meanwhile(job: GenerationJob) -> GeneratedImage:
        with monkeypatch.context() as later:
            moment = now() + timedelta(hours=1)
            later.setattr(clock, "now", lambda: moment)
            recovery.recover()
        return GeneratedImage(url="https://example.com/late.png")

    class Late:
        def generate(self, job: GenerationJob, *, deadline: float) -> GeneratedImage:
            return recovered_meanwhile(job)

    monkeypatch.setitem(providers.GENERATORS, "mock", Late())
    user_id = new_user(5)
    with pytest.raises(GenerationFailed):
        generation.create(order(user_id), ANYBODY)
    (request,) = requests_of(client, user_id)
    assert (request["status"], request["imageUrl"]) == ("failed", None)
    assert "late result dropped" in capsys.readouterr().out
    assert check_books(client, user_id, opening=5) == 5


def test_a_process_killed_between_charge_and_settle_loses_nobody_a_credit(
    client: firestore.Client, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = new_user(5)
    program = (
        "from support.orders import ANYBODY, order;"
        "from imagegen.generation.create import create;"
        f"create(order({user_id!r}, model='Slow Model'), ANYBODY)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=FUNCTIONS,
        env={**os.environ, "PYTHONPATH": f"{FUNCTIONS}:{FUNCTIONS / 'tests'}"},
        stdout=subprocess.DEVNULL,
    )
    for _ in range(200):
        if requests_of(client, user_id):
            break
        time.sleep(0.1)
    process.kill()
    process.wait()
    assert [request["status"] for request in requests_of(client, user_id)] == ["pending"]
    moment = now() + timedelta(minutes=10)
    monkeypatch.setattr(clock, "now", lambda: moment)
    recovery.recover()
    assert check_books(client, user_id, opening=5) == 5
