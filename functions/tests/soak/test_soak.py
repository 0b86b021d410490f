"""Mixed traffic through faults and kills; then the audit, and every answer held against Firestore.

SOAK_SECONDS says for how long (`make soak SECONDS=1800`), SOAK_FAULTS which share of RPCs fails.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import httpx
import pytest
from google.cloud import firestore
from stripe_stub.prices import PRODUCTS
from support import projects
from support.books import ledger_of
from support.manifest import parameters
from support.orders import now
from support.paths import FUNCTIONS
from support.proxy import FirestoreProxy

from imagegen import clock, db
from imagegen.firestore import client as firestore_client
from imagegen.generation import recovery
from soak.harm import FAULTS, Misfortune, Server
from soak.task_queue import TaskQueue
from soak.traffic import CREATE, PACK_CREDITS, SECRET, Client, Journal

SECONDS = float(os.environ.get("SOAK_SECONDS", "20"))
SHARE = float(os.environ.get("SOAK_FAULTS", "0.35"))
CLIENTS, USERS = 32, 20
OPENING = 20 + int(SECONDS)  # some run out of credits
KILL_SECONDS = min(60.0, SECONDS / 4)  # between two kills
SCHEDULE_SECONDS = 20  # between two runs of recovery
PROJECT = "demo-soak"
REQUESTS = "generationRequests"
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


def storm(server: Server, users: list[str]) -> tuple[Journal, int]:
    """Traffic from many clients, with recovery by its schedule; how often the server was killed."""
    journal, kills = Journal(), 0
    began = time.monotonic()
    until = began + SECONDS
    stopped = threading.Event()

    def scheduled() -> None:
        while not stopped.wait(SCHEDULE_SECONDS):
            with suppress(httpx.TransportError):  # killed, or not there again yet
                httpx.post(f"{server.url}recoverLostGenerations", json={}, timeout=280)

    with ThreadPoolExecutor(CLIENTS + 1) as pool:
        schedule = pool.submit(scheduled)
        clients = [Client(server.url, users, journal, seed) for seed in range(CLIENTS)]
        running = [pool.submit(client.act, until) for client in clients]
        while time.monotonic() + KILL_SECONDS < until:
            time.sleep(KILL_SECONDS)
            server.kill()
            server.start()
            kills += 1
        for each in running:
            each.result()
        stopped.set()
        schedule.result()
    return journal, kills


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
        charged = [each for each in responses if each.status_code != 402]
        if not charged:
            continue
        final = [each for each in charged if each.status_code != 202]
        bodies = [each.json() for each in final or charged]
        best = bodies[0]
        assert all(each == best for each in bodies), key
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
    """Each payment was booked once, however often it was told."""
    paid = Counter(event["app_user_id"] for event in journal.purchases)
    for user_id, count in paid.items():
        booked = [each for each in ledger_of(client, user_id) if each["type"] == "purchase"]
        assert [each["credits"] for each in booked] == [PACK_CREDITS] * count


def test_through_faults_and_kills_the_books_are_right_and_the_answers_true(
    database: firestore.Client,
    network: FirestoreProxy,
    server: Server,
    queue: TaskQueue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    users = [f"user-{number}" for number in range(USERS)]
    for user_id in users:
        database.document(db.user(user_id)).set({"credits": OPENING})
    misfortune = Misfortune(SHARE)
    network.fault_for = misfortune
    journal, kills = storm(server, users)
    assert set(misfortune.drawn) == set(FAULTS)
    network.reset()
    report(journal, misfortune, kills, queue)
    queue.drain(timeout_seconds=120)

    for statement in journal.statements:
        check_statement(statement)
    # What died after its charge is settled when its time is over; its client asks once more then.
    with monkeypatch.context() as later:
        moment = now() + timedelta(minutes=20)
        later.setattr(clock, "now", lambda: moment)
        recovery.recover()
    patient = Client(server.url, users, Journal(), seed=0)
    told: dict[str, list[httpx.Response]] = defaultdict(list)
    for body, response in journal.orders:
        final = response or patient.settled(CREATE, body)
        assert final is not None
        told[body["idempotencyKey"]].append(final)
    for event in journal.unanswered:
        assert patient.tell(event) is not None
    assert {each.status_code for every in told.values() for each in every} >= {200, 202, 500}
    check_answers(database, told)
    check_purchases(database, journal)
    assert projects.findings(database) == []
    assert not [*projects.requests_with(database, "pending")]


def report(journal: Journal, misfortune: Misfortune, kills: int, queue: TaskQueue) -> None:
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
    ]
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
    sys.stdout.flush()
