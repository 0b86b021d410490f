"""What is still quick when there is much of it: recovery, histories, the weekly report.

    functions/venv/bin/python bench/run.py scale        # part of `make bench`, about 5 minutes
    functions/venv/bin/python bench/run.py deletion     # of a user with 50,000 requests

Each measured run is a process of its own. Recovery and histories run on the emulator; the report of
a million requests on a stand-in that makes them (`generated_firestore.py`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / each) for each in ("functions", "tools", "functions/tests")]

import grpc
from imagegen import db, tasks
from imagegen.generation import recovery
from imagegen.report import weekly
from support import projects
from support.orders import ANYBODY

import report as report_bench
import scale_data
from prices import PRICES

PROJECT = "demo-scale"
EXPIRED, USERS_OF_EXPIRED = 10_000, 500
OF_ONE_USER = 1000  # expired requests
HISTORIES = (100, 10_000, 100_000)
PAGE, CALLS = 20, 5  # of which the median is told
EMULATOR_SECONDS = 120.0  # it keeps no index, and reads a whole history for each page
DELETED = 2000
DELETED_WHEN_ASKED = 50_000  # what the emulator scans grows with the square
REPORTS = (100_000, 1_000_000)
AGGREGATIONS_OF_A_REQUEST = 3  # see month.py


def scale() -> dict[str, Any]:
    """All of it, each part told as it ends."""
    print("\nScale", flush=True)
    return {
        "recovery": [_recovery(EXPIRED, USERS_OF_EXPIRED), _recovery(OF_ONE_USER, 1)],
        "histories": [_history(entries) for entries in HISTORIES],
        "deletions": [_deletion(DELETED)],
        "reports": [_report(requests) for requests in REPORTS],
    }


def large_deletion() -> dict[str, Any]:
    """The account of a user with a long history; not part of the others, as it takes long."""
    return _deletion(DELETED_WHEN_ASKED)


def _recovery(expired: int, users: int) -> dict[str, Any]:
    """One run of recovery over requests that were charged and lost."""
    client = projects.fresh(PROJECT, {})
    scale_data.write(client, scale_data.lost_requests(expired, users))
    row = _in_a_process("recover") | {"requests": expired, "users": users}
    assert row.pop("settled") == expired
    assert projects.balances(client) == {scale_data.OPENING}, "not all was refunded"
    print(
        f"  recovery of {expired:,} requests of {users:,} users: {row['seconds']:.1f} s, "
        f"{row['rpcs']:,} RPCs, {row['megabytes']:.0f} MB above the start",
        flush=True,
    )
    return row


def _history(entries: int) -> dict[str, Any]:
    """A page of the statement and of the requests of a user with so many of both."""
    client = projects.fresh(PROJECT, {})
    scale_data.write(client, scale_data.history_of("ann", entries))
    row = _in_a_process("pages") | {"entries": entries}
    for name in ("statement", "listing"):
        found = row[name]
        print(
            f"  {name} of {entries:,}: {found['rpcs']} RPCs, {found['documents']} documents, "
            f"{found['ms']:.0f} ms on the emulator",
            flush=True,
        )
    return row


def _deletion(requests: int) -> dict[str, Any]:
    """The account of a user with so many requests and entries, deleted by the worker's tasks."""
    client = projects.fresh(PROJECT, {})
    scale_data.write(client, scale_data.history_of("ann", requests))
    row = _in_a_process("delete") | {"requests": requests}
    left = [*client.collection("users/ann/transactions").limit(1).stream()]
    assert (row["status"], left) == ("closed", [])
    print(
        f"  deletion of a user with {requests:,} requests: {row['seconds']:.0f} s, "
        f"{row['tasks']} tasks, {row['rpcs']:,} RPCs, {row['megabytes']:.0f} MB above the start",
        flush=True,
    )
    return row


def _report(requests: int) -> dict[str, Any]:
    """The report of a week with so many requests, made by its own code."""
    with _generated(requests) as address:
        row = _in_a_process("report", FIRESTORE_EMULATOR_HOST=address)
    assert (row["requests"], row["warnings"]) == (requests, [])
    reads = row["documents"] + requests * AGGREGATIONS_OF_A_REQUEST / 1000
    row["dollars"] = reads * PRICES["reads"].dollars
    print(
        f"  report of {requests:,} requests: {row['seconds']:.0f} s, {row['rpcs']} RPCs, "
        f"{row['megabytes']:.0f} MB above the start, ${row['dollars']:.2f}",
        flush=True,
    )
    return row


@contextmanager
def _generated(requests: int) -> Iterator[str]:
    command = [sys.executable, str(ROOT / "bench" / "generated_firestore.py"), str(requests)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def _in_a_process(what: str, **changes: str) -> dict[str, Any]:
    environment = {"GCLOUD_PROJECT": PROJECT, "REPORT_TIME_ZONE": "UTC", "REPORT_WEBHOOK_URL": ""}
    command = [sys.executable, __file__, what]
    output = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, env={**os.environ, **environment, **changes}
    ).stdout
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return result


def measured(what: str) -> dict[str, Any]:
    """One of the runs, in this process, where nothing has run before but the imports."""
    calls = report_bench.Calls()
    grpc.insecure_channel = calls.counting(grpc.insecure_channel)
    ways: dict[str, Callable[[], dict[str, Any]]] = {
        "recover": lambda: {"settled": recovery.recover()},
        "pages": lambda: _pages(calls),
        "report": _weekly_report,
        "delete": _deleted,
    }
    db.client()
    before = report_bench.memory("VmRSS")
    began = time.monotonic()
    result = ways[what]()
    return {
        "seconds": time.monotonic() - began,
        "megabytes": (report_bench.memory("VmHWM") - before) / 1024,
        "rpcs": calls.rpcs,
        "documents": calls.documents,
        **result,
    }


def _weekly_report() -> dict[str, Any]:
    return report_bench.outline(weekly.run(week=report_bench.WEEK))


def _deleted() -> dict[str, Any]:
    from imagegen.accounts import closing, delete, worker  # noqa: PLC0415
    from imagegen.credits import closures  # noqa: PLC0415

    _give_the_emulator_time()
    path, runs = closures.path("ann"), 0
    with (
        mock.patch.object(tasks, "_send"),
        mock.patch.object(worker, "_emails", return_value=["ann@example.org"]),
        mock.patch.object(worker, "_delete_sign_in"),
        mock.patch.object(closing, "QUIET", timedelta(0)),  # its last pass is measured as well
    ):
        delete.delete_for("ann", reason="a benchmark", by="bench")
        while (document := db.read(path)[0])["status"] != closures.ClosureStatus.CLOSED:
            worker.close(document.id)
            runs += 1
    return {"status": document["status"], "tasks": runs}


def _give_the_emulator_time() -> None:
    setattr(db, "RPC_TIMEOUT_SECONDS", EMULATOR_SECONDS)  # noqa: B010
    setattr(db, "DEADLINE_SECONDS", EMULATOR_SECONDS)  # noqa: B010


def _pages(calls: report_bench.Calls) -> dict[str, Any]:
    from imagegen.credits.endpoints import GetUserCredits, get_user_credits  # noqa: PLC0415
    from imagegen.generation.endpoints import (  # noqa: PLC0415
        ListGenerationRequests,
        list_generation_requests,
    )

    _give_the_emulator_time()
    statement = GetUserCredits(user_id="ann", page_size=PAGE)
    listing = ListGenerationRequests(user_id="ann", page_size=PAGE)
    reads: dict[str, Callable[[], object]] = {
        "statement": lambda: get_user_credits(statement, ANYBODY),
        "listing": lambda: list_generation_requests(listing, ANYBODY),
    }
    return {name: _timed(read, calls) for name, read in reads.items()}


def _timed(read: Callable[[], object], calls: report_bench.Calls) -> dict[str, Any]:
    """RPCs and documents of one call, and the median of several calls' time."""
    read()
    rpcs, documents = calls.rpcs, calls.documents
    times = []
    for _ in range(CALLS):
        began = time.perf_counter()
        read()
        times.append(time.perf_counter() - began)
    return {
        "rpcs": (calls.rpcs - rpcs) // CALLS,
        "documents": (calls.documents - documents) // CALLS,
        "ms": 1000 * sorted(times)[CALLS // 2],
    }


if __name__ == "__main__":
    print(json.dumps(measured(sys.argv[1])))
