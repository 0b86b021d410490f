"""What may move when an account is closed: every commit of it is compared with what was there."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Mapping, Sequence
from typing import Any

from imagegen.credits import closures
from imagegen.firestore.store import Create, Delete, Document, Update, Write
from simulation.books import OPEN, Books
from simulation.consumers import Consumers
from simulation.memory_store import MemoryStore
from simulation.merge_books import MergeBooks, Pair
from simulation.stripe_world import StripeWorld
from simulation.users import email_of
from simulation.world import Task, Violation, World

KEPT = ("credits", "lots", "ledgerSequence", "debt")
DELETED = ("events", "imageReports", "stripeCustomers")
RENAMED = ("purchases", "stripeLinks")
# Of a request that has moved.
EMPTY = {"prompt": "", "source": None, "imageUrl": None, "thumbnailUrl": None, "image": None}
UNCHANGED = ("status", "credits", "lots", "createdAt", "completedAt", "model", "style", "size")
CLOSURES, SUBSCRIPTIONS = "accountClosures/", "stripeLinks/sub_"
Fields = Mapping[str, Any]


class Moves:
    """Raises Violation when something of an account is lost, changed or left on its way."""

    def __init__(
        self,
        world: World,
        memory: MemoryStore,
        books: Books,
        consumers: Consumers,
        stripe: StripeWorld,
        merges: MergeBooks,
    ) -> None:
        self._world = world
        self._memory = memory
        self._books = books
        self._consumers = consumers
        self._stripe = stripe
        self._merges = merges
        self._tombstones = books.tombstones
        self._linked_at: dict[str, float] = {}  # when each subscription became known
        self._moved: tuple[str, str, Fields] | None = None  # an account, in the commit at hand

    def committed(
        self, task: Task, before: Mapping[str, Document | None], writes: Sequence[Write]
    ) -> tuple[list[Create | Update], Mapping[str, Document]]:
        """Check what moves in a commit.

        Returns the writes that the other books know how to check, and the documents after it, where
        an account that becomes that of a tombstone still has its own name. Then follows `end`.
        """
        rest: dict[str, Write] = {}
        after: ChainMap[str, Document] = ChainMap({}, self._memory.documents)
        for write in writes:
            if write.path.startswith(CLOSURES):
                self._closure(task, write)
            else:
                rest[write.path] = write
            if write.path.startswith(SUBSCRIPTIONS):
                self._note_link(write, before.get(write.path))
        for user_id, tombstone in self._tombstones.items():
            self._move_user(task, user_id, tombstone, before, rest, after)
            if task.kind == "closer":
                for path in [path for path in rest if path not in after.maps[0]]:
                    self._check(user_id, tombstone, before[path], rest.get(path), rest)
        if task.kind == "merge":
            self._check_merge(task, writes)
        if task.kind in ("merge", "transfer"):
            self._merges.committed(task, task.asked, before, rest, after)
        left = [each for each in rest.values() if not isinstance(each, Delete)]
        if len(left) < len(rest):
            raise Violation(f"{task} has deleted {[*rest]}")
        return left, after

    def end(self) -> None:
        """Know an account that has moved in the commit at hand by its new name."""
        self._tombstones.moving = None
        if self._moved is not None:
            self._books.move_account(*self._moved)
            self._moved = None

    def _closure(self, task: Task, write: Write) -> None:
        if isinstance(write, Create):
            user_id, into = write.fields["userId"], write.fields.get("mergedInto")
            asked = user_id if into is None else Pair(user_id, into)
            if task.kind not in ("deletion", "merge") or task.asked != asked:
                raise Violation(f"{task} closes the account of {user_id}, which is in {into}")
            if write.path != closures.path(user_id) or user_id in self._tombstones:
                raise Violation(f"{write.path} closes {user_id} again")
            if into in self._tombstones:  # else accounts could be merged in a circle
                raise Violation(f"{user_id} is merged into {into}, who is leaving")
            self._tombstones[user_id] = write.fields["tombstone"]
            if into is not None:
                self._tombstones.merged[user_id] = into
        elif isinstance(write, Update) and write.fields.get("status") == "closed":
            self._check_subscriptions(task, self._memory.documents[write.path]["tombstone"])
        elif isinstance(write, Update) and "mergedInto" in write.fields:
            (user_id,) = (each for each in self._tombstones if closures.path(each) == write.path)
            into, documents = write.fields["mergedInto"], self._memory.documents
            known = self._tombstones.merged[user_id]
            if not self._tombstones.is_same_holder(known, into, documents):
                raise Violation(f"{user_id}, who was merged, is in {into}: {self._tombstones}")

    def _note_link(self, write: Write, old: Document | None) -> None:
        """When a subscription was first known, or came from an account that was merged."""
        self._linked_at.setdefault(write.path, self._world.seconds)
        is_moved = isinstance(write, Update) and "userId" in write.fields
        if is_moved and old is not None and old.get("userId") in self._tombstones.merged:
            self._linked_at[write.path] = self._world.seconds

    def _check_subscriptions(self, task: Task, tombstone: str) -> None:
        """Nobody pays on who has left, as far as that was known when the last pass began."""
        for path, seconds in self._linked_at.items():
            if self._memory.documents[path]["userId"] != tombstone or seconds > task.started:
                continue
            if self._stripe.goes_on(path.removeprefix("stripeLinks/")):
                raise Violation(f"{path} goes on, and its user has left")

    def _check_merge(self, task: Task, writes: Sequence[Write]) -> None:
        """What a merge moves, it moves once: in the commit that closes the account."""
        closed = [w for w in writes if isinstance(w, Create) and w.path.startswith(CLOSURES)]
        giver = task.asked.giver
        if not closed or self._memory.documents[f"users/{giver}"].get("status") != "closing":
            raise Violation(f"{task} moves what {giver} has bought, who is not closing by it")

    def _move_user(
        self,
        task: Task,
        user_id: str,
        tombstone: str,
        before: Mapping[str, Document | None],
        rest: dict[str, Write],
        after: ChainMap[str, Document],
    ) -> None:
        """The user document: as it was, without anything open, in the commit that deletes it.

        What was paid for goes from a merged account to the other one in the same commit.
        """
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
        fields: Fields = (old.fields if old else None) or {"credits": 0}
        if old is not None and not isinstance(rest.pop(old_path, None), Delete):
            raise Violation(f"{user_id} is there twice")
        changed = {n: moved.fields.get(n) for n in KEPT if moved.fields.get(n) != fields.get(n)}
        if old is not None and user_id in self._tombstones.merged:
            after[old_path] = Document(old_path, {**fields, **changed})
            into = self._tombstones.holder(user_id, self._memory.documents)
            self._merges.committed(task, Pair(user_id, into), before, rest, after)
            if changed and old.update_time is not None:
                rest[old_path] = Update(old_path, changed, old.update_time)
        elif changed:
            raise Violation(f"{fields} has become {moved.fields}")
        open_ = [r for r in self._books.requests if self._is_open(r, user_id)]
        if open_:
            raise Violation(f"{user_id} has left, and {open_} are open")
        self._moved = user_id, tombstone, moved.fields

    def _is_open(self, request_id: str, user_id: str) -> bool:
        request = self._books.state(request_id)
        return request["userId"] == user_id and request["status"] in OPEN

    def _check(
        self,
        user_id: str,
        tombstone: str,
        old: Document | None,
        write: Write | None,
        rest: dict[str, Write],
    ) -> None:
        """Take one write out of the rest if it moves or deletes something of the user."""
        if old is None:
            return
        if isinstance(write, Delete):
            self._check_deleted(user_id, tombstone, old, rest)
        elif isinstance(write, Update):
            self._check_renamed(user_id, tombstone, old, rest)

    def _check_deleted(
        self, user_id: str, tombstone: str, old: Document, rest: dict[str, Write]
    ) -> None:
        """An entry that is copied at the same time, or what nobody needs any more."""
        own, collection = f"users/{user_id}/", old.path.partition("/")[0]
        if old.path.startswith(f"{own}transactions/"):
            copy = rest.pop(f"users/{tombstone}/transactions/{old.id}", None)
            if not isinstance(copy, Create) or copy.fields != old.fields:
                raise Violation(f"{old.path} is lost")
            del rest[old.path]
        elif old.path.startswith(own) or (
            collection in DELETED and user_id in (old.get("userId"), old.id)
        ):
            self._consumers.dropped.add(old.id)
            del rest[old.path]

    def _check_renamed(
        self, user_id: str, tombstone: str, old: Document, rest: dict[str, Write]
    ) -> None:
        """A request that has ended, emptied; or a document that changes in no more than a name."""
        collection, before = old.path.partition("/")[0], old.fields or {}
        new = self._memory.documents[old.path].fields or {}
        if collection == "adminActions":
            names = rf"(?i:{re.escape(email_of(user_id))})|\b{user_id}\b"
            if repr(new) == re.sub(names, tombstone, repr(before)):
                del rest[old.path]
        elif old.get("userId") != user_id or new.get("userId") == user_id:
            return
        elif not self._follows(user_id, tombstone, old, new):
            raise Violation(f"{old.path} of {user_id} has gone elsewhere: {new}")
        elif collection == "generationRequests":
            self._check_emptied(old, new)
            del rest[old.path]
        elif collection in RENAMED and new == {**before, "userId": new["userId"]}:
            del rest[old.path]

    def _follows(self, user_id: str, tombstone: str, old: Document, new: Fields) -> bool:
        """Whether a document has gone to the tombstone, or, if it was paid for, to the holder."""
        into = str(new.get("userId"))
        if user_id not in self._tombstones.merged or not old.path.startswith(RENAMED):
            return into == tombstone
        return self._tombstones.is_same_holder(user_id, into, self._memory.documents)

    def _check_emptied(self, old: Document, new: Fields) -> None:
        if new["status"] in OPEN or any(new.get(name) != old.get(name) for name in UNCHANGED):
            raise Violation(f"{old.path} has changed on its way: {new}")
        if any(new.get(name) != value for name, value in EMPTY.items()):
            raise Violation(f"{old.path} still says what it was: {new}")
        self._books.move_request(old.id, new)
