"""An independent account of what purchases brought, what was taken back, and what is owed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from simulation.lot_books import is_paid
from simulation.memory_store import MemoryStore
from simulation.tombstones import Tombstones
from simulation.world import Violation

Fields = Mapping[str, Any]
TAKING_BACK = ("clawback", "reinstatement")


class PurchaseBooks:
    """Raises Violation when a purchase or a debt is not what it must be."""

    def __init__(self, memory: MemoryStore, tombstones: Tombstones) -> None:
        self._memory = memory
        self._tombstones = tombstones

    def check_debt(self, user_id: str, old: Fields, new: Fields, entries: Sequence[Fields]) -> None:
        """I15, and that the debt of a user is what the purchases owe."""
        if old.get("debt", 0) and any(entry["type"] == "deduction" for entry in entries):
            raise Violation(f"{user_id} spends with a debt of {old['debt']}")
        names = self._tombstones.names(user_id)
        purchases = {
            document.id: document
            for path, document in self._memory.documents.items()
            if path.startswith("purchases/") and document.get("userId") in names
        }
        owed = sum(purchase.get("owed", 0) for purchase in purchases.values())
        paid = {each: lot for each, lot in new.get("lots", {}).items() if is_paid(lot)}
        # One that is still on its way to a tombstone pays when it arrives.
        if paid and any(p.get("owed") for p in purchases.values() if p["userId"] == user_id):
            raise Violation(f"{user_id} keeps {paid}, and owes {owed}")
        if new.get("debt", 0) != owed:
            raise Violation(f"{user_id} has a debt of {new.get('debt')}, the purchases owe {owed}")
        by_the_ledger = self._taken_back()
        for purchase_id, purchase in purchases.items():
            taken_back, expected = purchase.get("clawedBack", 0), by_the_ledger[purchase_id]
            if taken_back != expected:
                raise Violation(f"{taken_back} were clawed back, the ledger says {expected}")
        for entry in entries:
            bought = _purchase_of(entry)
            if bought is not None and bought not in purchases:
                raise Violation(f"{user_id} pays for {bought} of somebody else: {entry}")

    def _taken_back(self) -> Counter[str]:
        """By purchase, whoever had it when its entries were written."""
        taken = Counter[str]()
        for path, document in self._memory.documents.items():
            if "/transactions/" in path:
                entry = {**(document.fields or {}), "id": document.id}
                if (purchase_id := _purchase_of(entry)) is not None:
                    taken[purchase_id] -= entry["delta"]
        return taken


def _purchase_of(entry: Fields) -> str | None:
    """The purchase of which an entry takes credits back, or gives some back."""
    kind = entry["type"]
    return entry["id"].rpartition(f"-{kind}-")[0] if kind in TAKING_BACK else None
