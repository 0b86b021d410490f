"""An independent account of what purchases brought, what was taken back, and what is owed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simulation.memory_store import MemoryStore
from simulation.world import Violation

Fields = Mapping[str, Any]


class PurchaseBooks:
    """Raises Violation when a purchase or a debt is not what it must be."""

    def __init__(self, memory: MemoryStore) -> None:
        self._memory = memory
        self.former: dict[str, str] = {}  # by tombstone: the user it was

    def written(self, old: Fields | None, new: Fields, target: int | None) -> None:
        """I13: what is taken back or owed is the target, and never more than was bought."""
        if target is not None and _taken(new) != target:
            raise Violation(f"{target} should be taken back, and it is {new}")
        if old is not None and old["credits"] != new["credits"]:
            raise Violation(f"a purchase was changed: {old} to {new}")
        if min(new["clawedBack"], new["owed"]) < 0 or _taken(new) > new["credits"]:
            raise Violation(f"more was taken back than was bought: {new}")

    def check_debt(self, user_id: str, old: Fields, new: Fields, entries: Sequence[Fields]) -> None:
        """I15, and that the debt of a user is what the purchases owe."""
        if old.get("debt", 0) and any(entry["type"] == "deduction" for entry in entries):
            raise Violation(f"{user_id} spends with a debt of {old['debt']}")
        names = (user_id, self.former.get(user_id, user_id))
        purchases = {
            document.id: document
            for path, document in self._memory.documents.items()
            if path.startswith("purchases/") and document["userId"] in names
        }
        owed = sum(purchase["owed"] for purchase in purchases.values())
        taken_back = sum(purchase["clawedBack"] for purchase in purchases.values())
        for lot_id, lot in new.get("lots", {}).items():
            purchase = purchases.get(lot.get("purchaseId"))
            if purchase and purchase["owed"]:
                raise Violation(f"{lot_id} is kept, and its purchase owes {purchase['owed']}")
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


def _taken(purchase: Fields) -> int:
    return int(purchase["clawedBack"] + purchase["owed"])
