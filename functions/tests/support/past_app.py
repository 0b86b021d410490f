"""An app with a past: writes what the app would have written, whenever a test says it did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from google.cloud import firestore

from support import projects

PROJECT = "demo-report-tests"
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)  # of 2026-W10
SUNDAY_NIGHT = MONDAY + timedelta(days=7)


def empty_client() -> firestore.Client:
    """A client of a project that holds nothing."""
    return projects.empty(PROJECT)


class AppWithHistory:
    """Requests, ledgers and users of a project of the report tests' own."""

    def __init__(self, client: firestore.Client) -> None:
        self.client = client
        self._requests = 0

    def request(self, created: datetime, status: str = "completed", **fields: Any) -> str:
        """A request with its ledger entries; it ended after five seconds unless said otherwise."""
        self._requests += 1
        request_id = f"request{self._requests:05}"
        open_still = status in ("pending", "processing")
        ended = fields.pop("completedAt", created + timedelta(seconds=5))
        in_ledger = fields.pop("in_ledger", True)
        request = {
            "userId": "ada",
            "model": "Model A",
            "style": "anime",
            "color": "neon",
            "size": "512x512",
            "credits": 1,
            "prompt": "a lighthouse",
            "status": status,
            "createdAt": created,
            "completedAt": None if open_still else ended,
        } | fields
        batch = self.client.batch()
        batch.set(self.client.document(f"generationRequests/{request_id}"), request)
        if in_ledger:
            self._entry(batch, request_id, request, "deduction", created)
            if status in ("failed", "canceled"):
                self._entry(batch, request_id, request, "refund", ended)
        batch.commit()
        return request_id

    def _entry(
        self, batch: Any, request_id: str, request: dict[str, Any], kind: str, moment: datetime
    ) -> None:
        path = f"users/{request['userId']}/transactions/{request_id}-{kind}"
        entry = {"type": kind, "credits": request["credits"], "timestamp": moment}
        batch.set(self.client.document(path), entry)

    def settle(self, request_id: str, status: str, ended: datetime) -> None:
        """Ends a pending request, as the app does: with the refund, in one write."""
        reference = self.client.document(f"generationRequests/{request_id}")
        batch = self.client.batch()
        batch.update(reference, {"status": status, "completedAt": ended})
        if status != "completed":
            request = reference.get().to_dict() or {}
            self._entry(batch, request_id, request, "refund", ended)
        batch.commit()

    def user(self, user_id: str, **fields: Any) -> None:
        self.client.document(f"users/{user_id}").set({"credits": 10, **fields})

    def stored(self, week: str) -> dict[str, Any]:
        return self.client.document(f"reports/{week}").get().to_dict() or {}
