"""Throughput and latency of our calls beside the floor's, measured by turns within one run."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from google.cloud import firestore

import load
import servers
from load import Body, Sample
from servers import SIDES

CLIENTS = (1, 8, 32)
USERS = 100
ROUNDS = 5
SECONDS = 1.2  # a round of one side
BATCH = 400  # writes in one commit of the seed
HISTORY = 20  # entries of a user whose credits are asked for
ORDER = {
    "model": "Model A",
    "style": "anime",
    "color": "neon",
    "size": "512x512",
    "prompt": "A lighthouse at dusk, seen from the sea.",
}


@dataclass
class Duel:
    """One scenario: what both sides did, and the median over the rounds of ours / floor's."""

    name: str
    clients: int
    code: int
    rounds: dict[str, list[Sample]] = field(default_factory=lambda: {side: [] for side in SIDES})

    def total(self, side: str) -> Sample:
        return sum(self.rounds[side], Sample())

    def ratio(self) -> float:
        ours, floor = ([s.throughput(self.code) for s in self.rounds[side]] for side in SIDES)
        return statistics.median(a / max(b, 0.1) for a, b in zip(ours, floor, strict=True))

    def row(self) -> dict[str, Any]:
        row: dict[str, Any] = {"what": self.name, "clients": self.clients, "ratio": self.ratio()}
        for side in SIDES:
            total = self.total(side)
            row[side] = {
                "perSecond": total.throughput(self.code),
                **{f"p{p}": total.percentile(p / 100) for p in (50, 95, 99)},
                "otherAnswers": {c: n for c, n in total.codes.items() if c != self.code},
            }
        return row


def order(user_id: str) -> Body:
    return {"userId": user_id, **ORDER}


# What is called, of which function, the status of its answers, and the body for a user.
SCENARIOS: tuple[tuple[str, str, int, Callable[[str], Body]], ...] = (
    ("create", "createGenerationRequest", 200, order),
    ("getUserCredits", "getUserCredits", 200, lambda user: {"userId": user}),
    ("refusal", "createGenerationRequest", 402, lambda user: order(f"poor-{user}")),
)


def throughput() -> list[dict[str, Any]]:
    """create, getUserCredits and a refusal at 1, 8 and 32 clients; then one user hammered."""
    print(f"{'':23} {'ours/s':>8}    p50    p95    p99  floor/s    p50    p95    p99   ratio")
    rows = []
    with ExitStack() as until_done:
        port = {
            (side, function): until_done.enter_context(servers.served(side, function))
            for function in servers.FUNCTIONS
            for side in SIDES
        }
        for name, function, code, body in SCENARIOS:
            for clients in CLIENTS:
                duel = Duel(name, clients, code)
                seed_users()

                def body_for(client: int, count: int, body: Any = body, n: int = clients) -> Body:
                    sent: Body = body(f"user{(client + n * count) % USERS:03}")
                    return sent

                for _ in range(ROUNDS):
                    for side in SIDES:
                        sample = load.run(port[side, function], clients, SECONDS, body_for)
                        duel.rounds[side].append(sample)
                rows.append(duel.row())
                show(rows[-1])
        rows.append(hammer(port))
        show(rows[-1])
    return rows


def hammer(port: dict[tuple[str, str], int]) -> dict[str, Any]:
    """32 clients on one user: every charge is in conflict with every other."""
    duel = Duel("one user", 32, 200)
    for _ in range(2):
        for side in SIDES:
            seed_users()
            sample = load.run(
                port[side, "createGenerationRequest"], 32, 6.0, lambda c, n: order("user000")
            )
            duel.rounds[side].append(sample)
    return duel.row()


def seed_users() -> None:
    """Users with more than they can spend and a short history each, and as many with nothing."""
    client = servers.fresh_database()
    batch = client.batch()
    for number in range(USERS):
        batch.set(client.document(f"users/poor-user{number:03}"), {"credits": 0})
    batch.commit()
    for number in range(USERS):
        add_user(client, f"user{number:03}", HISTORY)


def add_user(client: firestore.Client, user_id: str, entries: int) -> None:
    """A user with a million credits after so many grants of one."""
    user = client.document(f"users/{user_id}")
    user.set({"credits": 10**6, "ledgerSequence": entries})
    for first in range(1, entries + 1, BATCH):
        batch = client.batch()
        for sequence in range(first, min(first + BATCH, entries + 1)):
            entry = {
                "type": "grant",
                "credits": 1,
                "generationRequestId": None,
                "balanceAfter": 10**6 - entries + sequence,
                "sequence": sequence,
                "timestamp": firestore.SERVER_TIMESTAMP,
                "reason": "seed",
            }
            batch.set(user.collection("transactions").document(f"grant-{sequence}"), entry)
        batch.commit()


def show(row: dict[str, Any]) -> None:
    ours, floor = row["ours"], row["floor"]
    print(
        f"{row['what']:15} {row['clients']:7} "
        + " ".join(
            f"{each['perSecond']:8.1f} {each['p50']:6.0f} {each['p95']:6.0f} {each['p99']:6.0f}"
            for each in (ours, floor)
        )
        + f" {row['ratio']:6.2f}x  {ours['otherAnswers'] or ''} {floor['otherAnswers'] or ''}",
        flush=True,
    )
