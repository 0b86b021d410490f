"""Which events a commit must write, and that it writes these and no others (I16)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from imagegen.firestore.store import Create, Document, Update
from simulation.consumers import Consumers
from simulation.world import Violation

ENDED = ("completed", "failed", "canceled")
OF_ENTRIES = {
    "grant": "credits.granted",
    "purchase": "credits.purchased",
    "expiry": "credits.expired",
    "clawback": "credits.clawed_back",
}
NEVER_CHANGES = ("type", "about", "userId", "createdAt")


class Told:
    """Compares the events of each commit with what the commit changes."""

    def __init__(self, consumers: Consumers, low_balance: int) -> None:
        self._consumers = consumers
        self._low = low_balance

    def committed(
        self,
        before: Mapping[str, Document | None],
        writes: Sequence[Create | Update],
        after: Mapping[str, Document],
    ) -> None:
        """Check one commit that has just been applied."""
        written: Counter[tuple[str, str]] = Counter()
        for write in writes:
            if not write.path.startswith("events/"):
                continue
            old, new = before[write.path], after[write.path].fields or {}
            if old is None:
                written[new["type"], new["about"]] += 1
                self._check_recipients(new, after)
            elif any(old[name] != new[name] for name in NEVER_CHANGES):
                raise Violation(f"{write.path} has become another event")
        happened = Counter(
            (kind, write.path)
            for write in writes
            for kind in self._changes(write, before[write.path], after)
        )
        for change in happened | written:
            required = self._is_required(change[0])
            most = happened[change] if required or self._may_be_told(change, after) else 0
            least = happened[change] if required else 0
            if not least <= written[change] <= most:
                counts = f"happened {happened[change]} times, and was told {written[change]} times"
                raise Violation(f"{change} {counts}")

    def _changes(
        self, write: Create | Update, old: Document | None, after: Mapping[str, Document]
    ) -> list[str]:
        new = after[write.path].fields or {}
        if write.path.startswith("generationRequests/"):
            was_open = old is not None and old.get("status") not in ENDED
            is_told = was_open and new.get("status") in ENDED
            return [f"generation.{new['status']}"] if is_told else []
        if "/transactions/" in write.path:
            told = [OF_ENTRIES[new["type"]]] if new["type"] in OF_ENTRIES else []
            if new["balanceAfter"] < self._low <= new["balanceAfter"] - new["delta"]:
                told.append("credits.low")
            return told
        return []

    def _is_required(self, event_type: str) -> bool:
        """Whether an endpoint asked for it that is certainly still there."""
        consumers = self._consumers
        return any(
            event_type in types and name not in consumers.gone
            for name, types in consumers.types.items()
        )

    def _may_be_told(self, change: tuple[str, str], after: Mapping[str, Document]) -> bool:
        event_type, path = change
        asked = any(event_type in types for types in self._consumers.types.values())
        request = after[path].fields or {}
        return asked or (event_type.startswith("generation.") and bool(request.get("notify")))

    def _check_recipients(self, event: Mapping[str, Any], after: Mapping[str, Document]) -> None:
        names, event_type = set(event["deliveries"]), event["type"]
        types = self._consumers.types
        allowed = {name for name in types if event_type in types[name]}
        required = allowed - self._consumers.gone
        request = after[event["about"]].fields or {}
        notified = event_type in ("generation.completed", "generation.failed")
        if notified and request.get("notify") and request.get("mode") == "async":
            required, allowed = required | {"push"}, allowed | {"push"}
        if not required <= names <= allowed:
            raise Violation(f"{event_type} is for {sorted(names)}, not {sorted(required)}")
