"""The lots, entries and debts of two accounts, of which one gives the other what was paid for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulation.lot_books import is_paid
from simulation.world import Violation

Fields = Mapping[str, Any]
TERMS = ("kind", "priority", "expiresAt", "grantedAt", "purchaseId")


@dataclass(frozen=True)
class Side:
    """The account of one of the two: its document before and after, and the new entries."""

    user_id: str
    old: Fields
    new: Fields
    entries: list[Fields]

    def of_type(self, kind: str) -> list[Fields]:
        return [entry for entry in self.entries if entry["type"] == kind]


def check_lots(giver: Side, taker: Side) -> int:
    """All paid lots move, whole and as they are; how many credits that is."""
    held: Fields = giver.old.get("lots", {})
    paid = {lot_id: lot["remaining"] for lot_id, lot in held.items() if is_paid(lot)}
    for part in (part for entry in giver.of_type("expiry") for part in entry["lots"]):
        if part["lot"] in paid:
            paid[part["lot"]] -= part["credits"]
    paid = {lot_id: credits for lot_id, credits in paid.items() if credits}
    outs, ins = giver.of_type("transfer_out"), taker.of_type("transfer_in")
    given = {part["lot"]: part["credits"] for entry in outs for part in entry["lots"]}
    if len(outs) > 1 or given != paid:
        raise Violation(f"{giver.user_id} gives {given}, and holds {paid} that was paid for")
    if left := [each for each, lot in giver.new.get("lots", {}).items() if is_paid(lot)]:
        raise Violation(f"{giver.user_id} keeps {left} of what was paid for")
    if len(ins) != len(outs):
        raise Violation(f"{outs} of {giver.user_id}, {ins} of {taker.user_id}")
    for out, into in zip(outs, ins, strict=True):
        _check_entries(out, into, held, taker.new.get("lots", {}))
    return sum(paid.values())


def _check_entries(out: Fields, into: Fields, held: Fields, lots: Fields) -> None:
    """The two entries say the same, and each lot is what it was."""
    names = {entry["id"].removesuffix(f"-{entry['type']}") for entry in (out, into)}
    if len(names) > 1 or any(out[name] != into[name] for name in ("credits", "reason")):
        raise Violation(f"{out} has become {into}")
    parts = zip(out["lots"], into["lots"], strict=True)
    for number, (given, taken) in enumerate(parts, start=1):
        terms, new_id = held[given["lot"]], f"{into['id']}-{number}"
        expected = given["lot"] if "purchaseId" in terms else new_id
        if (taken["lot"], taken["credits"]) != (expected, given["credits"]):
            raise Violation(f"{given} has become {taken}")
        lot = lots.get(expected, terms)  # else all of it has paid debt
        if any(lot.get(name) != terms.get(name) for name in TERMS):
            raise Violation(f"{given} was {terms}, and has become {lot}")


def check_debt(giver: Side, taker: Side) -> None:
    paid = sum(entry["credits"] for entry in taker.of_type("clawback"))
    old, new = (
        tuple(user.get("debt", 0) for user in each)
        for each in ((giver.old, taker.old), (giver.new, taker.new))
    )
    if new != (0, sum(old) - paid):
        raise Violation(f"debts of {old} have become {new}, and {paid} were paid")
