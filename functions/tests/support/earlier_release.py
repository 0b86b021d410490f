"""What the release before lots writes for a charge and for a refund: it knows `credits` alone.

A copy of its writes, not of its code: the same transaction, and the fields it had.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from imagegen import db

REQUEST = {
    "model": "Sure Model", "style": "anime", "color": "neon", "size": "512x512", "prompt": "a cat",
    "source": None, "mode": "async", "imageUrl": None, "error": None, "attempts": 0,
    "fingerprint": "", "startedAt": None, "completedAt": None,
}  # fmt: skip


def charge(user_id: str, request_id: str, credits: int, moment: datetime) -> None:
    """Create a pending request and take its price."""

    def decide(transaction: db.Transaction) -> None:
        if transaction[db.user(user_id)]["credits"] < credits:
            raise ValueError("insufficient credits")
        _append(transaction, user_id, request_id, "deduction", -credits, moment)
        times = {"createdAt": moment, "updatedAt": moment, "expiresAt": moment}
        fields = {"userId": user_id, "credits": credits, "status": "pending", "attemptId": "old"}
        transaction.create(db.generation_request(request_id), REQUEST | times | fields)

    db.transact(decide, db.user(user_id), db.generation_request(request_id))


def fail(user_id: str, request_id: str, moment: datetime) -> None:
    """End an open request and give its price back."""

    def decide(transaction: db.Transaction) -> None:
        request = transaction[db.generation_request(request_id)]
        if request["status"] not in ("pending", "processing"):
            raise ValueError("not open")
        error = {"reason": "BUSY", "message": "busy", "retryable": True}
        fields = {"status": "failed", "error": error, "completedAt": moment, "updatedAt": moment}
        transaction.update(request.path, fields)
        _append(transaction, user_id, request_id, "refund", request["credits"], moment)

    db.transact(decide, db.user(user_id), db.generation_request(request_id))


def _append(
    transaction: db.Transaction,
    user_id: str,
    request_id: str,
    entry_type: str,
    change: int,
    moment: datetime,
) -> None:
    user = transaction[db.user(user_id)]
    balance, sequence = user["credits"] + change, user.get("ledgerSequence", 0) + 1
    transaction.update(
        user.path, {"credits": balance, "ledgerSequence": sequence, "updatedAt": moment}
    )
    entry: dict[str, Any] = {
        "type": entry_type,
        "credits": abs(change),
        "delta": change,
        "generationRequestId": request_id,
        "balanceAfter": balance,
        "sequence": sequence,
        "timestamp": moment,
        "reason": "generation",
    }
    transaction.create(f"{db.entries(user_id)}/{request_id}-{entry_type}", entry)
