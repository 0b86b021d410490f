"""Documents for bench/scale.py: users with many requests, ended or lost, and their ledger."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from google.cloud import firestore
from support.orders import order_body

import report

OPENING = 10_000  # credits of each user whose requests are lost
BATCH = 400
Write = tuple[str, dict[str, Any]]


def write(client: firestore.Client, writes: Iterator[Write]) -> None:
    waiting = list(writes)
    with ThreadPoolExecutor(4) as writers:
        starts = range(0, len(waiting), BATCH)
        batches = (waiting[start : start + BATCH] for start in starts)
        list(writers.map(lambda batch: report.commit(client, batch), batches))


def lost_requests(count: int, users: int) -> Iterator[Write]:
    """Requests that were charged and whose process died; every user had OPENING before."""
    charged_at = datetime.now(UTC) - timedelta(hours=1)
    left = [OPENING] * users
    sequences = [0] * users
    for number in range(count):
        user, request_id = number % users, f"{number * 7919 % 2**32:032x}"
        left[user] -= 1
        sequences[user] += 1
        yield f"generationRequests/{request_id}", _request(f"user{user:05}", "pending", charged_at)
        yield (
            f"users/user{user:05}/transactions/{request_id}-deduction",
            {
                **_entry(request_id, sequences[user], charged_at),
                "balanceAfter": left[user],
            },
        )
    for user in range(users):
        fields = {"credits": left[user], "ledgerSequence": sequences[user]}
        yield f"users/user{user:05}", fields


def history_of(user_id: str, entries: int) -> Iterator[Write]:
    begin = datetime.now(UTC) - timedelta(seconds=entries)
    for number in range(1, entries + 1):
        request_id, at = f"{number * 7919 % 2**32:032x}", begin + timedelta(seconds=number)
        yield f"generationRequests/{request_id}", _request(user_id, "completed", at)
        yield (
            f"users/{user_id}/transactions/{request_id}-deduction",
            {
                **_entry(request_id, number, at),
                "balanceAfter": 2 * entries - number,
            },
        )
    yield f"users/{user_id}", {"credits": entries, "ledgerSequence": entries}


def _request(user_id: str, status: str, at: datetime) -> dict[str, Any]:
    ordered = {k: v for k, v in order_body(user_id).items() if k != "idempotencyKey"}
    return ordered | {
        "credits": 1,
        "status": status,
        "mode": "sync",
        "imageUrl": "https://example.com/i.png" if status == "completed" else None,
        "attempts": 1,
        "attemptId": "0" * 32,
        "createdAt": at,
        "startedAt": at,
        "completedAt": at if status == "completed" else None,
        "updatedAt": at,
        "expiresAt": at + timedelta(seconds=120),
    }


def _entry(request_id: str, sequence: int, at: datetime) -> dict[str, Any]:
    return {
        "type": "deduction",
        "credits": 1,
        "delta": -1,
        "generationRequestId": request_id,
        "sequence": sequence,
        "timestamp": at,
        "reason": "generation",
    }
