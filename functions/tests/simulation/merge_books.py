"""What may move when accounts are merged: what was paid for, all of it, and nothing else.

It does its own arithmetic on the stored fields. That each entry fits the lots, the balances and the
purchases is up to the other books, which see the same commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from imagegen.firestore.store import Create, Delete, Document, Write
from simulation.memory_store import MemoryStore
from simulation.merge_lots import Side, check_debt, check_lots
from simulation.tombstones import Tombstones
from simulation.world import EPOCH, Task, Violation, World

Fields = Mapping[str, Any]
MOVED = ("purchases", "stripeLinks")
TAKEN = ("clawedBack", "owed", "waived")
# Of a purchase, as lots expire and debt is paid in the same commit.
MAY_CHANGE = {"clawedBack", "clawedBackLots", "owed", "expiredCredits", "updatedAt"}
# Whoever is asked about gets what is due, too.
BY_GIVER = {"expiry", "grant", "transfer_out"}
BY_TAKER = {"expiry", "grant", "transfer_in", "clawback"}


@dataclass(frozen=True)
class Pair:
    """What is asked for: to move what was paid for from the giver to the taker."""

    giver: str
    taker: str
    key: str = ""  # of a transfer by an operator


@dataclass(frozen=True)
class Moved:
    """How many credits a merge or a transfer has moved, and when."""

    pair: Pair
    credits: int
    seconds: float


class MergeBooks:
    """Raises Violation when a commit moves more, less or something else."""

    def __init__(self, world: World, memory: MemoryStore, tombstones: Tombstones) -> None:
        self._memory = memory
        self._tombstones = tombstones
        self._world = world
        self.merged: dict[str, Moved] = {}  # by giver
        self.transferred: dict[tuple[str, str], Moved] = {}  # by each of the two, and the key

    def committed(
        self,
        task: Task,
        pair: Pair,
        before: Mapping[str, Document | None],
        writes: dict[str, Write],
        after: Mapping[str, Document],
    ) -> None:
        """Check one commit that moves what was paid for, and take the deletion of a customer out.

        The account of the giver stands under its own name in `after`.
        """
        giver, taker = (
            Side(each, _user(each, before, after), _fields(after.get(f"users/{each}")), entries)
            for each in (pair.giver, pair.taker)
            for entries in (_entries(writes, each),)
        )
        self._check_kinds(task, giver, taker, writes)
        self._tombstones.moving = pair.giver, pair.taker
        moved = check_lots(giver, taker)
        if task.kind != "closer":  # which moves what comes back later
            self._know(Moved(pair, moved, self._world.seconds))
        check_debt(giver, taker)
        for path in writes:
            if path.startswith(MOVED):
                self._check_moved(pair, _fields(before[path]), _fields(after[path]), path)
        self._check_left(task, pair.giver)
        self._check_customer(task, pair, before, writes)
        self._check_log(task, pair, writes, moved)

    def _know(self, moved: Moved) -> None:
        """Know what has moved: an account is merged once, and a key names one transfer of each."""
        pair = moved.pair
        if not pair.key:
            self.merged[pair.giver] = moved
            return
        for user_id in (pair.giver, pair.taker):
            if (user_id, pair.key) in self.transferred:
                raise Violation(f"{pair.key} of {user_id} moves {moved}, and {self.transferred}")
            self.transferred[user_id, pair.key] = moved

    def _check_kinds(
        self, task: Task, giver: Side, taker: Side, writes: Mapping[str, Write]
    ) -> None:
        both = (giver.user_id, taker.user_id)
        own = {
            f"{collection}/{each}" for each in both for collection in ("users", "stripeCustomers")
        }
        log = ("adminActions/",) if task.kind == "transfer" else ()
        below = (*(f"users/{each}/transactions/" for each in both), *MOVED, *log, "events/")
        if other := [path for path in writes if path not in own and not path.startswith(below)]:
            raise Violation(f"{task} moves what {giver.user_id} has bought, and writes {other}")
        for side, allowed in ((giver, BY_GIVER), (taker, BY_TAKER)):
            if kinds := {entry["type"] for entry in side.entries} - allowed:
                raise Violation(f"{task} moves what was bought, with {kinds} of {side.user_id}")

    def _check_moved(self, pair: Pair, old: Fields, new: Fields, path: str) -> None:
        """A purchase or a link has become the taker's, or was the taker's; it owes as before."""
        owner = pair.taker if old.get("userId") == pair.giver else old.get("userId")
        names = {name for name in (*old, *new) if old.get(name) != new.get(name)}
        if new.get("userId") != owner or names - MAY_CHANGE - {"userId"}:
            raise Violation(f"{path} was {old}, and has become {new}")
        before, now = (sum(each.get(name, 0) for name in TAKEN) for each in (old, new))
        if before != now:
            raise Violation(f"{before} credits of {path} were taken back or owed, now {now} are")

    def _check_left(self, task: Task, giver: str) -> None:
        """What has stood there since before the call has moved, and what was booked has."""
        started = EPOCH + timedelta(seconds=task.started)
        for path, document in self._memory.documents.items():
            may_move = path.startswith(MOVED) or path == f"stripeCustomers/{giver}"
            if not may_move or giver not in (document.get("userId"), document.id):
                continue
            is_old = document.update_time is not None and document.update_time < started
            if is_old or document.get("lotId") is not None:
                raise Violation(f"{path} stays with {giver}: {document.fields}")

    def _check_customer(
        self,
        task: Task,
        pair: Pair,
        before: Mapping[str, Document | None],
        writes: dict[str, Write],
    ) -> None:
        """Stripe's customer goes along, unless the taker is one, too."""
        old_path, new_path = (f"stripeCustomers/{each}" for each in (pair.giver, pair.taker))
        gone, made = writes.pop(old_path, None), writes.get(new_path)
        if gone is None and made is None:
            return
        is_right = isinstance(gone, Delete) and new_path in self._memory.documents
        if made is not None:
            is_right &= isinstance(made, Create) and made.fields == _fields(before[old_path])
        if not is_right:
            raise Violation(f"{task} makes {made} of the customer {before.get(old_path)}")

    def _check_log(self, task: Task, pair: Pair, writes: Mapping[str, Write], moved: int) -> None:
        """What an operator moves is logged, once for each of the two."""
        logged = {
            write.fields["userId"]: write.fields["after"]["credits"]
            for path, write in writes.items()
            if path.startswith("adminActions/") and isinstance(write, Create)
        }
        if pair.key and logged != {pair.giver: -moved, pair.taker: moved}:
            raise Violation(f"{task} has moved {moved}, and logs {logged}")


def _entries(writes: Mapping[str, Write], user_id: str) -> list[Fields]:
    own = f"users/{user_id}/transactions/"
    return [
        {**write.fields, "id": path.removeprefix(own)}
        for path, write in writes.items()
        if path.startswith(own) and isinstance(write, Create)
    ]


def _user(
    user_id: str, before: Mapping[str, Document | None], after: Mapping[str, Document]
) -> Fields:
    """The user document as it was; what is not written has not changed."""
    path = f"users/{user_id}"
    return _fields(before[path] if path in before else after.get(path))


def _fields(document: Document | None) -> Fields:
    return (document.fields or {}) if document is not None else {}
