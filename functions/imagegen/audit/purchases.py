"""Purchases against the ledger entries that brought their credits in and took them back.

A purchase and its entries may lie in different accounts: accounts are merged, and closed accounts
move page by page. So what does not agree within one account waits until all have been seen; what
agrees is forgotten at once, and memory depends on the purchases that have moved.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imagegen.audit.entries import Entry, is_count
from imagegen.credits import lots
from imagegen.credits.entries import EntryType
from imagegen.firestore.stored import mapping, whole_number

Fields = Mapping[str, Any]

BOOKED = ("paid", "partially_refunded", "refunded", "disputed", "reinstated")
NOT_BOOKED = ("pending", "processing", "failed", "expired", "unmatched")
WHOLE = ("paid", "reinstated")  # nothing of these is taken back


@dataclass
class Standing:
    """What is known of one purchase: its document, and what its entries moved.

    `user_id` is that of the document, else of an entry.
    """

    user_id: str = ""
    fields: Fields | None = None
    bought: list[int] = field(default_factory=list)  # the credits of each entry that brought some
    taken: int = 0  # clawbacks less reinstatements

    def merge(self, other: "Standing") -> None:
        if other.fields is not None or self.fields is None:
            self.fields, self.user_id = other.fields, other.user_id
        self.bought += other.bought
        self.taken += other.taken


class Purchases:
    """Follows purchases over all accounts; those that agree with their entries are forgotten."""

    def __init__(self) -> None:
        self._waiting: dict[str, Standing] = {}

    def add(self, user_id: str, purchases: Mapping[str, Fields], entries: Sequence[Entry]) -> None:
        """The purchases and entries of one account."""
        found = {
            purchase_id: Standing(user_id, fields) for purchase_id, fields in purchases.items()
        }
        for entry in entries:
            purchase_id = purchase_of(entry)
            if purchase_id is None:
                continue
            standing = found.setdefault(purchase_id, Standing(user_id))
            if entry.type is EntryType.PURCHASE:
                standing.bought.append(entry.delta)
            else:
                standing.taken -= entry.delta
        for purchase_id, standing in found.items():
            known = self._waiting.pop(purchase_id, Standing())
            known.merge(standing)
            if any(check(purchase_id, known)):
                self._waiting[purchase_id] = known

    def wrong(self) -> Iterator[tuple[str, str, str, str]]:
        """User, purchase, rule and message of what is wrong when all accounts have been seen."""
        for purchase_id, standing in self._waiting.items():
            for rule, message in check(purchase_id, standing):
                yield standing.user_id, purchase_id, rule, message


def purchase_of(entry: Entry) -> str | None:
    """The purchase that an entry names in its id, if it is of a type that does."""
    if entry.type not in (EntryType.PURCHASE, EntryType.CLAWBACK, EntryType.REINSTATEMENT):
        return None
    return entry.id.rpartition(f"-{entry.type}")[0]


def check(purchase_id: str, standing: Standing) -> Iterator[tuple[str, str]]:
    """What is wrong with a purchase and all entries that name it."""
    fields = standing.fields
    if fields is None:
        if not standing.bought and not standing.taken:
            return  # taken back and given back, before the purchase moved on
        moved = f"{sum(standing.bought)} credits came in and {standing.taken} were taken back"
        yield "I13", f"by the ledger {moved}, for which there is no purchase"
        return
    try:
        credits, clawed_back, owed, waived, amount = (
            _count(fields, name) for name in ("credits", "clawedBack", "owed", "waived", "amount")
        )
        parts = lots.total(lots.read_parts(fields.get("clawedBackLots", ())))
        mapping(fields.get("reversals", {}))
    except ValueError as error:
        yield "I13", f"the purchase makes no sense: {error}"
        return
    status, lot_id = fields.get("status"), fields.get("lotId")
    if status not in (*BOOKED, *NOT_BOOKED):
        yield "I13", f"the status is {status!r}"
        return
    if lot_id not in (None, purchase_id) or (status in BOOKED) != (lot_id is not None):
        yield "I13", f"it is {status}, but its lot is {lot_id!r}"
    expected = [credits] if status in BOOKED else []
    if standing.bought != expected:
        came = " and ".join(map(str, standing.bought)) or "none"
        yield "I13", f"it is {status} and buys {credits} credits, but by the ledger {came} came in"
    if not clawed_back == standing.taken == parts:
        yield (
            "I13",
            f"clawedBack is {clawed_back}, its parts are {parts}, but by the ledger "
            f"{standing.taken} were taken back",
        )
    taken = clawed_back + owed + waived
    if taken > (credits if status in BOOKED else 0) or (taken and amount and status in WHOLE):
        yield (
            "I13",
            f"it is {status}, but of {credits} credits {clawed_back} are taken back, {owed} owed "
            f"and {waived} waived",
        )


def unmatched(fields: Fields) -> str | None:
    """What an operator has to know of a purchase whose money has bought nothing yet."""
    if fields.get("status") != "unmatched":
        return None
    money = f"{fields.get('amount', 0)} {fields.get('currency') or 'of an unknown currency'}"
    return f"it is unmatched: {fields.get('reason')}; {money} bought nothing"


def parked(fields: Fields) -> str | None:
    """What an operator has to know of a payment whose refund came, but never the payment."""
    known = fields.get("parked")
    if not isinstance(known, Mapping) or not any(known.values()):
        return None
    return "a refund or dispute is parked here: the payment itself has not been told"


def check_debt(user: Fields | None, purchases: Mapping[str, Fields]) -> Iterator[tuple[str, str]]:
    """The debt of a user is what the user's purchases owe."""
    try:
        owed = sum(_count(fields, "owed") for fields in purchases.values())
        debt = _count(user or {}, "debt")
    except ValueError:
        return  # which is a finding of its own
    if debt != owed:
        yield "I15", f"the debt is {debt}, but the purchases owe {owed}"


def _count(fields: Fields, name: str) -> int:
    value = fields.get(name, 0)
    if not is_count(value):
        raise ValueError(f"its {name} is {value!r}")
    return whole_number(value)
