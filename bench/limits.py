"""What a create's processor time consists of: its three RPCs alone, HTTP alone, and a profile.

The RPCs go over bare gRPC, with messages that are serialized beforehand, so nothing that speaks to
Firestore from Python can take less.
"""

from __future__ import annotations

import cProfile
import json
import os
import pstats
import statistics
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from imagegen.firestore import client as ours
from imagegen.firestore.values import encode

import processor
import servers
import speed

CALLS, ROUNDS = 400, 5
WARM_UP_CALLS, PROFILED_CALLS = 200, 1000
DATABASE = f"projects/{servers.PROJECT}/databases/(default)"
FIELDS = {f"field{n:02}": "x" * 24 for n in range(12)}  # about as much as a request
SMALLEST_SHARE = 0.01  # of a profile, that is told


def limits() -> dict[str, Any]:
    """Milliseconds of processor time of the parts, and the shares of a create's profile in %."""
    speed.seed_users()
    with servers.server("floor", "onlyAnswers") as (port, process):
        http = {
            clients: statistics.median(_only_answered(port, process.pid, clients))
            for clients in processor.CLIENTS
        }
    rows = [
        {"clients": clients, "rpcs": _three_rpcs(clients), "http": http[clients]}
        for clients in processor.CLIENTS
    ]
    print(f"\n{'clients':>7} {'three bare RPCs, ms':>20} {'HTTP alone, ms':>15}")
    for row in rows:
        print(f"{row['clients']:7} {row['rpcs']:20.2f} {row['http']:15.2f}")
    shares = {name: _profiled(name) for name in ("create", "refusal")}
    for name, of in shares.items():
        print(f"\n{name}:", ", ".join(f"{package} {share:.0f} %" for package, share in of.items()))
    return {"parts": rows, "profile": shares}


def _only_answered(port: int, group: int, clients: int) -> list[float]:
    return [
        processor.milliseconds(port, group, clients, lambda user: {"userId": user})
        for _ in range(ROUNDS)
    ]


def _three_rpcs(clients: int) -> float:
    """Of one read and the two commits of a create, with `clients` at once."""
    channel = grpc.insecure_channel(
        os.environ["FIRESTORE_EMULATOR_HOST"], options=ours.CHANNEL_OPTIONS
    )
    metadata = [("authorization", "Bearer owner")]
    read = channel.unary_stream(ours.SERVICE + "BatchGetDocuments")
    commit = channel.unary_unary(ours.SERVICE + "Commit")
    messages = [
        (
            ours.BatchGetRequest(
                database=DATABASE, documents=[f"{DATABASE}/documents/users/user{each:03}"]
            ).SerializeToString(),
            _commit(each, ("users", "entries", "requests")),
            _commit(each, ("requests",)),
        )
        for each in range(clients)
    ]

    def client(number: int) -> None:
        asked, charge, settle = messages[number]
        for _ in range(CALLS // clients):
            list(read(asked, metadata=metadata))
            commit(charge, metadata=metadata)
            commit(settle, metadata=metadata)

    def round_of_calls() -> float:
        began = time.process_time()
        list(pool.map(client, range(clients)))
        return 1000 * (time.process_time() - began) / (CALLS // clients * clients)

    with channel, ThreadPoolExecutor(clients) as pool:
        round_of_calls()
        return statistics.median(round_of_calls() for _ in range(ROUNDS))


def _commit(number: int, collections: tuple[str, ...]) -> bytes:
    request = ours.CommitRequest(database=DATABASE)
    for collection in collections:
        document = request.writes.add().update
        document.name = f"{DATABASE}/documents/bare-{collection}/{number}"
        for name, value in FIELDS.items():
            encode(document.fields[name], value)
    message: bytes = request.SerializeToString()
    return message


def _profiled(scenario: str) -> dict[str, float]:
    """The share of each package in the profile of a call, in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, scenario],
        cwd=servers.SIDES["ours"],
        stdout=subprocess.DEVNULL,  # of the log
        stderr=subprocess.PIPE,
        check=True,
    )
    shares: dict[str, float] = json.loads(done.stderr.splitlines()[-1])
    return shares


def _profile(scenario: str) -> dict[str, float]:
    # In a process of its own only.
    from functions_framework import create_app  # noqa: PLC0415
    from werkzeug.test import create_environ  # noqa: PLC0415

    _, function, status, body = next(each for each in speed.SCENARIOS if each[0] == scenario)
    os.environ |= servers.PARAMETERS | {"FUNCTION_TARGET": function, "K_SERVICE": function}
    app, statuses = create_app(function, "main.py"), Counter[str]()

    # Made beforehand, as their making is not what is measured.
    requests = [
        create_environ(method="POST", json=body(f"user{number % speed.USERS:03}"))
        for number in range(WARM_UP_CALLS + PROFILED_CALLS)
    ]

    def call(request: Any) -> None:
        b"".join(app(request, lambda status, headers, error=None: count(status)))

    def count(answered: str) -> None:
        statuses[answered.split(maxsplit=1)[0]] += 1

    for request in requests[:WARM_UP_CALLS]:
        call(request)
    profile = cProfile.Profile(time.thread_time)
    profile.enable()
    for request in requests[WARM_UP_CALLS:]:
        call(request)
    profile.disable()
    if set(statuses) != {str(status)}:
        raise RuntimeError(f"{scenario} was answered {dict(statuses)}")
    return _shares(pstats.Stats(profile))


def _shares(stats: Any) -> dict[str, float]:
    """Of each package in the time of all functions; a built-in one counts to who called it."""
    seconds: Counter[str] = Counter()
    for (path, _, _), (_, _, own, _, callers) in stats.stats.items():
        if path != "~":
            seconds[_package(path)] += own
            continue
        for (caller, _, _), of_caller in callers.items():
            seconds[_package(caller)] += of_caller[2]
    whole = seconds.total()
    return {
        name: round(100 * share / whole, 1)
        for name, share in seconds.most_common()
        if share > SMALLEST_SHARE * whole
    }


def _package(path: str) -> str:
    if str(servers.SIDES["ours"] / "imagegen") in path:
        return "imagegen"
    _, found, rest = path.rpartition("site-packages/")
    return rest.split("/")[0] if found else "Python's library"


if __name__ == "__main__":
    print(json.dumps(_profile(sys.argv[1])), file=sys.stderr)
