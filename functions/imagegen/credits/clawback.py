"""Clawbacks: credits taken back because the money of their purchase was, and what is owed of them.

The purchase says what stands: `clawedBack` credits were taken, in the parts `clawedBackLots`, and
`owed` could not be, as they were spent; of these, operators have waived `waived`, which are owed no
more. `debt` of the user is the sum of what the user's purchases owe. Nothing is spent while there
is debt. It stands outside the ledger: only credits that move make an entry,
`{purchaseId}-clawback-{number}` or `{purchaseId}-reinstatement-{number}`, where the number is that
of the entry.

The caller knows from the purchase's refunds and disputes how much should be taken, and asks for the
difference to `clawedBack` + `owed` + `waived`. The purchase is read and written in the same
transaction.
"""

from collections.abc import Iterable

from imagegen import db
from imagegen.credits import lots
from imagegen.credits.account import Account
from imagegen.credits.entries import EntryType
from imagegen.credits.purchased import PurchasedCredits
from imagegen.firestore.store import Query


def claw_back(account: Account, purchase_id: str, credits: int, *, reason: str) -> int:
    """Take back `credits` of a purchase; how many there were to take. The others are owed.

    They are taken from the purchase's own lots first, then from other paid ones, never from free
    ones.

    Raises ValueError when more would be taken than was bought.
    """
    bought = _purchase(account, purchase_id)
    if credits < 0 or _stands(bought) + credits > bought.credits:
        raise ValueError(f"{credits} more of purchase {purchase_id} cannot be taken back")
    taken = _take(account, purchase_id, credits, reason)
    _change_debt(account, purchase_id, credits - taken)
    return taken


def collect(account: Account, *purchase_ids: str) -> None:
    """Take what the user's purchases owe, as far as paid lots cover it, as `claw_back` does.

    To be called whenever credits have come into paid lots: so nobody has both, paid credits and
    debt, whatever came first. Without debt, it reads nothing. Where `purchase_ids` are named, it is
    for these alone: no query finds what becomes the user's in the same transaction.
    """
    if not account.debt:
        return
    owing: Iterable[str] = purchase_ids
    if not owing:
        # What they owe changes only together with the user's debt.
        found = account.transaction.found(db.query(owing_query(account.user_id)))
        owing = [each.id for each in found]
    for purchase_id in owing:
        bought = _purchase(account, purchase_id)
        if bought.exists:  # it may be younger than what was read
            taken = _take(account, purchase_id, bought.owed, "debt")
            _change_debt(account, purchase_id, -taken)


def owing_query(user_id: str) -> Query:
    """The purchases of a user that owe credits."""
    owing = [("userId", "==", user_id), ("owed", ">", 0)]
    return Query("purchases", where=owing, order_by=("owed", "ASCENDING"))


def waive(account: Account, purchase_id: str, credits: int) -> None:
    """Ask no more for `credits` that a purchase owes.

    Raises ValueError when it owes fewer.
    """
    bought = _purchase(account, purchase_id)
    if not 0 <= credits <= bought.owed:
        raise ValueError(f"purchase {purchase_id} owes {bought.owed}, not {credits}")
    fields = PurchasedCredits.fields(waived=bought.waived + credits)
    account.transaction.update(db.purchase(purchase_id), fields)
    _change_debt(account, purchase_id, -credits)


def reinstate(account: Account, purchase_id: str, credits: int, *, reason: str) -> int:
    """Undo the clawback of `credits` of a purchase; how many were given back.

    First, what is owed is forgiven, then what was waived counts as given back. The others go back
    to the lots they were taken from, or last REFUND_GRACE_DAYS where those have expired, as in a
    refund; other purchases of the user that owe something are paid from them.

    Raises ValueError when fewer were taken back.
    """
    bought = _purchase(account, purchase_id)
    forgiven = min(bought.owed, credits)
    _change_debt(account, purchase_id, -forgiven)
    settled = min(bought.waived, credits - forgiven)
    if settled:
        fields = PurchasedCredits.fields(waived=bought.waived - settled)
        account.transaction.update(db.purchase(purchase_id), fields)
    returned = credits - forgiven - settled
    if not returned:
        return 0
    # The parts that were taken last are put back first.
    kept, parts = lots.take(tuple(reversed(bought.clawed_back_lots)), returned)
    entry_id = f"{purchase_id}-reinstatement-{account.next_number}"
    left, placed = account.restore(parts, entry_id)
    account.enter(EntryType.REINSTATEMENT, left, placed, entry_id=entry_id, reason=reason)
    _record(account, purchase_id, tuple(reversed(kept)))
    collect(account)
    return returned


def _stands(bought: PurchasedCredits) -> int:
    """What is taken back of a purchase, or would be had it not been spent."""
    return bought.clawed_back + bought.owed + bought.waived


def _purchase(account: Account, purchase_id: str) -> PurchasedCredits:
    return PurchasedCredits(account.transaction[db.purchase(purchase_id)])


def _take(account: Account, purchase_id: str, credits: int, reason: str) -> int:
    own = tuple(lot for lot in account.lots if lot.purchase_id == purchase_id)
    other = tuple(lot for lot in account.lots if lot.is_paid and lot.purchase_id != purchase_id)
    taken = min(credits, lots.total(own + other))
    if not taken:
        return 0
    free = [lot for lot in account.lots if lot not in own + other]
    left, parts = lots.take(own + other, taken)
    account.enter(
        EntryType.CLAWBACK,
        lots.ordered((*left, *free)),
        parts,
        entry_id=f"{purchase_id}-clawback-{account.next_number}",
        reason=reason,
    )
    _record(account, purchase_id, _purchase(account, purchase_id).clawed_back_lots + parts)
    return taken


def _record(account: Account, purchase_id: str, parts: lots.Lots) -> None:
    """Keep what is taken back of the purchase as of now."""
    fields = PurchasedCredits.fields(
        clawed_back=lots.total(parts), clawed_back_lots=lots.stored_parts(parts)
    )
    account.transaction.update(db.purchase(purchase_id), fields)


def _change_debt(account: Account, purchase_id: str, change: int) -> None:
    if change:
        owed = _purchase(account, purchase_id).owed + change
        account.transaction.update(db.purchase(purchase_id), PurchasedCredits.fields(owed=owed))
        account.update(debt=max(0, account.debt + change), updated_at=account.moment)
