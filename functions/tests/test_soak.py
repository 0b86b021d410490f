"""The real thing: servers with threads, a network that fails, a server that is killed; then audit.

Clients over HTTP behave as real ones do: each order has an idempotency key, and is sent again,
unchanged, until an answer settles it. SOAK_REQUESTS says how many calls (`make soak`: 2,000).
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import grpc
import httpx
import psutil
import pytest
from google.cloud import firestore
from support.books import check_books, requests_of
from support.manifest import parameters
from support.orders import now, order_body
from support.paths import FUNCTIONS
from support.proxy import Fault, FirestoreProxy
from support.servers import free_port, kill, wait_for

from imagegen import clock, db
from imagegen.generation import recovery

REQUESTS = int(os.environ.get("SOAK_REQUESTS", "400"))
CLIENTS, USERS, OPENING, KILLS = 32, 20, REQUESTS // 25, 3
SHARE = 0.05  # of all RPCs, for each kind of fault
FAULTS = (
    Fault(grpc.StatusCode.UNAVAILABLE),
    Fault(grpc.StatusCode.UNAVAILABLE, reply_lost=True),
    Fault(grpc.StatusCode.ABORTED),
    Fault(grpc.StatusCode.DEADLINE_EXCEEDED),
    Fault(grpc.StatusCode.DEADLINE_EXCEEDED, reply_lost=True, delay_seconds=0.3),
    Fault(grpc.StatusCode.INTERNAL, reply_lost=True),
    Fault(grpc.StatusCode.RESOURCE_EXHAUSTED),
)
SETTLED = {200, 402, 500}  # an image; too few credits; failed and refunded
UNSETTLED = {409, 503}  # at work, or out of reach: ask again
TRIES = 12
PAUSE_SECONDS = 0.25  # between two of them
Call = dict[str, Any]


class Misfortune:
    """Draws a fault, or none, for an RPC; the proxy asks from many threads."""

    def __init__(self) -> None:
        self._chance = random.Random(11)
        self._lock = threading.Lock()
        self.drawn: Counter[Fault] = Counter()

    def __call__(self, rpc: str) -> Fault | None:
        with self._lock:
            place = int(self._chance.random() / SHARE)
            if place >= len(FAULTS):
                return None
            self.drawn[FAULTS[place]] += 1
            return FAULTS[place]


class Server:
    """One function behind functions-framework, always on the same port."""

    def __init__(self, function: str) -> None:
        self._function, self._port = function, free_port()
        self.url = f"http://127.0.0.1:{self._port}/"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "functions_framework", "--source", "main.py"]
        where = ["--host", "127.0.0.1", "--port", str(self._port)]
        self._process = psutil.Popen(
            [*command, "--target", self._function, *where],
            cwd=FUNCTIONS,
            env={**os.environ, "RATE_LIMIT_PER_MINUTE": "0", "THREADS": parameters()["THREADS"]},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for(self.url)

    def kill(self) -> None:
        kill(self._process)


@pytest.fixture
def servers(proxy: FirestoreProxy) -> Iterator[dict[str, Server]]:
    running: dict[str, Server] = {}
    try:
        for function in ("createGenerationRequest", "getUserCredits"):
            running[function] = Server(function)
        yield running
    finally:
        for each in running.values():
            each.kill()


def mixed_calls(users: list[str]) -> list[tuple[str, Call]]:
    """Four orders for each look at the credits; some orders are sent twice at the same time."""
    chance = random.Random(5)
    calls: list[tuple[str, Call]] = []
    while len(calls) < REQUESTS:
        user_id = chance.choice(users)
        if chance.random() < 0.2:
            # All entries on one page, also of a long soak.
            calls.append(("getUserCredits", {"userId": user_id, "pageSize": 1000}))
            continue
        order = order_body(
            user_id,
            model=chance.choices(["Sure Model", "Doomed Model"], [4, 1])[0],
            size=chance.choices(["512x512", "1024x1024"], [3, 1])[0],
            idempotencyKey=uuid.uuid4().hex,
        )
        calls += [("createGenerationRequest", order)] * chance.choices([1, 2], [9, 1])[0]
    return calls


def answered(url: str, body: Call) -> httpx.Response | None:
    """What a patient client ends up with: the answer that settles the call, or None."""
    for _ in range(TRIES):
        try:
            response = httpx.post(url, json=body, timeout=60)
        except httpx.TransportError:
            pass  # killed, or not there again yet
        else:
            if response.status_code in SETTLED:
                return response
            assert response.status_code in UNSETTLED, response.text
        time.sleep(PAUSE_SECONDS)
    return None


def storm(
    servers: dict[str, Server], calls: list[tuple[str, Call]]
) -> list[tuple[str, Call, httpx.Response | None]]:
    """Make all calls from many clients, and kill the server that takes the orders in between."""
    done = threading.Semaphore(0)

    def one(call: tuple[str, Call]) -> tuple[str, Call, httpx.Response | None]:
        function, body = call
        try:
            return function, body, answered(servers[function].url, body)
        finally:
            done.release()

    with ThreadPoolExecutor(CLIENTS) as clients:
        running = [clients.submit(one, call) for call in calls]
        for _ in range(KILLS):
            for _ in range(len(calls) // (KILLS + 1)):
                done.acquire()
            servers["createGenerationRequest"].kill()
            servers["createGenerationRequest"].start()
        return [each.result() for each in running]


def check_statement(response: httpx.Response) -> None:
    """Balance and entries belong to one moment, whatever happens around them."""
    assert response.status_code == 200
    seen = response.json()
    changes = [
        -entry["credits"] if entry["type"] == "deduction" else entry["credits"]
        for entry in seen["transactions"]
    ]
    assert seen["currentCredits"] == OPENING + sum(changes) >= 0


def check_answers(client: firestore.Client, told: dict[str, list[httpx.Response]]) -> None:
    """What the clients were told of each order is what is stored."""
    for key, responses in told.items():
        best = min(responses, key=lambda response: response.status_code)
        if best.status_code == 402:
            continue
        body = best.json()
        details = body if best.status_code == 200 else body["error"]["details"]
        request = client.document(db.generation_request(details["generationRequestId"])).get()
        stored = request.to_dict() or {}
        if best.status_code == 200:
            assert (stored["status"], stored["credits"]) == ("completed", body["deductedCredits"])
        else:
            assert (stored["status"], stored["credits"]) == ("failed", details["refundedCredits"])
        assert {each.json() == body for each in responses if each.status_code != 402} == {True}, key


def test_through_faults_and_kills_the_books_are_right_and_the_answers_true(
    client: firestore.Client,
    proxy: FirestoreProxy,
    servers: dict[str, Server],
    new_user: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    users = [new_user(OPENING) for _ in range(USERS)]
    misfortune = Misfortune()
    proxy.fault_for = misfortune
    outcomes = storm(servers, mixed_calls(users))
    assert set(misfortune.drawn) == set(FAULTS)
    proxy.reset()

    for function, _, response in outcomes:
        if function == "getUserCredits" and response is not None:
            check_statement(response)
    orders = [each for each in outcomes if each[0] == "createGenerationRequest"]
    # What died after its charge is settled when its time is over; its client asks once more then.
    with monkeypatch.context() as later:
        moment = now() + timedelta(minutes=20)
        later.setattr(clock, "now", lambda: moment)
        recovery.recover()
    told: dict[str, list[httpx.Response]] = {}
    for function, body, response in orders:
        final = response or answered(servers[function].url, body)
        assert final is not None
        told.setdefault(body["idempotencyKey"], []).append(final)
    check_answers(client, told)
    for user_id in users:
        check_books(client, user_id, opening=OPENING)
        assert not [r for r in requests_of(client, user_id) if r["status"] == "pending"]
    kinds = Counter(response.status_code for each in told.values() for response in each)
    asked_again = sum(response is None for _, _, response in orders)
    faults = misfortune.drawn.total()
    sys.stdout.write(f"{faults} faults, {dict(kinds)}, asked again in the end: {asked_again}\n")
    assert set(kinds) == SETTLED
