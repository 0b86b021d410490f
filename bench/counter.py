"""Counts what calls use: the functions run in this process, through their edge, over a proxy.

The proxy stands before the Firestore emulator. The queue is replaced by a list, whose tasks are
then done as the queue would have them done.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass, replace
from typing import Any
from unittest import mock

import functions_framework
from google.cloud import firestore
from imagegen import event_data, tasks
from imagegen.catalogue import catalogue
from imagegen.firestore import client as firestore_client
from imagegen.generation import worker
from imagegen.notifications import delivery, outbox
from stripe_stub.prices import PRODUCTS
from support import projects

import servers
from meter import Meter
from stored_size import Indexes, document_bytes

PROJECT = "demo-costs"
MODELS = {
    "Sure Model": {"generator": "mock", "failureRate": 0.0},
    "Doomed Model": {"generator": "mock", "failureRate": 1.0},
}
ENVIRONMENT = {
    "GCLOUD_PROJECT": PROJECT,
    "GOOGLE_CLOUD_PROJECT": PROJECT,
    "FUNCTIONS_EMULATOR": "true",  # events may go to this machine
    "AUTH_MODE": "optional",
    "CATALOGUE_TTL_SECONDS": "3600",
    "RATE_LIMIT_PER_MINUTE": "60",
    "MOCK_FAILURE_RATE": "",
    "LOW_BALANCE": "0",
    "PAYMENTS": "revenuecat",
    "REVENUECAT_WEBHOOK_SECRET": "a secret",
    "REPORT_WEBHOOK_URL": "",
}


@dataclass(frozen=True)
class Usage:
    """What is billed of an operation. Waits for a model are counted here and priced elsewhere."""

    rpcs: float = 0
    reads: float = 0  # documents, and one for a query or an aggregation that finds nothing
    writes: float = 0
    deletes: float = 0  # those by time to live, which follow later, too
    invocations: float = 0
    model_waits: float = 0
    task_operations: float = 0  # a task is two: it is made, and it is delivered
    sent_bytes: float = 0  # to clients and to webhooks
    stored_bytes: float = 0  # that stay, with their index entries

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __mul__(self, times: float) -> Usage:
        return Usage(*(times * each for each in astuple(self)))


class Counter:
    """Counts what a call uses, and what the tasks that it makes use."""

    def __init__(self, meter: Meter, client: firestore.Client) -> None:
        self._meter, self.client = meter, client
        self._apps: dict[tuple[str, str], Any] = {}
        self._indexes = Indexes()
        self.queue: list[tuple[str, Mapping[str, str]]] = []
        self.answer: dict[str, Any] = {}  # the last one
        self.reset()

    def user(self, credits: int = 1000, **fields: Any) -> str:
        """A new user with so many credits; the id."""
        user_id = uuid.uuid4().hex[:28]  # as long as Firebase's
        self.client.document(f"users/{user_id}").set({"credits": credits} | fields)
        return user_id

    def reset(self) -> None:
        self._meter.reset()
        self._meter.created.clear()
        self._meter.deleted = self._meter.extra_reads = 0

    def call(self, function: str, body: Mapping[str, Any], **options: Any) -> Usage:
        """One call over HTTP; `side` says whose function it is, `status` what it answers."""
        side, status = options.pop("side", "ours"), options.pop("status", 200)
        if (side, function) not in self._apps:
            source = str(servers.SIDES[side] / "main.py")
            self._apps[side, function] = functions_framework.create_app(function, source)
        client = self._apps[side, function].test_client()
        answer = client.post("/", json=body, headers=options.pop("headers", {}))
        if answer.status_code != status:
            raise AssertionError(
                f"{function}: {answer.status_code} {answer.get_data(as_text=True)}"
            )
        self.answer = answer.get_json()
        waits = float(function == "createGenerationRequest" and status in (200, 500))
        headers = sum(len(name) + len(value) + 4 for name, value in answer.headers)
        sent = headers + len(answer.get_data())
        return replace(self.used(), model_waits=waits, sent_bytes=sent)

    def work(self) -> Usage:
        """The tasks that were made since the last time, each as an invocation."""
        total = Usage()
        while self.queue:
            function, data = self.queue.pop(0)
            if function == tasks.WORKER:
                worker.process(data)
            else:
                delivery.deliver(data, event_data.of)
            waits = float(function == tasks.WORKER)
            total += replace(self.used(), model_waits=waits, task_operations=2)
        return total

    def used(self) -> Usage:
        """What was used since the last time."""
        stored = deletes = 0
        for path in self._meter.created:
            fields = self.client.document(path).get().to_dict() or {}
            stored += document_bytes(path, fields) + self._indexes.entry_bytes(path, fields)
            deletes += self._indexes.has_time_to_live(path.split("/")[-2])
        traffic = self._meter.traffic
        usage = Usage(
            rpcs=traffic.total_rpcs,
            reads=traffic.documents_read + self._meter.extra_reads,
            writes=traffic.documents_written - self._meter.deleted,
            deletes=self._meter.deleted + deletes,
            invocations=1,
            stored_bytes=stored,
        )
        self.reset()
        return usage


@contextmanager
def counter() -> Iterator[Counter]:
    """A project with a catalogue, on the emulator that the environment names, and its counter."""
    with ExitStack() as until_done:
        until_done.enter_context(mock.patch.dict(os.environ, ENVIRONMENT))
        client = projects.fresh(PROJECT, MODELS)
        for path, fields in PRODUCTS.items():
            client.document(path).set(fields)
        meter = Meter(os.environ["FIRESTORE_EMULATOR_HOST"])
        until_done.callback(meter.stop)
        through = {"FIRESTORE_EMULATOR_HOST": meter.address}
        until_done.enter_context(mock.patch.dict(os.environ, through))
        counted = firestore.Client(project=PROJECT)
        until_done.callback(counted.close)
        until_done.enter_context(mock.patch.object(firestore_client, "_client", counted))
        made = Counter(meter, client)

        def send(function: str, data: Mapping[str, str], *_: object) -> None:
            made.queue.append((function, data))

        until_done.enter_context(mock.patch.object(tasks, "_send", send))
        until_done.callback(catalogue.forget)
        until_done.callback(outbox.forget)
        yield made
