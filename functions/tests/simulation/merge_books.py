"""What may move when accounts are merged: what was paid for, all of it, and nothing else.

It does its own arithmetic on the stored fields. That each entry fits the lots, the balances and the
purchases is up to the other books, which see the same commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from imagegen.firestore.store import Create, Delete, Document, Write
from simulation.lot_books import is_paid
from simulation.memory_store import MemoryStore
from simulation.tombstones import Tombstones
from simulation.world import EPOCH, Task, Violation

Fields = Mapping[str, Any]
MOVED = ("purchases", "stripeLinks")
TERMS = ("kind", "priority", "expiresAt", "grantedAt", "purchaseId")
TAKEN = ("clawedBack", "owed", "waived")
# Of a purchase, as lots expire and debt is paid in the same commit; of what has moved.
MAY_CHANGE = {"clawedBack", "clawedBackLots", "owed", "expiredCredits", "updatedAt"}
# Whoever is asked about gets what is due, too.
BY_GIVER = {"expiry", "grant", "transfer_out"}
BY_TAKER = {"expiry", "grant", "transfer_in", "clawback"}


class MergeBooks:
    """Raises Violation when a commit moves more, less or something else."""

    def __init__(self, memory: MemoryStore, tombstones: Tombstones) -> None:
        self._memory = memory
        self._tombstones = tombstones
        self.moved: dict[Task, int] = {}  # how many credits each call has moved

    def committed(
        self,
        task: Task,
        giver: str,
        taker: str,
        before: Mapping[str, Document | None],
        writes: dict[str, Write],
        after: Mapping[str, Document],
    ) -> None:
        """Check one commit that moves what was paid for, and take the deletion of a customer out.

        The account of the giver stands under its own name in `after`.
        """
        self._tombstones.moving = giver, taker
        entries = {user_id: _entries(writes, user_id) for user_id in (giver, taker)}
        self._check_kinds(task, giver, taker, writes, entries)
        old, new = (
            (_user(giver, before, after), _user(taker, before, after)),
            (
                after[f"users/{giver}"].fields or {},
                _fields(after.get(f"users/{taker}")),
            ),
        )
        self.moved[task] = self._check_lots(giver, taker, old, new, entries)
        self._check_debt(old, new, entries[taker])
        for path in writes:
            if path.startswith(MOVED):
                self._check_moved(giver, taker, _fields(before[path]), _fields(after[path]), path)
        self._check_left(task, giver)
        self._check_customer(task, giver, taker, before, writes)

    def _check_kinds(
        self,
        task: Task,
        giver: str,
        taker: str,
        writes: Mapping[str, Write],
        entries: Mapping[str, list[Fields]],
    ) -> None:
        own = tuple(f"users/{user_id}/transactions/" for user_id in (giver, taker))
        customers = tuple(f"stripeCustomers/{user_id}" for user_id in (giver, taker))
        for path in writes:
            is_users = path in (f"users/{giver}", f"users/{taker}", *customers)
            is_log = path.startswith("adminActions/") and task.kind == "transfer"
            if not (is_users or is_log or path.startswith((*own, *MOVED, "events/"))):
                raise Violation(f"{task} merges {giver} into {taker}, and writes {path}")
        for user_id, allowed in ((giver, BY_GIVER), (taker, BY_TAKER)):
            if other := {entry["type"] for entry in entries[user_id]} - allowed:
                raise Violation(f"{task} merges {giver} into {taker}: {other} of {user_id}")

    def _check_lots(
        self,
        giver: str,
        taker: str,
        old: tuple[Fields, Fields],
        new: tuple[Fields, Fields],
        entries: Mapping[str, list[Fields]],
    ) -> int:
        """All paid lots move, whole and as they are; how many credits that is."""
        held: Fields = old[0].get("lots", {})
        paid = {lot_id: lot["remaining"] for lot_id, lot in held.items() if is_paid(lot)}
        for entry in _of_type(entries[giver], "expiry"):
            for part in entry["lots"]:
                if part["lot"] in paid:
                    paid[part["lot"]] -= part["credits"]
        paid = {lot_id: credits for lot_id, credits in paid.items() if credits}
        outs, ins = (
            _of_type(entries[giver], "transfer_out"),
            _of_type(entries[taker], "transfer_in"),
        )
        given = {part["lot"]: part["credits"] for entry in outs for part in entry["lots"]}
        if len(outs) > 1 or given != paid:
            raise Violation(f"{giver} gives {given} to {taker}, and has bought {paid}")
        if left := [lot_id for lot_id, lot in new[0].get("lots", {}).items() if is_paid(lot)]:
            raise Violation(f"{giver} keeps {left} of what was paid for")
        if len(ins) != len(outs):
            raise Violation(f"{giver} has {len(outs)} entries for {len(ins)} of {taker}")
        for out, into in zip(outs, ins, strict=True):
            self._check_pair(out, into, held, new[1])
        return sum(paid.values())

    def _check_pair(self, out: Fields, into: Fields, held: Fields, taker: Fields) -> None:
        """The two entries say the same, and each lot is what it was."""
        names = {entry["id"].removesuffix(f"-{entry['type']}") for entry in (out, into)}
        if len(names) > 1 or any(out[name] != into[name] for name in ("credits", "reason")):
            raise Violation(f"{out} has become {into}")
        pairs = zip(out["lots"], into["lots"], strict=True)
        for number, (given, taken) in enumerate(pairs, start=1):
            terms, name = held[given["lot"]], f"{into['id']}-{number}"
            expected = given["lot"] if "purchaseId" in terms else name
            if (taken["lot"], taken["credits"]) != (expected, given["credits"]):
                raise Violation(f"{given} has become {taken}")
            lot = taker.get("lots", {}).get(expected, terms)  # else all of it has paid debt
            if any(lot.get(name) != terms.get(name) for name in TERMS):
                raise Violation(f"{given} was {terms}, and has become {lot}")

    def _check_debt(
        self, old: tuple[Fields, Fields], new: tuple[Fields, Fields], by_taker: list[Fields]
    ) -> None:
        paid = sum(entry["credits"] for entry in _of_type(by_taker, "clawback"))
        before, after = (tuple(user.get("debt", 0) for user in each) for each in (old, new))
        if after != (0, sum(before) - paid):
            raise Violation(f"debts of {before} have become {after}, and {paid} were paid")

    def _check_moved(self, giver: str, taker: str, old: Fields, new: Fields, path: str) -> None:
        """A purchase or a link has become the taker's, or was the taker's; it owes as before."""
        owner = taker if old.get("userId") in (giver, taker) else old.get("userId")
        names = {name for name in (*old, *new) if old.get(name) != new.get(name)}
        if new.get("userId") != owner or names - MAY_CHANGE - {"userId"}:
            raise Violation(f"{path} was {old}, and has become {new}")
        before, after = (sum(each.get(name, 0) for name in TAKEN) for each in (old, new))
        if before != after:
            raise Violation(f"{before} credits of {path} were taken back or owed, now {after} are")

    def _check_left(self, task: Task, giver: str) -> None:
        """What has stood there since before the call has moved, and what was booked has."""
        started = EPOCH + timedelta(seconds=task.started)
        for path, document in self._memory.documents.items():
            is_moved = path.startswith(MOVED) or path == f"stripeCustomers/{giver}"
            if not is_moved or giver not in (document.get("userId"), document.id):
                continue
            is_old = document.update_time is not None and document.update_time < started
            if is_old or document.get("lotId") is not None:
                raise Violation(f"{path} stays with {giver}: {document.fields}")

    def _check_customer(
        self,
        task: Task,
        giver: str,
        taker: str,
        before: Mapping[str, Document | None],
        writes: dict[str, Write],
    ) -> None:
        """Stripe's customer goes along, unless the taker is one, too."""
        old_path, new_path = f"stripeCustomers/{giver}", f"stripeCustomers/{taker}"
        gone, made = writes.pop(old_path, None), writes.get(new_path)
        if gone is None and made is None:
            return
        if not isinstance(gone, Delete) or new_path not in self._memory.documents:
            raise Violation(f"{task} changes {old_path} and {new_path}")
        is_same = made is None or (
            isinstance(made, Create) and made.fields == _fields(before[old_path])
        )
        if not is_same:
            raise Violation(f"{before[old_path]} has become {made}")


def _entries(writes: Mapping[str, Write], user_id: str) -> list[Fields]:
    own = f"users/{user_id}/transactions/"
    return [
        {**write.fields, "id": path.removeprefix(own)}
        for path, write in writes.items()
        if path.startswith(own) and isinstance(write, Create)
    ]


def _of_type(entries: list[Fields], kind: str) -> list[Fields]:
    return [entry for entry in entries if entry["type"] == kind]


def _user(
    user_id: str, before: Mapping[str, Document | None], after: Mapping[str, Document]
) -> Fields:
    """The user document as it was; what is not written has not changed."""
    path = f"users/{user_id}"
    return _fields(before[path] if path in before else after.get(path))


def _fields(document: Document | None) -> Fields:
    return (document.fields or {}) if document is not None else {}
