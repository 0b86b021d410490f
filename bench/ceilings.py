"""Models of the two limits of Firestore that the ledger meets: one document, and one index.

Firestore documents the limits and not what happens beyond them. Here a document takes one write a
second after a burst, an index range 500 writes a second, and what comes too early waits. A charge
is retried as `db.transact` retries it, with its own constants.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from imagegen import db

READ_SECONDS, COMMIT_SECONDS = 0.01, 0.04
DOCUMENT_WRITES_A_SECOND, DOCUMENT_BURST = 1.0, 10
INDEX_WRITES_A_SECOND = 500
USER_SECONDS, INDEX_SECONDS = 600, 20
WRITES_OF_AN_ORDER = 2  # charge and settle
CHARGES_A_SECOND = (0.5, 0.9, 1.0, 1.2, 2.0)
ORDERS_A_SECOND = (100, 200, 300, 600, 1200)
SHARDS = (1, 2, 4, 8)


@dataclass
class Charges:
    """What became of the charges of one user."""

    seconds: list[float] = field(default_factory=list)  # of those that were made
    attempts: int = 0
    given_up: int = 0

    @property
    def made(self) -> float:
        return len(self.seconds) / (len(self.seconds) + self.given_up)


def one_user(a_second: float) -> Charges:
    """Charges that come at random, `a_second` on average, each an optimistic transaction."""
    chance, order = random.Random(1), itertools.count()
    result, version, tokens, filled_at = Charges(), 0, float(DOCUMENT_BURST), 0.0
    # (when a commit arrives, a tie-breaker, begin of its call, version read, longest pause)
    commits: list[tuple[float, int, float, int, float]] = []

    def attempt(began: float, at: float, longest_pause: float) -> None:
        result.attempts += 1
        arrives = at + READ_SECONDS + COMMIT_SECONDS / 2
        heapq.heappush(commits, (arrives, next(order), began, -1, longest_pause))

    moment = 0.0
    while (moment := moment + chance.expovariate(a_second)) < USER_SECONDS:
        attempt(moment, moment, db.FIRST_BACKOFF_SECONDS)
    # A commit first notes the version that its read saw, then waits for the document.
    history: list[tuple[float, int]] = [(0.0, 0)]
    while commits:
        at, tie, began, seen, longest_pause = heapq.heappop(commits)
        if seen < 0:
            read_at = at - COMMIT_SECONDS / 2
            seen = next(known for when, known in reversed(history) if when <= read_at)
        tokens = min(DOCUMENT_BURST, tokens + (at - filled_at) * DOCUMENT_WRITES_A_SECOND)
        filled_at = at
        if seen == version and tokens < 1:
            later = at + (1 - tokens) / DOCUMENT_WRITES_A_SECOND + 1e-9
            heapq.heappush(commits, (later, tie, began, seen, longest_pause))
            continue
        if seen == version:
            version, tokens = version + 1, tokens - 1
            history.append((at, version))
            result.seconds.append(at + COMMIT_SECONDS / 2 - began)
            continue
        again = at + COMMIT_SECONDS / 2 + chance.uniform(0, longest_pause)
        if again - began >= db.DEADLINE_SECONDS:
            result.given_up += 1
        else:
            attempt(began, again, min(db.MAX_BACKOFF_SECONDS, 2 * longest_pause))
    return result


def rising_index(orders_a_second: float, shards: int) -> tuple[float, float]:
    """Orders a second that get through, and the 99th percentile of what a write waits, in s."""
    chance, free_at = random.Random(1), [0.0] * shards
    waits, in_time, moment = [], 0, 0.0
    while True:
        moment += chance.expovariate(orders_a_second * WRITES_OF_AN_ORDER)
        if moment >= INDEX_SECONDS:
            break
        # A rising value goes to the end of the index; behind a shard's number, to that shard's end.
        shard = chance.randrange(shards)
        free_at[shard] = max(moment, free_at[shard]) + 1 / INDEX_WRITES_A_SECOND
        waits.append(free_at[shard] - moment)
        in_time += free_at[shard] <= INDEX_SECONDS
    return in_time / WRITES_OF_AN_ORDER / INDEX_SECONDS, sorted(waits)[int(0.99 * len(waits))]


def tables() -> Iterator[str]:
    """Both models as Markdown."""
    yield "| charges a second of one user | made | attempts a charge | p50 | p99 |"
    yield "| --- | --- | --- | --- | --- |"
    for rate in CHARGES_A_SECOND:
        found = one_user(rate)
        ranked = sorted(found.seconds)
        total = len(ranked) + found.given_up
        p50, p99 = (ranked[int(share * len(ranked))] for share in (0.5, 0.99))
        yield (
            f"| {rate} | {found.made:.1%} | {found.attempts / total:.1f} "
            f"| {p50:.2f} s | {p99:.2f} s |"
        )
    yield ""
    yield "| orders a second | " + " | ".join(f"{n} shard{'s'[: n > 1]}" for n in SHARDS) + " |"
    yield "| --- " * (1 + len(SHARDS)) + "|"
    for orders in ORDERS_A_SECOND:
        cells = (rising_index(orders, shards) for shards in SHARDS)
        told = (f"{through:.0f}, wait {wait:.2f} s" for through, wait in cells)
        yield f"| {orders:,} | " + " | ".join(told) + " |"
