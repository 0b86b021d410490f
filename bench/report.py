"""What a weekly report costs at N requests a week, beside the naive way of making one.

    FIRESTORE_EMULATOR_HOST=127.0.0.1:8080 functions/venv/bin/python bench/report.py [N ...]

Each way runs in a fresh process: first the naive one (one query, `stream()`, every document whole
through `to_dict()`, the same fold; no checks, no history, nothing stored), then the report as it is
deployed. "documents" are those that queries and reads returned or found missing; aggregations are
billed apart, one read for up to 1,000 index entries each.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functions"))

from imagegen import db
from imagegen.report import weekly
from imagegen.report.document import WeeklyReport
from imagegen.report.numbers import Request, Tally

PROJECT = "demo-bench-report"
WEEK, MONDAY = "2026-W10", datetime(2026, 3, 2, tzinfo=UTC)
SIZES = (1_000, 10_000, 50_000)
BATCH = 400
COLUMNS = ("N", "way", "seconds", "RPCs", "documents", "memory above start", "faster")


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(measured(sys.argv[2])))
        return
    if "FIRESTORE_EMULATOR_HOST" not in os.environ:
        sys.exit("Set FIRESTORE_EMULATOR_HOST to an emulator: this benchmark empties a project.")
    print("{:>7} {:7} {:>8} {:>5} {:>10} {:>19} {:>7}".format(*COLUMNS))
    for n in [int(each) for each in sys.argv[1:]] or SIZES:
        expected = seed(n)
        naive = in_a_process("naive")
        # The second run finds in the first one's report what its top spenders spent before, as next
        # week's report would.
        runs = {"naive": naive, "report": in_a_process("report"), "again": in_a_process("report")}
        for way, each in runs.items():
            assert (each["requests"], each["credits"]) == (n, expected)
            assert not each.get("warnings"), each["warnings"]
            print(
                f"{n:7,} {way:7} {each['seconds']:8.2f} {each['rpcs']:5} {each['documents']:10,} "
                f"{each['megabytes']:16.1f} MB {naive['seconds'] / each['seconds']:6.1f}x",
                flush=True,
            )
    empty()


def in_a_process(way: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--child", way]
    environment = {**os.environ, "GCLOUD_PROJECT": PROJECT, "REPORT_TIME_ZONE": "UTC"}
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return result


def measured(way: str) -> dict[str, Any]:
    """One way, run once in this process, where nothing has run before but the imports."""
    calls = Calls()
    grpc.insecure_channel = calls.counting(grpc.insecure_channel)
    ways: dict[str, Callable[[], dict[str, Any]]] = {
        "naive": lambda: naive(db.client()),
        "report": lambda: outline(weekly.run(week=WEEK)),
    }
    db.client()
    before = memory("VmRSS")
    began = time.monotonic()
    result = ways[way]()
    return {
        **result,
        "seconds": time.monotonic() - began,
        "megabytes": (memory("VmHWM") - before) / 1024,
        "rpcs": calls.rpcs,
        "documents": calls.documents,
    }


def outline(report: WeeklyReport) -> dict[str, Any]:
    return {
        "requests": report.totals.requests,
        "credits": report.totals.credits_net,
        "warnings": [each.message for each in report.data_quality if each.severity != "info"],
    }


def naive(client: firestore.Client) -> dict[str, Any]:
    tally = Tally()
    week = (
        client.collection("generationRequests")
        .where(filter=FieldFilter("createdAt", ">=", MONDAY))
        .where(filter=FieldFilter("createdAt", "<", MONDAY + timedelta(days=7)))
    )
    for snapshot in week.stream():
        each = snapshot.to_dict() or {}
        values = (each["model"], each["style"], each["color"], each["size"])
        tally.count(
            Request(snapshot.id, each["userId"], values, each["status"], each["credits"], 0)
        )
    return {"requests": tally.numbers.requests, "credits": tally.numbers.credits_net}


class Calls:
    """Counts RPCs and the documents in their answers, below the clients."""

    def __init__(self) -> None:
        self.rpcs = 0
        self.documents = 0

    def counting(self, make_channel: Any) -> Any:
        def make(*args: Any, **kwargs: Any) -> Any:
            channel = make_channel(*args, **kwargs)
            for kind in ("unary_unary", "unary_stream"):
                setattr(channel, kind, self._counted(getattr(channel, kind)))
            return channel

        return make

    def _counted(self, make_callable: Any) -> Any:
        def make(
            method: str, request_serializer: Any, response_deserializer: Any, **kwargs: Any
        ) -> Any:
            serialize, parse = self._noting_rpcs(request_serializer), response_deserializer
            if method.endswith(("RunQuery", "BatchGetDocuments")):
                parse = self._noting_documents(parse)
            return make_callable(
                method, request_serializer=serialize, response_deserializer=parse, **kwargs
            )

        return make

    def _noting_rpcs(self, serialize: Any) -> Any:
        def serialize_and_count(request: Any) -> bytes:
            self.rpcs += 1
            return bytes(serialize(request))

        return serialize_and_count

    def _noting_documents(self, parse: Any) -> Any:
        def parse_and_count(data: bytes) -> Any:
            response = parse(data)
            # Google's client has messages of its own around those that are sent; ours has not.
            message = getattr(type(response), "pb", lambda it: it)(response)
            fields = {field.name for field, _ in message.ListFields()}
            self.documents += bool(fields & {"document", "found", "missing"})
            return response

        return parse_and_count


def memory(name: str) -> int:
    """VmRSS (now) or VmHWM (the peak) of this process, in KiB."""
    status = Path("/proc/self/status")
    if not status.exists():  # macOS knows the peak alone, in bytes
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    line = next(each for each in status.read_text().splitlines() if each.startswith(name))
    return int(line.split()[1])


def seed(n: int) -> int:
    """N requests of one week with their ledger and users, a twentieth as many; the net credits."""
    empty()
    client = firestore.Client(project=PROJECT)
    chance = random.Random(n)
    users = [f"user{each:06}" for each in range(max(10, n // 20))]
    weights = [1 / (rank + 5) for rank in range(len(users))]
    owners = chance.choices(users, weights, k=n)
    writes: list[tuple[str, dict[str, Any]]] = [
        (
            f"users/{user}",
            {"credits": 100, "createdAt": MONDAY + timedelta(hours=i % 300 - 132)},
        )
        for i, user in enumerate(users)
    ]
    net = 0
    for owner in owners:
        request_id = f"{chance.getrandbits(128):032x}"
        request = random_request(chance, owner)
        entries = f"users/{owner}/transactions/{request_id}"
        writes.append((f"generationRequests/{request_id}", request))
        writes.append((f"{entries}-deduction", entry(request, "deduction", "createdAt")))
        if request["status"] == "failed":
            writes.append((f"{entries}-refund", entry(request, "refund", "completedAt")))
        else:
            net += request["credits"]
    with ThreadPoolExecutor(4) as writers:
        starts = range(0, len(writes), BATCH)
        list(writers.map(lambda i: commit(client, writes[i : i + BATCH]), starts))
    return net


def random_request(chance: random.Random, owner: str) -> dict[str, Any]:
    # Ends before the week does, so that no refund falls into the next.
    created = MONDAY + timedelta(seconds=chance.random() * (7 * 86_400 - 60))
    size, credits = chance.choice((("512x512", 1), ("1024x1024", 3), ("1024x1792", 4)))
    failed = chance.random() < 0.05
    error = {
        "reason": "MODEL_ERROR",
        "message": "The model gave no image.",
        "retryable": True,
    }
    return {
        "userId": owner,
        "model": chance.choice(("Model A", "Model B")),
        "style": chance.choice(("realistic", "anime", "oil painting", "sketch", "watercolor")),
        "color": chance.choice(("vibrant", "monochrome", "pastel", "neon", "vintage")),
        "size": size,
        "credits": credits,
        "prompt": "A lighthouse at dusk, seen from the sea, with gulls and a far storm. " * 3,
        "status": "failed" if failed else "completed",
        "mode": "sync",
        "imageUrl": None if failed else "https://example.com/images/placeholder.png",
        "error": error if failed else None,
        "attempts": 1,
        "attemptId": f"{chance.getrandbits(128):032x}",
        "createdAt": created,
        "startedAt": created,
        "completedAt": created + timedelta(seconds=5),
        "updatedAt": created + timedelta(seconds=5),
        "expiresAt": created + timedelta(seconds=120),
    }


def entry(request: dict[str, Any], kind: str, when: str) -> dict[str, Any]:
    return {"type": kind, "credits": request["credits"], "timestamp": request[when]}


def commit(client: firestore.Client, writes: list[tuple[str, dict[str, Any]]]) -> None:
    batch = client.batch()
    for path, fields in writes:
        batch.set(client.document(path), fields)
    batch.commit()


def empty() -> None:
    host = os.environ["FIRESTORE_EMULATOR_HOST"]
    url = f"http://{host}/emulator/v1/projects/{PROJECT}/databases/(default)/documents"
    request = urllib.request.Request(url, method="DELETE")
    urllib.request.urlopen(request).close()  # noqa: S310


if __name__ == "__main__":
    main()
