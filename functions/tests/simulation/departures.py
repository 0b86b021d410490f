"""Accounts that are deleted while everything else goes on, and what may move where."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from imagegen.accounts import delete
from imagegen.credits import closures
from imagegen.firestore.store import Create, Delete, Document, Update, Write
from simulation.books import OPEN, Books
from simulation.consumers import Consumers
from simulation.memory_store import MemoryStore
from simulation.plan import Plan
from simulation.world import Task, Violation, World

KEPT = ("credits", "lots", "ledgerSequence", "debt")
DELETED = ("events", "imageReports", "stripeCustomers")
# Of a request that has moved.
EMPTY = {"prompt": "", "source": None, "imageUrl": None, "thumbnailUrl": None, "image": None}
UNCHANGED = ("status", "credits", "lots", "createdAt", "completedAt", "model", "style", "size")


class Departures:
    """Starts deletions, and checks every commit that moves something of an account."""

    def __init__(
        self, world: World, memory: MemoryStore, books: Books, consumers: Consumers, seed: int
    ) -> None:
        self._world = world
        self._memory = memory
        self._books = books
        self._consumers = consumers
        # Of its own, so that a seed without departures is the schedule that it always was.
        self._random = random.Random(f"departures {seed}")
        self.number = self._random.choice((0, 0, 1, 2))

    def schedule(self, plan: Plan) -> None:
        """Have some accounts deleted within the span, each by several calls."""
        users = [*plan.users] if plan.edits == 0 else []
        for user_id in self._random.sample(users, min(self.number, len(users))):
            for _ in range(self._random.choice((1, 1, 2))):
                seconds = self._random.uniform(0, plan.span_seconds)
                self._world.after(seconds, lambda user_id=user_id: self._delete(user_id))  # type: ignore[misc]

    def _delete(self, user_id: str) -> None:
        self._world.spawn("deletion", user_id, lambda: delete.delete(user_id))

    @property
    def tombstones(self) -> dict[str, str]:
        return self._books.tombstones

    def recover(self, recover: Callable[[], Any]) -> None:
        """Let recovery run until nothing is closing any more."""
        for _ in range(20):
            if all(self._closure(user_id)["status"] == "closed" for user_id in self.tombstones):
                return
            self._world.run(until=self._world.seconds + 601)
            self._world.spawn("account recovery", "", recover)
            self._world.run()
        raise Violation("an account does not close")

    def check_at_rest(self) -> None:
        """Nothing names a user who has left."""
        for user_id in self.tombstones:
            for path, document in self._memory.documents.items():
                is_own = path == f"users/{user_id}" or path.startswith(f"users/{user_id}/")
                if is_own or (document.fields or {}).get("userId") == user_id:
                    raise Violation(f"{path} is left of {user_id}")

    def committed(
        self, task: Task, before: Mapping[str, Document | None], writes: Sequence[Write]
    ) -> list[Create | Update]:
        """Check what moves in a commit; the writes that the books know how to check."""
        self._begin(task, writes)
        rest = {write.path: write for write in writes if not write.path.startswith("accountClos")}
        for user_id, tombstone in self.tombstones.items():
            self._move_user(task, user_id, tombstone, before, rest)
            for write in [*rest.values()]:
                self._check(task, user_id, tombstone, before[write.path], write, rest)
        left = [each for each in rest.values() if not isinstance(each, Delete)]
        if len(left) < len(rest):
            raise Violation(f"{task} has deleted {[*rest]}")
        return left

    def _begin(self, task: Task, writes: Sequence[Write]) -> None:
        for write in writes:
            if not write.path.startswith("accountClosures/") or not isinstance(write, Create):
                continue
            if task.kind != "deletion":
                raise Violation(f"{task} closes an account")
            user_id, tombstone = write.fields["userId"], write.fields["tombstone"]
            if write.path != closures.path(user_id) or user_id in self.tombstones:
                raise Violation(f"{write.path} closes {user_id} again")
            self.tombstones[user_id] = tombstone

    def _move_user(
        self,
        task: Task,
        user_id: str,
        tombstone: str,
        before: Mapping[str, Document | None],
        rest: dict[str, Write],
    ) -> None:
        """The user document: as it was, without anything open, in the commit that deletes it."""
        old_path, new_path = f"users/{user_id}", f"users/{tombstone}"
        if isinstance(rest.get(old_path), Create) and tombstone in self._books.accounts:
            raise Violation(f"{task} opened {user_id} again, who has left")
        moved = rest.get(new_path)
        if not isinstance(moved, Create):
            return
        if task.kind != "closer":
            self._books.open_account(tombstone, {})  # by a payment, where there was no document
            return
        del rest[new_path]
        old = before.get(old_path)
        fields: Mapping[str, Any] = (old.fields if old else None) or {"credits": 0}
        if old is not None and not isinstance(rest.pop(old_path, None), Delete):
            raise Violation(f"{user_id} is there twice")
        if {name: moved.fields.get(name) for name in KEPT} != {n: fields.get(n) for n in KEPT}:
            raise Violation(f"{fields} has become {moved.fields}")
        open_ = [r for r in self._books.requests if self._is_open(r, user_id)]
        if open_:
            raise Violation(f"{user_id} has left, and {open_} are open")
        self._books.move_account(user_id, tombstone, moved.fields)

    def _is_open(self, request_id: str, user_id: str) -> bool:
        request = self._books.state(request_id)
        return request["userId"] == user_id and request["status"] in OPEN

    def _check(
        self,
        task: Task,
        user_id: str,
        tombstone: str,
        old: Document | None,
        write: Write,
        rest: dict[str, Write],
    ) -> None:
        own, collection = f"users/{user_id}/", write.path.partition("/")[0]
        if isinstance(write, Delete):
            if task.kind != "closer":
                return
            if write.path.startswith(f"{own}transactions/"):
                path = f"users/{tombstone}/transactions/{write.path.rpartition('/')[2]}"
                copy = rest.pop(path, None)
                if not isinstance(copy, Create) or old is None or copy.fields != old.fields:
                    raise Violation(f"{write.path} is lost")
                del rest[write.path]
            elif write.path.startswith(own) or (
                collection in DELETED and old is not None and old.get("userId") == user_id
            ):
                self._consumers.dropped.add(write.path.rpartition("/")[2])
                del rest[write.path]
            return
        is_named = isinstance(write, Update) and write.fields.get("userId") == tombstone
        if is_named and old is not None and old.get("userId") == user_id:
            self._check_renamed(old, write, rest)

    def _check_renamed(self, old: Document, write: Write, rest: dict[str, Write]) -> None:
        """A request that has ended, emptied; or a purchase of which nothing else changes."""
        collection = write.path.partition("/")[0]
        new = self._memory.documents[write.path].fields or {}
        if collection == "generationRequests":
            if new["status"] in OPEN or any(new.get(name) != old.get(name) for name in UNCHANGED):
                raise Violation(f"{write.path} has changed on its way: {new}")
            if any(new.get(name) != value for name, value in EMPTY.items()):
                raise Violation(f"{write.path} still says what it was: {new}")
            self._books.requests[write.path.rpartition("/")[2]].append((self._world.seconds, new))
            del rest[write.path]
        elif collection == "purchases" and {**(old.fields or {}), "userId": new["userId"]} == new:
            del rest[write.path]

    def _closure(self, user_id: str) -> Document:
        return self._memory.documents[closures.path(user_id)]
