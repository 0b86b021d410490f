"""Who may do what to an open request: its creator, a worker, recovery, a cancel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from imagegen.generation.create import ENQUEUE_AGAIN_AFTER
from simulation.painters import Painters
from simulation.world import Task, Violation

Fields = Mapping[str, Any]


class Rights:
    """Knows which task holds each request, and raises Violation when another one acts on it."""

    def __init__(self, painters: Painters) -> None:
        self._painters = painters
        self.holder: dict[str, Task] = {}
        self._given_back: set[str] = set()  # held by nobody, whatever the lease says
        self._rules: dict[str, Callable[[Task, str, Fields, Fields], None]] = {
            "create": self._create,
            "worker": self._worker,
            "recovery": self._recovery,
            "cancel": self._cancel,
            "closer": self._cancel,
        }

    def begin(self, task: Task, request_id: str) -> None:
        """`task` has charged for the request."""
        self.holder[request_id] = task

    def require(self, task: Task, request_id: str, old: Fields, new: Fields) -> None:
        """`task` has made `new` of `old`."""
        if task.kind not in self._rules:
            raise Violation(f"a {task.kind} changed a request")
        self._rules[task.kind](task, request_id, old, new)
        if new["status"] == "completed":
            if self._painters.painting(new["imageUrl"]) != (task, request_id):
                raise Violation("completed with an image that was not painted for it")
        elif new["imageUrl"] is not None:
            raise Violation(f"{new['status']} with an image")

    def _create(self, task: Task, request_id: str, old: Fields, new: Fields) -> None:
        if old["mode"] == "sync" and self.holder[request_id] is not task:
            raise Violation(f"{task} settles a request of {self.holder[request_id]}")
        if {**old, "enqueuedAt": new.get("enqueuedAt")} == new:
            # A repeated call is about to put it on the queue again.
            last = old.get("enqueuedAt")
            if isinstance(last, datetime) and new["enqueuedAt"] - last < ENQUEUE_AGAIN_AFTER:
                raise Violation(f"{task} puts {request_id} on the queue once more")
            return
        if old["mode"] == "async":  # the queue did not take it, so the call that charged refunds it
            if (old["status"], new["status"]) != ("pending", "failed"):
                raise Violation("a create did a worker's work")
            if self.holder[request_id] is not task:
                raise Violation(f"{task} fails a request of {self.holder[request_id]}")

    def _worker(self, task: Task, request_id: str, old: Fields, new: Fields) -> None:
        if new["attemptId"] == old["attemptId"]:
            if self.holder[request_id] is not task:
                raise Violation(f"{task} acts on a lease of {self.holder[request_id]}")
            if new["status"] == "processing":
                self._given_back.add(request_id)
            return
        if old["status"] == "processing" and old["leasedUntil"] > task.latest_clock:
            raise Violation("a lease was taken that another holds")
        if new["status"] != "processing" or new["attempts"] != old["attempts"] + 1:
            raise Violation("a lease without its attempt")
        self.holder[request_id] = task
        self._given_back.discard(request_id)

    def _recovery(self, task: Task, request_id: str, old: Fields, new: Fields) -> None:
        if new["status"] != "failed" or old["expiresAt"] > task.latest_clock:
            raise Violation("recovery took a request that had not expired")
        is_held = old["status"] == "processing" and request_id not in self._given_back
        if is_held and old["leasedUntil"] > task.latest_clock:
            raise Violation("recovery took a request that a worker holds")

    def _cancel(self, task: Task, request_id: str, old: Fields, new: Fields) -> None:
        if old["mode"] == "sync":
            raise Violation("canceled while its model runs")
        if (old["status"], new["status"]) != ("pending", "canceled"):
            raise Violation(f"a cancel made {old['status']} {new['status']}")
