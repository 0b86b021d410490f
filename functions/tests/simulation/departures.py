"""Accounts that are deleted while everything else goes on, by their users and by operators."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from imagegen import db
from imagegen.accounts import delete
from imagegen.credits import closures
from imagegen.errors import ImagegenError
from imagegen.providers.base import GeneratorError
from simulation.books import Books
from simulation.bucket import Bucket
from simulation.memory_store import MemoryStore
from simulation.plan import Plan
from simulation.users import Users, email_of
from simulation.world import Task, Violation, World

RECOVERY_SECONDS = 601  # longer than a task may be lost
MOST_RECOVERIES = 20
# After these, whoever wants to delete an account tries again.
UNAVAILABLE = ("BACKEND_UNAVAILABLE", "PAYMENT_PROVIDER_UNAVAILABLE")


class Departures:
    """Starts deletions; raises Violation when one does not end, or leaves something behind."""

    def __init__(
        self,
        world: World,
        plan: Plan,
        memory: MemoryStore,
        books: Books,
        users: Users,
        bucket: Bucket,
    ) -> None:
        self._world = world
        self._plan = plan
        self._memory = memory
        self._books = books
        self._users = users
        self._bucket = bucket
        # What has moved and what an edit has destroyed could not be told apart.
        self._number = 0 if plan.edits else plan.deletions

    def schedule(self) -> None:
        """Have some accounts deleted within the span, each by several calls."""
        random = self._world.random
        with self._world.new_strand("deletions"):
            for _ in range(self._number):
                user_id = random.choice(list(self._plan.users))
                for _ in range(random.choice((1, 1, 2))):
                    self._delete_after(random.uniform(0, self._plan.span_seconds), user_id)

    def delete_meanwhile(self, call: Task) -> None:
        """Have whoever has ordered leave while the charge is late, and is thought to have failed.

        Above all somebody new: such a commit opens the account.
        """
        if not self._number or call.kind not in ("create", "statement"):
            return
        user_id = call.asked if call.kind == "statement" else call.asked.user_id
        is_new = db.user(user_id) not in self._memory.documents
        if self._world.random.random() < (0.9 if is_new else 0.2):
            self._delete_after(self._world.random.random() / 10, user_id)

    def _delete_after(self, seconds: float, user_id: str) -> None:
        with self._world.new_strand():
            if self._world.happens():
                self._world.after(seconds, partial(self._delete, user_id))

    def _delete(self, user_id: str, tries: int = 3) -> None:
        """The user deletes the account, or an operator does; both try again if it fails."""

        def done(task: Task) -> None:
            self.ended(task)
            if task.error is not None and tries > 1 and self._world.happens():
                self._world.after(5, lambda: self._delete(user_id, tries - 1))

        about, call = f"{user_id} deletes the account", partial(delete.delete, user_id)
        if self._world.random.random() < 0.3:
            about = f"an operator deletes the account of {user_id}"
            reason = f"{user_id} wrote from {email_of(user_id).upper()}"
            call = partial(delete.delete_for, user_id, by="operator", reason=reason)
        self._world.spawn("deletion", about, call, asked=user_id, done=done)

    def ended(self, task: Task) -> None:
        """Require that a deletion, or a task that works on one, has ended as it may."""
        error = task.error
        if error is None or task.died:
            return
        reason = error.reason if isinstance(error, ImagegenError | GeneratorError) else ""
        if reason == "USER_NOT_FOUND" and task.asked not in self._users.known:
            return
        is_fault = reason in UNAVAILABLE or (task.kind == "closer" and reason == "IMAGE_NOT_STORED")
        if not is_fault or self._plan.calm:
            raise Violation(f"{task} ended with {error!r}") from error

    def recover(self, recover: Callable[[], Any]) -> None:
        """Let recovery run until nothing is closing any more."""
        for _ in range(MOST_RECOVERIES):
            if all(self._is_closed(user_id) for user_id in self._books.tombstones):
                return
            self._world.run(until=self._world.seconds + RECOVERY_SECONDS)
            self._world.spawn("account recovery", "recovery of accounts runs", recover)
            self._world.run()
        raise Violation("an account does not close")

    def _is_closed(self, user_id: str) -> bool:
        return bool(self._memory.documents[closures.path(user_id)]["status"] == "closed")

    def check_at_rest(self) -> None:
        """Nothing names a user who has left, nobody can sign in as that user, no image is left."""
        for user_id, tombstone in self._books.tombstones.items():
            name = re.compile(rf"\b{user_id}\b", re.IGNORECASE)
            for path, document in self._memory.documents.items():
                if name.search(f"{path} {document.fields}"):
                    raise Violation(f"{path} names {user_id}, who has left: {document.fields}")
            if user_id in self._users.known:
                raise Violation(f"{user_id} has left, and can sign in")
            for path in self._bucket.paths():
                if self._books.state(path.split("/")[1]).get("userId") == tombstone:
                    raise Violation(f"{path} is left of {user_id}")
