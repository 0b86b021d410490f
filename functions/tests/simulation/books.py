"""An independent bookkeeper: it sees every commit that is applied, and says what must not be.

It has its own balances, computed from the ledger entries alone, and its own list of the changes
of state that are allowed, and for whom. With the code under test it shares only what types of
entries there are and their signs, through the audit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from imagegen.audit.entries import OF_REQUESTS, read_entry
from imagegen.firestore.store import Create, Document, Update
from simulation.lot_books import LotBooks
from simulation.memory_store import MemoryStore
from simulation.painters import Painters
from simulation.purchase_books import PurchaseBooks
from simulation.rights import Rights
from simulation.sales import Sales
from simulation.tombstones import Tombstones
from simulation.vendors import Vendors
from simulation.world import Task, Violation, World

ITS_OWN = frozenset(
    {
        "users",
        "events",
        "webhookEndpoints",
        "modelSuspensions",
        "stripeLinks",
        "stripeCustomers",
        "adminActions",
    }
)
OPEN = ("pending", "processing")
REFUNDED = ("failed", "canceled")
NEXT = {
    "pending": ("pending", "processing", "completed", "failed", "canceled"),
    "processing": ("processing", "completed", "failed"),
}
PRICED = ("userId", "mode", "credits", "createdAt", "fingerprint")
NEVER_CHANGES = (*PRICED, "model", "style", "color", "size", "prompt", "source")


@dataclass
class Account:
    """What a user has, from the ledger alone; every balance there ever was, and since when."""

    opening: int
    balance: int
    versions: list[tuple[float, Mapping[str, Any]]]  # of the document; empty where there is none
    entries: list[Mapping[str, Any]] = field(default_factory=list)
    history: list[tuple[float, int]] = field(default_factory=list)
    deleted: bool = False  # by hand, perhaps opened again since
    orphaned: bool = False  # it was opened again, and entries of before are still there
    broken: bool = False  # its balance or its sequence is malformed
    was_broken: bool = False  # and perhaps deleted and opened again since
    spoiled: bool = False  # so is something that is rebuilt from empty


class Books:
    """Follows the store commit by commit; raises Violation at the first that is wrong."""

    def __init__(
        self,
        world: World,
        memory: MemoryStore,
        painters: Painters,
        vendors: Vendors,
        settings: Mapping[str, str],
        sales: Sales,
        tombstones: Tombstones,
    ) -> None:
        self._world = world
        self.vendors = vendors
        self._memory = memory
        self.lots = LotBooks(settings)
        self.tombstones = tombstones
        self._purchases = PurchaseBooks(memory, tombstones)
        self._sales = sales
        self.accounts: dict[str, Account] = {}
        self.requests: dict[str, list[tuple[float, Mapping[str, Any]]]] = {}  # every version
        self.charged_by: dict[str, Task] = {}
        self.deleted: set[str] = set()  # requests, by hand
        self.broken: set[str] = set()  # requests that lack something that is needed
        self.unrefunded: set[str] = set()  # requests that ended when their user was gone
        self.rights = Rights(painters)

    def open_account(self, user_id: str, user: Mapping[str, Any]) -> None:
        """Know a user, who has this document, or none yet if it is empty."""
        credits, seconds = user.get("credits", 0), self._world.seconds
        versions = [(seconds, user)]
        self.accounts[user_id] = Account(credits, credits, versions, history=[(seconds, credits)])
        self.lots.open_account(user_id, user)

    def move_account(self, user_id: str, tombstone: str, document: Mapping[str, Any]) -> None:
        """Know the account of a user who has left as that of the tombstone."""
        seconds, account = self._world.seconds, self.accounts[user_id]
        self.accounts[tombstone] = replace(account, versions=[(seconds, document)])
        gone = [*account.versions, (seconds, {})]
        self.accounts[user_id] = Account(0, 0, gone, history=account.history)
        self.lots.move_account(user_id, tombstone)

    def move_request(self, request_id: str, request: Mapping[str, Any]) -> None:
        """Know a request that has ended as that of the tombstone."""
        self.requests[request_id].append((self._world.seconds, request))

    def state(self, request_id: str) -> Mapping[str, Any]:
        """A request as it stands; empty where there is none."""
        versions = self.requests.get(request_id)
        return versions[-1][1] if versions else {}

    def request_deleted(self, request_id: str) -> None:
        tombstone = {**self.state(request_id), "status": "deleted"}
        self.requests[request_id].append((self._world.seconds, tombstone))
        self.deleted.add(request_id)

    def is_broken(self, request_id: str | None) -> bool:
        """Whether the request, or the user who would get its refund, is malformed."""
        if request_id not in self.charged_by:
            return False
        user_id = self.charged_by[request_id].asked.user_id
        return request_id in self.broken or self.accounts[user_id].broken

    def is_edited(self, path: str) -> bool:
        """Whether the request at `path` was deleted or made malformed by hand."""
        return path.rpartition("/")[2] in self.deleted | self.broken

    def was(self, request_id: str, states: Sequence[str], since: float) -> bool:
        """Whether the request was in one of `states` at some moment from the second `since` on."""
        versions = self.requests.get(request_id, [])
        return any(
            version["status"] in states and end >= since
            for (_, version), end in zip(versions, _ends(versions), strict=True)
        )

    def versions(self, user_id: str, since: float) -> list[Mapping[str, Any]]:
        """The documents that the user had from the second `since` on."""
        versions = self.accounts[user_id].versions
        return [
            version
            for (_, version), end in zip(versions, _ends(versions), strict=True)
            if end >= since
        ]

    def may_show(self, user_id: str, balance: int, since: float) -> bool:
        """Whether a call that began at `since` may name this balance of the user."""
        return any(
            balance in self.lots.may_show(user_id, version)
            for version in self.versions(user_id, since)
        )

    def may_be_unknown(self, user_id: str, caller: str | None, since: float) -> bool:
        """Whether a call that began at `since` may find no such user, and open no account."""
        if user_id not in self.accounts:
            return True
        is_opened = caller == user_id and self.lots.opens(user_id)
        return not is_opened and {} in self.versions(user_id, since)

    def committed(
        self,
        task: Task,
        before: Mapping[str, Document | None],
        writes: Sequence[Create | Update],
        after: Mapping[str, Document],
    ) -> None:
        """Check one commit that `task` has sent and that has just been applied."""
        entries: dict[tuple[str, str | None], Mapping[str, Any]] = {}
        self._log_is_unchanged(task, before, writes)
        self._open_again({path for path, document in before.items() if document is None})
        for write in writes:
            if "/transactions/" in write.path:
                self._enter(write, before[write.path], entries, [w.path for w in writes])
        for write in writes:
            collection, _, document_id = write.path.partition("/")
            old = before[write.path]
            old_fields = old.fields if old is not None else None
            new = after[write.path].fields or {}
            if collection == "users" and "/" not in document_id:
                self._check_opening(task, document_id, old_fields)
                self._balance(document_id, new, write.fields)
                if not self.accounts[document_id].broken:
                    self._check_lots(document_id, old_fields or {}, new, before, writes, after)
            elif collection == "generationRequests":
                self._request(task, document_id, old_fields, new, entries)
            elif collection == "purchases":
                self._sales.written(task, document_id, old_fields, new)
            elif collection not in ITS_OWN:
                raise Violation(f"{write.path} is none of its business")
        if entries:
            raise Violation(f"entries without a cause: {list(entries)}")

    def _log_is_unchanged(
        self,
        task: Task,
        before: Mapping[str, Document | None],
        writes: Sequence[Create | Update],
    ) -> None:
        for write in writes:
            if write.path.startswith("adminActions/") and before[write.path] is not None:
                raise Violation(f"{task} changes {write.path}, a line of the log")

    def _open_again(self, created: Set[str]) -> None:
        """Begin a new account where the document of one is created that was deleted by hand."""
        for user_id, account in self.accounts.items():
            if account.deleted and f"users/{user_id}" in created:
                account.orphaned = account.orphaned or bool(account.entries)
                account.balance, account.entries = 0, []
                account.broken, account.spoiled = False, True
                self.lots.open_account(user_id, {})

    def _check_opening(self, task: Task, user_id: str, old: Mapping[str, Any] | None) -> None:
        if old is None and task.kind == "create" and task.asked.caller != user_id:
            raise Violation(f"{task} opened an account for {user_id}")

    def _check_lots(
        self,
        user_id: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        before: Mapping[str, Document | None],
        writes: Sequence[Create | Update],
        after: Mapping[str, Document],
    ) -> None:
        own = f"users/{user_id}/transactions/"
        entries = [
            {**write.fields, "id": write.path.removeprefix(own)}
            for write in writes
            if write.path.startswith(own)
        ]
        written = {write.path: after[write.path].fields or {} for write in writes}
        requests = {
            path.removeprefix("generationRequests/"): fields
            for path, fields in written.items()
            if path.startswith("generationRequests/")
        }
        earlier = [document.fields or {} for document in before.values() if document is not None]
        clawed_back = [
            part
            for fields in (*earlier, *written.values())
            for part in fields.get("clawedBackLots", ())
        ]
        self.lots.committed(user_id, new, entries, requests, clawed_back)
        if not self.accounts[user_id].deleted:  # its debt is gone with its document
            self._purchases.check_debt(user_id, old, new, entries)

    def _enter(
        self,
        write: Create | Update,
        old: Document | None,
        entries: dict[tuple[str, str | None], Mapping[str, Any]],
        paths: Sequence[str],
    ) -> None:
        entry, user_id = write.fields, write.path.split("/")[1]
        if old is not None:
            raise Violation(f"a ledger entry was changed: {write.path}")
        if f"users/{user_id}" not in paths:
            raise Violation("an entry without its balance")
        account, entry_id = self.accounts[user_id], write.path.rpartition("/")[2]
        try:
            read = read_entry(entry_id, entry)
        except ValueError as error:
            raise Violation(f"{write.path} makes no sense: {error}") from error
        account.balance += read.delta
        account.entries.append({**entry, "id": entry_id})
        account.history.append((self._world.seconds, account.balance))
        if account.balance < 0:
            raise Violation(f"{user_id} is left with {account.balance}")
        if (read.sequence, read.balance_after) != (len(account.entries), account.balance):
            raise Violation(f"{write.path} does not follow from the entry before")
        if read.type in OF_REQUESTS:
            entries[read.type, read.request_id] = {**entry, "userId": user_id}

    def _balance(self, user_id: str, new: Mapping[str, Any], written: Mapping[str, Any]) -> None:
        account = self.accounts[user_id]
        if account.broken and not written.keys() & {"credits", "ledgerSequence"}:
            return
        if "credits" in written and type(written["credits"]) is not int:
            raise Violation(f"{user_id} was left with {written['credits']!r}")
        stated = (new["credits"], new.get("ledgerSequence", 0))
        if stated != (account.balance, len(account.entries)):
            raise Violation(f"{user_id} has {stated}, the ledger says {account.balance}")
        account.versions.append((self._world.seconds, new))

    def _request(
        self,
        task: Task,
        request_id: str,
        old: Mapping[str, Any] | None,
        new: Mapping[str, Any],
        entries: dict[tuple[str, str | None], Mapping[str, Any]],
    ) -> None:
        self.requests.setdefault(request_id, []).append((self._world.seconds, new))
        if old is None:
            self._matches(entries.pop(("deduction", request_id), None), new, "deduction")
            if new["status"] != "pending":
                raise Violation(f"a request begins as {new['status']}")
            self.charged_by[request_id] = task
            self.vendors.ordered[request_id] = new["model"]
            self.rights.begin(task, request_id)
            task.charges.append(request_id)
            return
        if new["status"] not in NEXT.get(old["status"], ()):
            raise Violation(f"{old['status']} became {new['status']}")
        changed = [name for name in NEVER_CHANGES if old[name] != new[name]]
        if changed and request_id not in self.broken:  # NaN is not equal to itself
            raise Violation(f"{changed} of {request_id} changed")
        if new["status"] in REFUNDED and new.get("refundedCredits") == 0:
            self._gone(request_id)
        elif new["status"] in REFUNDED:
            self._matches(entries.pop(("refund", request_id), None), new, "refund")
        self.rights.require(task, request_id, old, new)

    def _gone(self, request_id: str) -> None:
        if not self.accounts[self.charged_by[request_id].asked.user_id].deleted:
            raise Violation(f"{request_id} has ended without a refund")
        self.unrefunded.add(request_id)

    def _matches(
        self, entry: Mapping[str, Any] | None, request: Mapping[str, Any], kind: str
    ) -> None:
        if entry is None:
            raise Violation(f"{request['status']} without a {kind}")
        if (entry["userId"], entry["credits"]) != (request["userId"], request["credits"]):
            raise Violation(f"a {kind} of {entry['credits']} for {request['credits']}")


def _ends(versions: Sequence[tuple[float, Any]]) -> list[float]:
    return [*(seconds for seconds, _ in versions[1:]), float("inf")][: len(versions)]
