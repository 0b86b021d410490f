"""Processor time of a call, ours beside the floor's: what an instance is billed for.

The emulator takes most of a laptop's processor, and hides in throughput what the functions take.
So this counts the processor time of the server's own processes, in the shape of production: as many
threads as are deployed.
"""

from __future__ import annotations

import os
import statistics
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import load
import servers
import speed
from load import Body
from servers import SIDES

CLIENTS = (1, 8, 32)
ROUNDS = 7
SECONDS = 1.5  # a round of one side
THREADS = "80"
TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")


def processor_time() -> list[dict[str, Any]]:
    """Milliseconds of each kind of call at 1, 8 and 32 clients, by turns."""
    print(f"\n{'':15} {'clients':>7} {'ours ms':>8} {'floor ms':>8} {'ratio':>6}", flush=True)
    rows = []
    with ExitStack() as until_done:
        server = {
            (side, function): until_done.enter_context(
                servers.server(side, function, THREADS=THREADS)
            )
            for function in servers.FUNCTIONS
            for side in SIDES
        }
        for name, function, _, body in speed.SCENARIOS:
            for clients in CLIENTS:
                speed.seed_users()
                rounds = []
                for _ in range(ROUNDS):
                    spent = {}
                    for side in SIDES:
                        port, process = server[side, function]
                        spent[side] = _milliseconds(port, process.pid, clients, body)
                    rounds.append(spent)
                rows.append(_row(name, clients, rounds))
    return rows


def _row(name: str, clients: int, rounds: list[dict[str, float]]) -> dict[str, Any]:
    row: dict[str, Any] = {"what": name, "clients": clients}
    row |= {side: statistics.median(each[side] for each in rounds) for side in SIDES}
    row["ratio"] = statistics.median(each["ours"] / each["floor"] for each in rounds)
    print(
        f"{name:15} {clients:7} {row['ours']:8.2f} {row['floor']:8.2f} {row['ratio']:5.2f}x",
        flush=True,
    )
    return row


def _milliseconds(port: int, group: int, clients: int, body: Any) -> float:
    """Processor time of the processes in `group` for one answered call, in milliseconds."""

    def body_for(client: int, count: int) -> Body:
        sent: Body = body(f"user{(client + count * clients) % speed.USERS:03}")
        return sent

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
