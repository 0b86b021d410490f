"""Processor time of a call, ours beside the floor's: what an instance is billed for.

The emulator takes most of a laptop's processor, and hides in throughput what the functions take.
So this counts the processor time of the server's own processes, in the shape of production: as many
threads as are deployed.
"""

from __future__ import annotations

import os
import statistics
import subprocess
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from google.cloud import firestore

import load
import servers
import speed
from load import Body
from servers import SIDES

CLIENTS = (1, 8, 32)
ROUNDS = 7
SECONDS = 1.5  # a round of one side
# Nothing of this is due to the users of the benchmark: it is only looked for.
LOTS = {"SIGNUP_CREDITS": "10", "FREE_MONTHLY_CREDITS": "5"}
ENDED = ("generation.completed", "generation.failed")
OTHERS = ("credits.purchased", "report.stored")
CREATE = speed.SCENARIOS[0][1]
Side = tuple[int, subprocess.Popen[bytes], Callable[[str], Body]]
TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")


def processor_time() -> list[dict[str, Any]]:
    """Milliseconds of each kind of call at 1, 8 and 32 clients, by turns.

    The last rows compare ours with itself: users with lots and an allowance, and without; and
    where an app's server is told of each image, or of other things.
    """
    print(f"\n{'':15} {'clients':>7} {'ours ms':>8} {'other ms':>8} {'ratio':>6}", flush=True)
    rows = []
    with ExitStack() as until_done:
        server = {
            (side, function): until_done.enter_context(servers.server(side, function))
            for function in servers.FUNCTIONS
            for side in SIDES
        }
        for name, function, _, body in speed.SCENARIOS:
            for clients in CLIENTS:
                speed.seed_users()
                sides = [(*server[side, function], body) for side in SIDES]
                rows.append(_row(name, clients, sides))
        plain = (*server["ours", CREATE], speed.order)
        with servers.server("ours", CREATE, **LOTS) as with_lots:
            speed.seed_users()
            _seed_lots()
            sides = [(*with_lots, lambda user: speed.order(f"lots-{user}")), plain]
            rows += [_row("lots / without", clients, sides) for clients in CLIENTS]
    for name, types in (("told / not told", ENDED), ("of others / not", OTHERS)):
        rows += _with_an_endpoint(name, types)
    return rows


def _with_an_endpoint(name: str, types: Sequence[str]) -> list[dict[str, Any]]:
    """create where an app's server is to be told of `types`, beside where nobody is."""
    for_ever = {"CATALOGUE_TTL_SECONDS": "86400"}
    client = servers.fresh_database()
    speed.seed_users()
    with ExitStack() as until_done:
        address = until_done.enter_context(servers.queue())
        plain = until_done.enter_context(servers.server("ours", CREATE, **for_ever))
        servers.answer(plain[0], speed.order("user000"))  # it has read that there is no endpoint
        client.document("webhookEndpoints/bench").set({"types": list(types)})
        told = until_done.enter_context(
            servers.server("ours", CREATE, **for_ever, CLOUD_TASKS_EMULATOR_HOST=address)
        )
        sides = [(*told, speed.order), (*plain, speed.order)]
        return [_row(name, clients, sides) for clients in CLIENTS]


def _seed_lots() -> None:
    """Users with two lots and this month's allowance, so that nothing is due."""
    now = datetime.now(UTC)
    terms = {"grantedAt": now, "expiresAt": now + timedelta(days=20)}
    lots = {
        "allowance": {"kind": "allowance", "priority": 10, "remaining": 10**5, **terms},
        "purchase": {"kind": "purchase", "priority": 50, "remaining": 10**5, "grantedAt": now},
    }
    user = {"credits": 2 * 10**5, "lots": lots, "allowance": {"period": f"{now:%Y-%m}"}}
    client = firestore.Client(project=servers.PROJECT)
    batch = client.batch()
    for number in range(speed.USERS):
        batch.set(client.document(f"users/lots-user{number:03}"), user)
    batch.commit()


def _row(name: str, clients: int, sides: Sequence[Side]) -> dict[str, Any]:
    """The medians of both sides, and of the ratio of the first to the second."""
    rounds = [
        [milliseconds(port, process.pid, clients, body) for port, process, body in sides]
        for _ in range(ROUNDS)
    ]
    ours, other = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(one / two for one, two in rounds)
    print(f"{name:15} {clients:7} {ours:8.2f} {other:8.2f} {ratio:5.2f}x", flush=True)
    return {"what": name, "clients": clients, "ours": ours, "other": other, "ratio": ratio}


def milliseconds(port: int, group: int, clients: int, body: Callable[[str], Body]) -> float:
    """Processor time of the processes in `group` for one answered call, in milliseconds."""

    def body_for(client: int, count: int) -> Body:
        return body(f"user{(client + count * clients) % speed.USERS:03}")

    before = _ticks(group)
    sample = load.run(port, clients, SECONDS, body_for)
    return 1000 * TICK_SECONDS * (_ticks(group) - before) / sum(sample.codes.values())


def _ticks(group: int) -> int:
    """Processor time, of user and system, of all processes in a process group (proc(5))."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
        if int(fields[2]) == group:
            total += int(fields[11]) + int(fields[12])
    return total
