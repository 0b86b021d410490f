"""What the payment providers know to be true: who paid for what, and what has gone back since.

From it alone follows what a purchase must have brought, and what must be taken back of it, in
whatever order it is told, and however often.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from imagegen import db
from imagegen.firestore.store import Document
from simulation.lot_books import GRACE
from simulation.memory_store import MemoryStore
from simulation.orders import Offered
from simulation.tombstones import Tombstones
from simulation.world import EPOCH, Task, Violation

Fields = Mapping[str, Any]
# What the operator sells. Prices are those of the providers.
PRODUCTS: dict[str, dict[str, Any]] = {
    "pack": {"credits": 6, "kind": "purchase", "stripePrice": "price_pack"},
    "day": {"credits": 5, "kind": "purchase", "validDays": 1, "stripePrice": "price_day"},
    "monthly": {"credits": 4, "kind": "subscription", "stripePrice": "price_monthly"},
    "yearly": {"credits": 7, "kind": "subscription", "stripePrice": "price_yearly"},
}
for _name, _fields in PRODUCTS.items():
    _fields["revenueCatProduct"] = f"app.{_name}"
NEVER_CHANGES = ("credits", "lotId", "amount", "isTest")


TAKEN = ("clawedBack", "owed", "waived")


@dataclass
class Back:
    """Money that went back, or was taken from us. `counts`: it is gone as of now."""

    amount: int
    counts: bool = True
    has_counted: bool = True
    returned: bool = False  # it had gone, or was about to, and came back


@dataclass
class Sale:
    """A payment, under the id that the purchase of it must have."""

    purchase_id: str
    user_id: str
    product: str
    amount: int
    paid_at: datetime | None = None  # None: not paid, or not yet
    period_end: datetime | None = None
    quantity: int = 1
    names_user: bool = True  # else the operator has to say whose it is
    is_ours: bool = True  # else of another mode, or nobody's money: nothing may come of it
    is_test: bool = True
    ended: str | None = None  # of one that was never paid: failed or expired
    refunds: dict[str, Back] = field(default_factory=dict)
    disputes: dict[str, Back] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.purchase_id} ({self.product} of {self.user_id} for {self.amount})"

    @property
    def is_due(self) -> bool:
        return self.paid_at is not None and self.is_ours

    def target(self, credits: int) -> int:
        """How many of its credits must be taken back."""
        gone = [each.amount for each in self._back() if each.counts]
        return self._share(credits, gone)

    def most_ever(self, credits: int) -> int:
        """How many can have been taken back at any time."""
        gone = [each.amount for each in self._back() if each.has_counted]
        return self._share(credits, gone)

    def status(self) -> str:
        refunds = [each for each in self.refunds.values() if each.counts]
        if any(each.counts for each in self.disputes.values()):
            return "disputed"
        if refunds:
            is_whole = sum(each.amount for each in refunds) >= self.amount
            return "refunded" if is_whole else "partially_refunded"
        return "reinstated" if any(each.returned for each in self._back()) else "paid"

    def _back(self) -> list[Back]:
        return [*self.refunds.values(), *self.disputes.values()]

    def _share(self, credits: int, gone: list[int]) -> int:
        if self.amount == 0:
            return credits if gone else 0
        return credits * min(self.amount, sum(gone)) // self.amount


class Sales:
    """All sales; raises Violation when a purchase is not what its sale says."""

    def __init__(
        self, memory: MemoryStore, offered: Offered, margin: timedelta, tombstones: Tombstones
    ) -> None:
        self._memory = memory
        self._offered = offered
        self._margin = margin
        self._tombstones = tombstones
        self.by_id: dict[str, Sale] = {}

    def add(self, sale: Sale) -> Sale:
        self.by_id[sale.purchase_id] = sale
        return sale

    def written(self, task: Task, purchase_id: str, old: Fields | None, new: Fields) -> None:
        """Check a purchase that `task` has just written (I13)."""
        sale = self.by_id.get(purchase_id)
        before = old or {}
        was_booked = before.get("lotId") is not None
        if was_booked and (changed := [n for n in NEVER_CHANGES if before.get(n) != new.get(n)]):
            raise Violation(f"{changed} of {purchase_id} changed: {old} to {new}")
        if was_booked and not self._may_become(before["userId"], new["userId"]):
            raise Violation(f"{purchase_id} of {before['userId']} became {new['userId']}'s")
        if new.get("lotId") is not None:
            if sale is None or not sale.is_due:
                raise Violation(f"{purchase_id} was booked, and nobody has paid for it")
            if not was_booked:
                self._check_booked(task, sale, before, new)
            self._check_taken(sale, before, new)
        elif task.kind == "checkout" and old is None:
            self._check_promise(task, new)
        elif new["status"] == "unmatched":
            self._check_unmatched(task, sale, before, new)

    def _may_become(self, old: str, new: str) -> bool:
        """Whether the purchase of one user may now be that of another."""
        tombstones, documents = self._tombstones, self._memory.documents
        return (old, new) == tombstones.moving or tombstones.is_same_holder(old, new, documents)

    def _check_taken(self, sale: Sale, before: Fields, new: Fields) -> None:
        taken, expired = _taken(new), new.get("expiredCredits", 0)
        if min(new.get(name, 0) for name in TAKEN) < 0 or taken > new["credits"]:
            raise Violation(f"more was taken back than was bought: {new}")
        if taken > (most := sale.most_ever(new["credits"])):
            raise Violation(f"{taken} were taken back, at most {most} may be: {sale}")
        if taken > _taken(before) and taken + expired > most:
            raise Violation(f"{taken} are taken back, although {expired} have expired: {sale}")

    def _check_booked(self, task: Task, sale: Sale, old: Fields, new: Fields) -> None:
        user_id, told = new["userId"], (new["amount"], new["isTest"])
        documents = self._memory.documents
        is_right = user_id in {
            self._tombstones.holder(each, documents) for each in self._payers(task, sale, new)
        }
        if not is_right or told != (sale.amount, sale.is_test):
            raise Violation(f"{told} was booked for {user_id}: {sale}")
        promised = {old["credits"]} if old.get("credits") else self._credits(sale, task.started)
        if new["credits"] not in promised:
            raise Violation(f"{new['credits']} credits were booked, not {promised}, for {sale}")
        entry_path = f"{db.entries(user_id)}/{sale.purchase_id}-purchase"
        entry = documents.get(entry_path)
        if entry is None or entry["credits"] != new["credits"]:
            raise Violation(f"{sale.purchase_id} was booked without its entry")
        lots = documents[db.user(user_id)]["lots"]
        lot = lots.get(sale.purchase_id)
        if lot is not None:  # else all of it has paid debt
            expected = self._terms(sale, entry["timestamp"])
            if any(lot.get(name) != value for name, value in expected.items()):
                raise Violation(f"{sale.purchase_id} brought {lot}, not {expected}")

    def _payers(self, task: Task, sale: Sale, new: Fields) -> set[str]:
        """Who may have paid: whose the subscription is known to be, else whom its metadata names.

        It is another's after a transfer or merge. While that goes on, it may be either's.
        """
        link = self._memory.documents.get(f"stripeLinks/{new.get('stripeSubscription')}")
        linked = link.get("userId") if link is not None else None
        if link is None or linked is None:
            return {sale.user_id}
        started = EPOCH + timedelta(seconds=task.started)
        is_settled = link.update_time is not None and link.update_time < started
        if is_settled and task.kind == "webhook":
            return {linked}
        merged = {each for each, into in self._tombstones.merged.items() if into == linked}
        return {linked, sale.user_id} | merged

    def _terms(self, sale: Sale, moment: datetime) -> Fields:
        product = PRODUCTS[sale.product]
        end = sale.period_end + self._margin if sale.period_end else None
        if product["kind"] != "subscription":
            days = product.get("validDays")
            end = sale.paid_at + timedelta(days=days) if days and sale.paid_at else None
        if end is not None and end <= moment:  # it was told too late; nobody pays for nothing
            end = moment + GRACE
        return {"kind": product["kind"], "expiresAt": end, "purchaseId": sale.purchase_id}

    def _check_promise(self, task: Task, new: Fields) -> None:
        options = self._offered.during("products", task.asked.product, task.started)
        if new["credits"] not in options or new["userId"] != task.asked.user_id:
            raise Violation(f"{task} promises {new}")

    def _check_unmatched(self, task: Task, sale: Sale | None, old: Fields, new: Fields) -> None:
        if sale is None:
            raise Violation(f"a purchase of nothing is kept: {new}")
        match new["reason"]:
            case reason if reason == old.get("reason"):
                is_right = True  # something else of it was noted: a refund, for example
            case "no_user":
                is_right = not sale.names_user
            case "no_product":
                is_right = None in self._offered.during("products", sale.product, task.started)
            case other:
                is_right = other == "no_payment" and bool(sale.refunds or sale.disputes)
        if not is_right:
            raise Violation(f"{sale} is unmatched for {new['reason']}")

    def _credits(self, sale: Sale, since: float) -> set[int]:
        offers = self._offered.during("products", sale.product, since)
        return {credits * sale.quantity for credits in offers if credits is not None}

    def check_at_rest(self, documents: Mapping[str, Document]) -> None:
        """What was paid has come in, and what is gone has been taken back: no more, no less."""
        for sale in self.by_id.values():
            document = documents.get(db.purchase(sale.purchase_id))
            purchase = (document.fields or {}) if document is not None else {}
            if not sale.is_due:
                if sale.is_ours and sale.ended and purchase and purchase["status"] != sale.ended:
                    raise Violation(f"{sale.purchase_id} is {purchase['status']}: {sale}")
                continue
            if purchase.get("lotId") is None:
                raise Violation(f"was paid and not booked: {sale}")
            # What has expired counts as given back, unless it expired when the rest was taken.
            taken, target = _taken(purchase), sale.target(purchase["credits"])
            expired = purchase.get("expiredCredits", 0)
            if not target - expired <= taken <= target:
                raise Violation(f"{taken} credits were taken back, not {target}: {sale}")
            if expired < (by_the_ledger := _expired(sale.purchase_id, documents)):
                raise Violation(f"{expired} of {by_the_ledger} credits have expired: {sale}")
            if purchase["status"] != sale.status():
                raise Violation(f"{purchase['status']}, and should be {sale.status()}: {sale}")


def _taken(purchase: Fields) -> int:
    """What was taken back of a purchase, is owed of it, or has been waived."""
    return sum(purchase.get(name, 0) for name in TAKEN)


def _expired(lot_id: str, documents: Mapping[str, Document]) -> int:
    """How many credits of a lot have expired, as the entries say."""
    return sum(
        part["credits"]
        for path, document in documents.items()
        if "/transactions/" in path and document["type"] == "expiry"
        for part in document["lots"]
        if part["lot"] == lot_id
    )
