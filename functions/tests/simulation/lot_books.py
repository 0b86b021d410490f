"""An independent account of every lot: what came in, what was taken, in which order, until when.

It follows the entries of each commit and compares what they say with the lots of the user document.
It does its own arithmetic on the stored fields.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from simulation.world import EPOCH, Violation

Fields = Mapping[str, Any]
FAR = EPOCH + timedelta(days=10_000)
PAID = ("purchase", "subscription")
GRACE = timedelta(days=7)
UNVERIFIED = "new2"  # the user whose e-mail address is not verified


@dataclass
class Held:
    """The lots of one user by id: what is left, and the terms as they are stored."""

    left: Counter[str] = field(default_factory=Counter)
    terms: dict[str, Fields] = field(default_factory=dict)
    allowances: list[datetime] = field(default_factory=list)  # their expiries when they came
    granted: dict[str, str] = field(default_factory=dict)  # the kinds of lots that were granted
    is_crowded: bool = False  # lots may have been merged within the commit at hand


class LotBooks:
    """Raises Violation when the lots of a commit do not follow from its entries."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._signup = int(settings["SIGNUP_CREDITS"])
        self._allowance = int(settings["FREE_MONTHLY_CREDITS"])
        self._rollover = int(settings["ALLOWANCE_ROLLOVER"])
        self._needs_email = settings["REQUIRE_VERIFIED_EMAIL"] == "true"
        self._most_free_lots = int(settings["max_free_lots"])
        self._users: dict[str, Held] = {}

    def open_account(self, user_id: str, user: Fields) -> None:
        held = self._users[user_id] = Held()
        lots = user.get("lots", {})
        held.terms.update(lots)
        held.left.update({lot_id: lot["remaining"] for lot_id, lot in lots.items()})
        if rest := user.get("credits", 0) - held.left.total():
            held.left["opening"] = rest
            held.terms["opening"] = {"kind": "opening", "priority": 90, "grantedAt": EPOCH}

    def move_account(self, user_id: str, tombstone: str) -> None:
        self._users[tombstone] = self._users[user_id]
        self._users[user_id] = Held()

    def opens(self, user_id: str) -> bool:
        """Whether the owner's first call opens an account."""
        return self._signup > 0 and self.may_have_free_credits(user_id)

    def may_have_free_credits(self, user_id: str) -> bool:
        return user_id != UNVERIFIED or not self._needs_email

    def may_show(self, user_id: str, user: Fields) -> set[int]:
        """The balances that a call may name which has found this document, whatever its clock."""
        lots = [{**lot, "end": lot.get("expiresAt", FAR)} for lot in user.get("lots", {}).values()]
        rest = user.get("credits", 0) - sum(lot["remaining"] for lot in lots)
        balances = set()
        for moment in (EPOCH - timedelta(days=1), *(lot["end"] for lot in lots)):
            ended = [lot for lot in lots if lot["end"] <= moment]
            allowance = sum(lot["remaining"] for lot in ended if lot["kind"] == "allowance")
            left = sum(lot["remaining"] for lot in lots if lot["end"] > moment)
            balances.add(rest + left + min(allowance, self._rollover))
        free = {0}
        if self.may_have_free_credits(user_id):
            signup = self._signup if not user or user.get("signupDue") else 0
            free = {signup, signup + self._allowance, self._allowance, 0}
        return {balance + more for balance in balances for more in free}

    def committed(
        self,
        user_id: str,
        new: Fields,
        entries: Sequence[Fields],
        requests: Mapping[str, Fields],
        clawed_back: Sequence[Fields],
    ) -> None:
        """Check one commit that has written the user document `new` and, in order, `entries`.

        `requests` are those it has written, `clawed_back` the parts that its purchases keep.
        """
        held, stored = self._users[user_id], new.get("lots", {})
        terms = held.terms | {part["lot"]: part for part in clawed_back}
        moment = max((entry["timestamp"] for entry in entries), default=EPOCH)
        for request_id, request in requests.items():
            for number, part in enumerate(request["lots"], start=1):
                grace = {**part, "expiresAt": moment + GRACE}
                terms |= {part["lot"]: part, f"{request_id}-refund-{number}": grace}
        terms |= stored
        if not entries:  # all of an allowance has rolled over; when is not told
            self._check_extended(held, stored, FAR, entries)
            held.terms |= stored
            return
        self._check_extended(held, stored, moment, entries)
        held.is_crowded = False
        for entry in entries:
            self._enter(user_id, held, terms, entry, requests)
        self._check_stored(user_id, held, new, terms, moment)

    def _check_stored(
        self, user_id: str, held: Held, new: Fields, terms: Fields, moment: datetime
    ) -> None:
        """The lots of the document are those that the entries leave, and none has expired."""
        stored = new["lots"]
        found = Counter({lot_id: lot["remaining"] for lot_id, lot in stored.items()})
        if found != +held.left:
            self._check_merged(held, found, terms)
        if found.total() != new["credits"]:
            raise Violation(f"the lots of {user_id} are not the balance: {stored}")
        for lot_id, lot in stored.items():
            if lot["remaining"] <= 0:
                raise Violation(f"an empty lot is kept: {lot_id}")
            if lot.get("expiresAt", FAR) <= moment:
                raise Violation(f"{lot_id} has expired, and is still there")
        held.left, held.terms = found, dict(stored)

    def _check_extended(
        self, held: Held, stored: Fields, moment: datetime, entries: Sequence[Fields]
    ) -> None:
        """Only of an expired allowance the expiry moves, and of that only what may roll over."""
        rolled_over = 0
        for lot_id, before in held.terms.items():
            end = before.get("expiresAt", FAR)
            if lot_id in stored and stored[lot_id].get("expiresAt", FAR) != end:
                if before["kind"] != "allowance" or end > moment:
                    raise Violation(f"the expiry of {lot_id} was changed")
                expired = [e for e in entries if e["type"] == "expiry"]
                lost = sum(p["credits"] for e in expired for p in e["lots"] if p["lot"] == lot_id)
                rolled_over += held.left[lot_id] - lost
        if rolled_over > self._rollover:
            raise Violation(f"{rolled_over} credits of allowances rolled over")

    def _enter(
        self,
        user_id: str,
        held: Held,
        terms: Fields,
        entry: Fields,
        requests: Mapping[str, Fields],
    ) -> None:
        parts = _parts(entry["lots"])
        if sum(credits for _, credits in parts) != entry["credits"]:
            raise Violation(f"the lots of an entry are not its credits: {entry}")
        checks: dict[str, Callable[[], None]] = {
            "deduction": lambda: self._check_spent(held, terms, entry, requests),
            "refund": lambda: self._check_restored(held, terms, entry, requests),
            "expiry": lambda: self._check_expired(held, entry, parts),
            "grant": lambda: self._check_granted(user_id, held, terms, entry),
            "clawback": lambda: self._check_clawed_back(terms, parts),
        }
        checks.get(entry["type"], lambda: None)()
        for lot_id, credits in parts:
            held.left[lot_id] += credits if entry["delta"] > 0 else -credits
            if held.left[lot_id] < 0 and not held.is_crowded:
                raise Violation(f"more was taken of {lot_id} than it held: {entry}")
        # One without terms has come in and was merged within this commit.
        held.is_crowded |= len(_free(held, terms)) > self._most_free_lots

    def _check_spent(
        self, held: Held, terms: Fields, entry: Fields, requests: Mapping[str, Fields]
    ) -> None:
        """I14, and the order of spending."""
        request = requests[entry["generationRequestId"]]
        kept, charged = _parts(request["lots"]), _parts(entry["lots"])
        if kept != charged:
            raise Violation(f"a request keeps {kept}, and was charged {charged}")
        for part in request["lots"]:
            if part.get("expiresAt", FAR) <= entry["timestamp"]:
                raise Violation(f"{part['lot']} was spent after it had expired")
        if held.is_crowded:
            return
        missing, expected = entry["credits"], []
        for lot_id in sorted(+held.left, key=lambda lot_id: _order(lot_id, terms[lot_id])):
            if taken := min(held.left[lot_id], missing):
                expected.append((lot_id, taken))
                missing -= taken
        if charged != expected:
            raise Violation(f"{entry['lots']} were spent, the order says {expected}")

    def _check_restored(
        self, held: Held, terms: Fields, entry: Fields, requests: Mapping[str, Fields]
    ) -> None:
        parts = requests[entry["generationRequestId"]]["lots"]
        # A part that is put back may have a lot merged to which the next would have gone.
        may_merge = len(_free(held, terms)) + len(parts) > self._most_free_lots
        for number, (part, placed) in enumerate(zip(parts, entry["lots"], strict=True), start=1):
            has_expired = part.get("expiresAt", FAR) <= entry["timestamp"]
            expected = part["lot"]
            is_merged = may_merge and placed["lot"] != part["lot"]
            if has_expired and (is_merged or not held.left[part["lot"]]):
                expected = f"{entry['id']}-{number}"
                until = terms[expected].get("expiresAt", FAR)
                if until != entry["timestamp"] + GRACE:
                    raise Violation(f"{expected} lasts until {until}")
            if (placed["lot"], placed["credits"]) != (expected, part["credits"]):
                raise Violation(f"{part} was put back as {placed}")
            if terms.get(expected, part)["kind"] != part["kind"]:
                raise Violation(f"{part} came back as {terms[expected]}")

    def _check_expired(self, held: Held, entry: Fields, parts: Sequence[tuple[str, int]]) -> None:
        ((lot_id, credits),) = parts
        before = held.terms.get(lot_id, {})
        if before.get("expiresAt", FAR) > entry["timestamp"]:
            raise Violation(f"{lot_id} had not expired: {entry}")
        if before["kind"] != "allowance" and credits != held.left[lot_id]:
            raise Violation(f"{credits} of {held.left[lot_id]} in {lot_id} expired")

    def _check_clawed_back(self, terms: Fields, parts: Sequence[tuple[str, int]]) -> None:
        for lot_id, _ in parts:
            if not is_paid(terms[lot_id]):
                raise Violation(f"{lot_id} is free, and was clawed back")

    def _check_granted(self, user_id: str, held: Held, terms: Fields, entry: Fields) -> None:
        free = {"trial": self._signup, "allowance": self._allowance}
        kind = entry["reason"] if entry["reason"] in free else "grant"
        held.granted |= {part["lot"]: kind for part in entry["lots"]}
        if entry["reason"] in free and (
            entry["credits"] != free[entry["reason"]] or not self.may_have_free_credits(user_id)
        ):
            raise Violation(f"{user_id} was granted {entry}")
        if entry["reason"] == "allowance" and entry["id"] in terms:
            end = terms[entry["id"]]["expiresAt"]
            if end in held.allowances:
                raise Violation(f"two allowances that last until {end}")
            held.allowances.append(end)

    def _check_merged(self, held: Held, found: Counter[str], terms: Fields) -> None:
        """Free lots may have been merged, if they were too many: no kind has lost a credit."""
        sums = [Counter[str](), Counter[str]()]
        for total, lots in zip(sums, (held.left, found), strict=True):
            for lot_id, credits in lots.items():
                if credits:
                    known = terms.get(lot_id) or {"kind": held.granted[lot_id]}
                    total[lot_id if is_paid(known) else known["kind"]] += credits
        if not held.is_crowded or sums[0] != sums[1]:
            raise Violation(f"the lots are {found}, they should be {held.left}")


def _parts(lots: Sequence[Fields]) -> list[tuple[str, int]]:
    return [(part["lot"], part["credits"]) for part in lots]


def _free(held: Held, terms: Fields) -> list[str]:
    """The lots that are not paid for, which are merged when there are too many."""
    return [each for each in +held.left if each not in terms or not is_paid(terms[each])]


def is_paid(terms: Fields) -> bool:
    return terms["kind"] in PAID or "purchaseId" in terms


def _order(lot_id: str, terms: Fields) -> tuple[Any, ...]:
    return terms["priority"], terms.get("expiresAt", FAR), terms["grantedAt"], lot_id
