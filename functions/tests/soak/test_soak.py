"""Mixed traffic through faults and kills; then the audit, and every answer held against Firestore.

SOAK_SECONDS says for how long (`make soak SECONDS=1800`), SOAK_FAULTS which share of RPCs fails.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from google.cloud import firestore
from stripe_stub.prices import PRODUCTS
from support import projects
from support.books import account_of, check_books, ledger_of
from support.leaving import closure_of, tombstone_of
from support.manifest import parameters
from support.orders import now
from support.paths import FUNCTIONS
from support.proxy import FirestoreProxy

from imagegen import clock, db
from imagegen.accounts import worker
from imagegen.credits import closures
from imagegen.errors import BackendUnavailable
from imagegen.firestore import client as firestore_client
from imagegen.generation import recovery
from soak.harm import FAULTS, Misfortune, Server
from soak.leaver import Leaver
from soak.task_queue import TaskQueue
from soak.traffic import CREATE, PACK_CREDITS, SECRET, Client, Journal, has_left

SECONDS = float(os.environ.get("SOAK_SECONDS", "60"))  # in which the server answers
SHARE = float(os.environ.get("SOAK_FAULTS", "0.05"))
CLIENTS, USERS, LEAVERS = 32, 20, 3
OPENING = 20 + int(SECONDS)  # some run out of credits
KILL_SECONDS = min(60.0, SECONDS / 4)  # between two kills
SCHEDULE_SECONDS = min(20.0, SECONDS / 4)  # between two runs of recovery
# Between two accounts of a leaver: each takes seconds to look at in the end.
REST_SECONDS = SECONDS / 60
PROJECT = "demo-soak"
REQUESTS = "generationRequests"
REFUSED = {402, 404, 409}
MODELS = {
    "Sure Model": {"generator": "mock", "failureRate": 0.0},
    "Doomed Model": {"generator": "mock", "failureRate": 1.0},
}


@pytest.fixture
def database(emulator: str, monkeypatch: pytest.MonkeyPatch) -> firestore.Client:
    """A project that is the soak's alone, so that all of it can be audited."""
    monkeypatch.setenv("GCLOUD_PROJECT", PROJECT)
    made = projects.fresh(PROJECT, MODELS)
    for path, fields in PRODUCTS.items():
        made.document(path).set(fields)
    monkeypatch.setattr(firestore_client, "_client", made)
    return made


@pytest.fixture
def queue() -> Iterator[TaskQueue]:
    made = TaskQueue()
    yield made
    made.stop()


@pytest.fixture
def network(emulator: str) -> Iterator[FirestoreProxy]:
    between = FirestoreProxy(emulator)
    yield between
    between.stop()


@pytest.fixture
def server(
    database: firestore.Client, network: FirestoreProxy, queue: TaskQueue
) -> Iterator[Server]:
    running = Server(
        os.environ
        | {
            "GCLOUD_PROJECT": PROJECT,
            "FIRESTORE_EMULATOR_HOST": network.address,
            "CLOUD_TASKS_EMULATOR_HOST": queue.address,
            "PYTHONPATH": str(FUNCTIONS),
            "THREADS": parameters()["THREADS"],
            "RATE_LIMIT_PER_MINUTE": "0",
            "ASYNC_ATTEMPT_SECONDS": "5",  # the lease of a worker that is killed ends soon
            "PAYMENTS": "revenuecat",
            "REVENUECAT_WEBHOOK_SECRET": SECRET,
        }
    )
    queue.url = running.url
    yield running
    running.kill()


def storm(
    server: Server, users: list[str], open_account: Callable[[str], None]
) -> tuple[Journal, int]:
    """Traffic from many clients, with recovery by its schedule; how often the server was killed."""
    journal, stopped = Journal(), threading.Event()
    kills = round(SECONDS / KILL_SECONDS) - 1

    def scheduled() -> None:
        while not stopped.wait(SCHEDULE_SECONDS):
            for function in ("recoverLostGenerations", "recoverEvents"):
                with suppress(httpx.TransportError):  # killed, or not there again yet
                    httpx.post(f"{server.url}{function}", json={}, timeout=280)

    with ThreadPoolExecutor(CLIENTS + LEAVERS + 1) as pool:
        schedule = pool.submit(scheduled)
        seeds = range(CLIENTS + LEAVERS)  # one each: their keys follow from them
        clients = [
            *(Client(server.url, users, journal, stopped, seed) for seed in seeds[:CLIENTS]),
            *(
                Leaver(server.url, open_account, journal, stopped, seed, REST_SECONDS)
                for seed in seeds[CLIENTS:]
            ),
        ]
        running = [pool.submit(client.act) for client in clients]
        try:
            for _ in range(kills):
                time.sleep(KILL_SECONDS)
                server.kill()
                server.start()
            time.sleep(KILL_SECONDS)
        finally:
            stopped.set()
        for each in [*running, schedule]:
            each.result()
    return journal, kills


def tried_again(work: Callable[[], object], tries: int = 5) -> None:
    """Do it as a queue does: the emulator scans all requests for a page of one user's."""
    for _ in range(tries - 1):
        with suppress(BackendUnavailable):
            work()
            return
    work()


def check_statement(response: httpx.Response) -> None:
    """Balance and entries belong to one moment, whatever happens around them."""
    seen = response.json()
    changes = [
        -entry["credits"] if entry["type"] == "deduction" else entry["credits"]
        for entry in seen["transactions"]
    ]
    assert seen["currentCredits"] >= 0
    assert "nextPageToken" in seen or seen["currentCredits"] == OPENING + sum(changes)


def check_answers(client: firestore.Client, told: dict[str, list[httpx.Response]]) -> None:
    """What the clients were told of each order is what is stored."""
    requests = {each.id: each.to_dict() or {} for each in client.collection(REQUESTS).stream()}
    for key, responses in told.items():
        charged = [each for each in responses if each.status_code not in REFUSED]
        if not charged:
            continue
        final = [each for each in charged if each.status_code != 202]
        bodies = [each.json() for each in final or charged]
        best = bodies[0]
        assert all(each == best for each in bodies), (key, bodies)
        details = best["error"]["details"] if "error" in best else best
        assert "generationRequestId" in details, best
        stored = requests[details["generationRequestId"]]
        if not final:
            assert stored["status"] in {"completed", "failed", "canceled"}
        elif "error" not in best:
            assert (stored["status"], stored["credits"]) == ("completed", best["deductedCredits"])
        else:
            assert stored["status"] in {"failed", "canceled"}
            assert stored["credits"] == details["refundedCredits"]


def check_purchases(client: firestore.Client, journal: Journal) -> None:
    """Each payment was booked once, however often it was told, and whoever has left meanwhile."""
    paid = Counter(event["app_user_id"] for event in journal.purchases)
    for user_id, count in paid.items():
        holder = tombstone_of(client, user_id) if user_id in journal.left else user_id
        booked = [each for each in ledger_of(client, holder) if each["type"] == "purchase"]
        assert [each["credits"] for each in booked] == [PACK_CREDITS] * count


def check_departures(client: firestore.Client, journal: Journal) -> None:
    """Accounts that were deleted are gone; what they held adds up under their tombstones."""
    assert journal.left
    for user_id in journal.left:
        assert closure_of(client, user_id)["status"] == "closed"
        gone = account_of(client, user_id)
        assert (gone.user, gone.entries, gone.requests, gone.purchases) == (None, {}, {}, {})
        check_books(client, tombstone_of(client, user_id), OPENING)


def test_through_faults_and_kills_the_books_are_right_and_the_answers_true(
    database: firestore.Client,
    network: FirestoreProxy,
    server: Server,
    queue: TaskQueue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def open_account(user_id: str) -> None:
        database.document(db.user(user_id)).set({"credits": OPENING})

    users = [f"user-{number}" for number in range(USERS)]
    for user_id in users:
        open_account(user_id)
    misfortune = Misfortune(SHARE)
    network.fault_for = misfortune
    journal, kills = storm(server, users, open_account)
    assert set(misfortune.drawn) == set(FAULTS)
    network.reset()
    moved = sum("movedAt" in closure_of(database, each) for each in journal.left)
    report(journal, misfortune, kills, queue, moved)
    queue.drain(timeout_seconds=120 + SECONDS)

    for statement in journal.statements:
        check_statement(statement)
    patient = Leaver(server.url, open_account, Journal(), threading.Event(), seed=0)
    for user_id in journal.left:
        assert patient.leave(user_id) is not None
    # What died after its charge is settled when its time is over; its client asks once more then.
    # An account moves then at the latest; the last pass over it comes 20 minutes later.
    for minutes in (20, 41):
        with monkeypatch.context() as later:
            later.setattr(clock, "now", lambda ahead=timedelta(minutes=minutes): now() + ahead)
            tried_again(recovery.recover)
            for user_id in journal.left:
                tried_again(partial(worker.close, closures.closure_id(user_id)))
    told: dict[str, list[httpx.Response]] = defaultdict(list)
    for body, response in journal.orders:
        final = response or patient.settled(CREATE, body)
        assert final is not None
        assert body["userId"] in journal.left or not has_left(final)
        told[body["idempotencyKey"]].append(final)
    for event in journal.unanswered:
        assert patient.tell(event) is not None
    assert {each.status_code for every in told.values() for each in every} >= {200, 202, 500}
    check_answers(database, told)
    check_purchases(database, journal)
    check_departures(database, journal)
    assert projects.findings(database) == []
    assert not [*projects.requests_with(database, "pending")]


def report(
    journal: Journal, misfortune: Misfortune, kills: int, queue: TaskQueue, moved: int
) -> None:
    """What the clients saw, for docs/benchmarks.md."""
    asked_again = sum(response is None for _, response in journal.orders)
    lines: list[Any] = [
        f"{SECONDS:.0f} s, {journal.answers.total():,} calls, {kills} kills, "
        f"{misfortune.drawn.total():,} faults in {misfortune.asked:,} RPCs, "
        f"{queue.delivered:,} deliveries of tasks",
        *journal.told(),
        f"answered 503 or not at all: {journal.unavailable():.2%} of the calls; "
        f"not settled after all tries: {asked_again} of {len(journal.orders):,} orders, "
        f"{len(journal.unanswered)} of {len(journal.purchases)} purchases",
        f"deleted accounts: {len(journal.left)}, of which {moved} had moved in the meantime",
    ]
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
    sys.stdout.flush()
