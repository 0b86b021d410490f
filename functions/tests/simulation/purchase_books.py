"""An independent account of what purchases brought, what was taken back, and what is owed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simulation.lot_books import is_paid
from simulation.memory_store import MemoryStore
from simulation.tombstones import Tombstones
from simulation.world import Violation

Fields = Mapping[str, Any]


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
        taken_back = sum(purchase.get("clawedBack", 0) for purchase in purchases.values())
        paid = {each: lot for each, lot in new.get("lots", {}).items() if is_paid(lot)}
        # One that is still on its way to a tombstone pays when it arrives.
        if paid and any(p.get("owed") for p in purchases.values() if p["userId"] == user_id):
            raise Violation(f"{user_id} keeps {paid}, and owes {owed}")
        if new.get("debt", 0) != owed:
            raise Violation(f"{user_id} has a debt of {new.get('debt')}, the purchases owe {owed}")
        prefixes = tuple(f"users/{name}/transactions/" for name in names)
        by_the_ledger = -sum(
            document["delta"]
            for path, document in self._memory.documents.items()
            if path.startswith(prefixes) and document["type"] in ("clawback", "reinstatement")
        )
        if taken_back != by_the_ledger:
            raise Violation(f"{taken_back} were clawed back, the ledger says {by_the_ledger}")
