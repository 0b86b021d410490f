"""Makes an account usable again whose user document holds a balance that is no balance.

Whoever edits `credits`, `ledgerSequence` or `debt` by hand, or writes them from another program,
can leave something there that is no whole number, or one below zero. Until that is mended, every
call for the user is refused with AccountUnusable. What the fields should hold is known: the newest
ledger entry says the balance and its own number, and the purchases say what they owe.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagegen import actions, clock, db, logger
from imagegen.credits.account import Account
from imagegen.credits.entries import EntryDocument, EntryType
from imagegen.credits.lots import PRIORITIES, Kind, Lot
from imagegen.credits.purchased import PurchasedCredits
from imagegen.credits.user import UserDocument, count
from imagegen.errors import InvalidField, UserNotFound
from imagegen.firestore.store import Document, Query

FIELDS = ("credits", "ledgerSequence", "debt")


@dataclass(frozen=True)
class Repaired:
    """What was done: the malformed values by field, the credits granted, and the balance now."""

    malformed: Mapping[str, str]  # the values as text; empty: there was nothing to repair
    granted: int
    balance: int


def repair(user_id: str, *, by: str, reason: str, credits: int | None = None) -> Repaired:
    """Let the operator `by` give malformed fields the values that ledger and purchases say.

    `credits` is the balance that the user should have. What it is above the ledger's is granted,
    with `reason`; an account without entries has no other balance. No-op for an account of which no
    field is malformed, so the call may be repeated.

    Raises UserNotFound; ValueError for an empty reason; InvalidField when `credits` are needed, or
    when they are below what the ledger says; BackendUnavailable and OutcomeUnknown.
    """
    if not reason.strip():
        raise ValueError("a repair needs a reason")
    path = db.user(user_id)
    malformed: dict[str, str] = {}
    granted = 0

    def decide(transaction: db.Transaction) -> None:
        nonlocal malformed, granted
        user = transaction[path]
        if not user.exists:
            raise UserNotFound(userId=user_id)
        found = malformed_fields(user)
        if not found:
            return  # or an earlier commit of this call succeeded, and only its reply was lost
        malformed, granted = found, 0
        # Whoever appends an entry meanwhile also writes the user, so that this is decided again.
        values = _values(user_id, is_balance_needed="credits" in malformed and credits is None)
        moment = clock.now()
        mended = {name: values[name] for name in malformed}
        transaction.update(path, mended | UserDocument.fields(updated_at=moment))
        account = Account(transaction, user_id, moment)
        if credits is not None:
            granted = _grant(account, credits, reason)
        actions.record(
            transaction,
            "repair",
            path,
            by=by,
            reason=reason,
            moment=moment,
            user_id=user_id,
            before=found,
            after=mended | {"grantedCredits": granted},
        )

    user = UserDocument(db.transact(decide, path)[path])
    if malformed:
        logger.warn(
            "account repaired",
            userId=user_id,
            malformed=malformed,
            granted=granted,
            credits=user.credits,
            reason=reason,
        )
    return Repaired(malformed, granted, user.credits)


def malformed_fields(user: Document) -> dict[str, str]:
    """The fields that no call can work with, and what they hold."""
    found = {}
    for name in FIELDS:
        value: Any = user.get(name, 0)
        try:
            count(value)
        except ValueError:
            found[name] = repr(value)[:100]
    return found


def _values(user_id: str, *, is_balance_needed: bool) -> dict[str, int]:
    """What the fields should hold."""
    last = Query(db.entries(user_id), order_by=("sequence", "DESCENDING"), limit=1)
    entries = [EntryDocument(document) for document in db.query(last)]
    if not entries and is_balance_needed:
        raise InvalidField.of("credits", "are needed: the ledger has no entry of this user")
    owing = Query(
        "purchases",
        where=[("userId", "==", user_id), ("owed", ">", 0)],
        order_by=("owed", "ASCENDING"),
    )
    return {
        "credits": entries[0].balance_after if entries else 0,
        "ledgerSequence": entries[0].sequence if entries else 0,
        "debt": sum(PurchasedCredits(document).owed for document in db.query(owing)),
    }


def _grant(account: Account, credits: int, reason: str) -> int:
    """Grant what the balance is short of `credits`; how many."""
    balance = account.user.credits
    if credits < balance:
        text = f"are fewer than the balance by the ledger, which is {balance}"
        raise InvalidField.of("credits", text)
    if credits > balance:
        entry_id = f"repair-{account.next_number}-grant"
        terms = (None, PRIORITIES[Kind.GRANT], account.moment)
        lot = Lot(entry_id, Kind.GRANT, credits - balance, *terms)
        account.add(EntryType.GRANT, lot, entry_id=entry_id, reason=reason)
    return credits - balance
