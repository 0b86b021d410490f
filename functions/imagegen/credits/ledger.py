"""The ledger: every credit that leaves or enters an account, one immutable entry each.

The rules: a balance never falls below zero; an entry and the balance it leaves are written
together; entries are numbered without a gap; the id of an entry says what it is for, so it can be
written once only, and what may happen again has the entry's number in its id. A balance is the sum
of its lots, and an entry says which of them it changed.

Each function works within a transaction that has read the user, and first books what is due (see
`account`). Where it raises, nothing is written: a refused call books nothing, and yet it decides on
the balance, and names it, as if what is due were booked.

    generation requests   deduct, refund
    operators             grant
    purchases             purchase, and those of `clawback`
    between users         transfer
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from imagegen import actions, clock, config, db, firebase
from imagegen.api.auth import Caller
from imagegen.credits import clawback, closures, free, lots, usage
from imagegen.credits.account import Account, is_due, open_account, require_active
from imagegen.credits.entries import EntryType
from imagegen.credits.lots import PRIORITIES, Kind, Lot, Lots
from imagegen.credits.user import UserDocument
from imagegen.errors import (
    GenerationRequestNotFound,
    IdempotencyKeyReused,
    InsufficientCredits,
    InvalidField,
    OutstandingDebt,
    UserNotFound,
)
from imagegen.firestore.store import Document

OTHER_GRANT = "This key has been used for another grant."


def read_account(user_id: str, caller: Caller) -> UserDocument:
    """The user, with what is due booked: one read, and no more when nothing is due.

    A new user who may not have free credits yet is shown without any; nothing is written.

    Raises UserNotFound; BackendUnavailable when Firestore is out of reach.
    """
    (document,) = db.read(db.user(user_id))
    claim = free.claim(caller, user_id)
    user = UserDocument(document)

    def decide(transaction: db.Transaction) -> None:
        Account(transaction, user_id, clock.now(), caller)

    if is_due(user, clock.now(), claim):
        documents = db.transact(decide, document)
        user = UserDocument(documents[document.path])
    if user.exists:
        return user
    if claim.hint is not None and config.SIGNUP_CREDITS.value > 0:
        return UserDocument(Document(document.path, {}))
    raise UserNotFound(userId=user_id)


def deduct(
    transaction: db.Transaction,
    user_id: str,
    generation_request_id: str,
    credits: int,
    moment: datetime,
    *,
    caller: Caller | None = None,
) -> Lots:
    """Take `credits` from the user for a generation request; the parts they consist of.

    The request keeps the parts, as its refund needs them. With a `caller`, what is due to the
    caller is booked, and a new account is opened.

    Raises UserNotFound; AccountClosing; AccountDisabled; OutstandingDebt; InsufficientCredits when
    the balance does not cover them.
    """
    account = Account(transaction, user_id, moment, caller)
    require_active(account.user)
    held = account.lots
    available = lots.total(held)
    if account.debt:
        raise OutstandingDebt(debt=account.debt, available=available)
    if available < credits:
        refusal = InsufficientCredits(required=credits, available=available)
        if account.hint is not None:
            refusal.details["hint"] = account.hint
        raise refusal
    _record_usage(transaction, account.user, moment, moment, credits)
    left, parts = lots.take(held, credits)
    account.enter(
        EntryType.DEDUCTION,
        left,
        parts,
        entry_id=f"{generation_request_id}-deduction",
        reason="generation",
        generation_request_id=generation_request_id,
    )
    return parts


def refund(
    transaction: db.Transaction,
    user_id: str,
    generation_request_id: str,
    credits: int,
    moment: datetime,
    *,
    charged_at: datetime,
    reason: str,
    parts: Lots = (),
) -> None:
    """Give back the `credits` that a generation request was charged at `charged_at`.

    Each of the `parts` that `deduct` returned goes back to its lot, or lasts REFUND_GRACE_DAYS
    where that has expired. A request that was charged by a release without lots has none: its
    credits go to the lot `opening`. What the user's purchases owe is collected from paid lots.

    The caller ends the request in the same transaction, so that this cannot happen twice.
    """
    account = Account(transaction, user_id, moment)
    _record_usage(transaction, account.user, charged_at, moment, -credits)
    if lots.total(parts) != credits:
        parts = lots.held((), credits)
    entry_id = f"{generation_request_id}-refund"
    left, placed = account.restore(parts, entry_id)
    account.enter(
        EntryType.REFUND,
        left,
        placed,
        entry_id=entry_id,
        reason=reason,
        generation_request_id=generation_request_id,
    )
    clawback.collect(account)


def _record_usage(
    transaction: db.Transaction,
    user: UserDocument,
    charged_at: datetime,
    moment: datetime,
    credits: int,
) -> None:
    spent = usage.after(user, clock.local_date(charged_at), credits, today=clock.local_date(moment))
    transaction.update(user.path, UserDocument.fields(usage=spent))


@dataclass(frozen=True)
class Granted:
    """The entry of a grant, and the balance of the user after it, or after later entries."""

    entry_id: str
    is_new: bool  # False: the key had given these credits before
    balance: int


def grant_credits(
    user_id: str,
    credits: int,
    *,
    key: str,
    reason: str,
    by: str,
    generation_request_id: str | None = None,
    expires_at: datetime | None = None,
) -> Granted:
    """Let the operator `by` give the user `credits`, once for each key.

    The account of somebody who has signed up and never called is opened.

    Raises what `grant` raises; ValueError for an empty key or reason; InvalidField for an
    `expires_at` that has passed; BackendUnavailable and OutcomeUnknown, after which the same call
    may be repeated.
    """
    if not key.strip() or not reason.strip():
        raise ValueError("a grant needs a key and a reason")
    user_path, entry_path = db.user(user_id), grant_path(user_id, key)
    logged = actions.path(actions.action_id("grant", user_path, key))
    paths = [entry_path, user_path, logged]
    if generation_request_id is not None:
        paths.append(db.generation_request(generation_request_id))
    tried: set[datetime] = set()  # when this call may have given them, if the reply was lost

    def decide(transaction: db.Transaction) -> None:
        entry, user, action, *requests = (transaction[path] for path in paths)
        moment = clock.now()
        if action.exists and action["after"]["expiresAt"] != expires_at:
            raise IdempotencyKeyReused(OTHER_GRANT)
        # An earlier commit of this call may yet arrive: what was right then is not refused now.
        is_late = expires_at is not None and expires_at <= moment
        if is_late and not entry.exists and not tried:
            raise InvalidField.of("expiresAt", "is in the past")
        if not user.exists and _may_be_opened(transaction, user_id):
            open_account(transaction, user_id, moment)
        grant(
            transaction,
            user_id,
            credits,
            moment,
            key=key,
            reason=reason,
            request=requests[0] if requests else None,
            expires_at=expires_at,
        )
        if not entry.exists:
            tried.add(moment)
            actions.record(
                transaction,
                "grant",
                user_path,
                by=by,
                reason=reason,
                moment=moment,
                key=key,
                user_id=user_id,
                after={"grantedCredits": credits, "entryId": entry.id, "expiresAt": expires_at},
            )

    documents = db.transact(decide, *paths)
    entry, user = documents[entry_path], UserDocument(documents[user_path])
    return Granted(entry.id, entry["timestamp"] in tried, user.credits)


def _may_be_opened(transaction: db.Transaction, user_id: str) -> bool:
    return not closures.is_closed(transaction, user_id) and firebase.is_signed_up(user_id)


def grant_path(user_id: str, key: str) -> str:
    """Where the grant lies that the user gets under `key`: one key, one grant."""
    return f"{db.entries(user_id)}/{hashlib.sha256(key.encode()).hexdigest()[:32]}-grant"


def grant(
    transaction: db.Transaction,
    user_id: str,
    credits: int,
    moment: datetime,
    *,
    key: str,
    reason: str,
    request: Document | None = None,
    kind: Kind = Kind.GRANT,
    expires_at: datetime | None = None,
) -> None:
    """Give the user `credits`, once for each key: for a completed `request`, or for none.

    They are a lot of the entry's id. The transaction has read the user and `grant_path`. The
    request may have been read only, as a completed one never changes.

    Raises UserNotFound; AccountClosing or AccountDisabled for what would be a new grant;
    IdempotencyKeyReused when the key has given something else; GenerationRequestNotFound when the
    request is not the user's; ValueError when it has not completed (its refund is all that is owed
    for it), or when the grant is none.
    """
    if credits <= 0:
        raise ValueError("a grant gives at least one credit")
    if not transaction[db.user(user_id)].exists:
        raise UserNotFound(userId=user_id)
    if request is not None and (not request.exists or request["userId"] != user_id):
        raise GenerationRequestNotFound(generationRequestId=request.id)
    if request is not None and request["status"] != "completed":
        raise ValueError(f"request {request.id} is {request['status']}, not completed")
    entry = transaction[grant_path(user_id, key)]
    request_id = request.id if request is not None else None
    content = {"credits": credits, "reason": reason, "generationRequestId": request_id}
    if entry.exists:
        if any(entry.get(name) != value for name, value in content.items()):
            raise IdempotencyKeyReused(OTHER_GRANT)
        return
    account = Account(transaction, user_id, moment)
    require_active(account.user)
    lot = Lot(entry.id, kind, credits, expires_at, PRIORITIES[kind], moment)
    account.add(
        EntryType.GRANT,
        lot,
        entry_id=entry.id,
        reason=reason,
        generation_request_id=request_id,
    )


def purchase(
    transaction: db.Transaction,
    user_id: str,
    purchase_id: str,
    credits: int,
    moment: datetime,
    *,
    kind: Kind = Kind.PURCHASE,
    expires_at: datetime | None = None,
    priority: int | None = None,
    reason: str = "purchase",
) -> None:
    """Add the lot `purchase_id`, with the entry `{purchase_id}-purchase`.

    A user without a document gets one: paid money is never turned away. That of a closed account
    goes to its holder (`closures.holder`). The caller writes `purchases/{purchase_id}` in the same
    transaction, and calls this once by its state. What the user's purchases owe is then taken from
    it.
    """
    if credits <= 0:
        raise ValueError("a purchase buys at least one credit")
    user_id = closures.holder(transaction, user_id)
    if not transaction[db.user(user_id)].exists:
        open_account(transaction, user_id, moment)
    account = Account(transaction, user_id, moment)
    priority = PRIORITIES[kind] if priority is None else priority
    lot = Lot(purchase_id, kind, credits, expires_at, priority, moment, purchase_id)
    account.add(EntryType.PURCHASE, lot, entry_id=f"{purchase_id}-purchase", reason=reason)


def transfer(
    transaction: db.Transaction,
    from_user_id: str,
    to_user_id: str,
    lot_ids: Collection[str],
    moment: datetime,
    *,
    key: str,
    reason: str,
    debt: int = 0,
) -> int:
    """Move whole lots, and `debt`, from one user to another, once for each key; how many credits.

    The entries are `{key}-transfer_out` and `{key}-transfer_in`. A lot of a purchase keeps its id;
    the others get one that begins with that of the entry. Nothing is moved when the key was used.
    """
    out_id, in_id = f"{key}-transfer_out", f"{key}-transfer_in"
    if transaction[f"{db.entries(from_user_id)}/{out_id}"].exists:
        return 0
    source = Account(transaction, from_user_id, moment)
    target = Account(transaction, to_user_id, moment)
    moved = tuple(lot for lot in source.lots if lot.id in lot_ids)
    if moved:
        kept = tuple(lot for lot in source.lots if lot.id not in lot_ids)
        source.enter(EntryType.TRANSFER_OUT, kept, moved, entry_id=out_id, reason=reason)
        left, placed = target.lots, []
        for number, lot in enumerate(moved, start=1):
            placed.append(lot if lot.purchase_id else replace(lot, id=f"{in_id}-{number}"))
            left = lots.put(left, placed[-1])
        target.enter(EntryType.TRANSFER_IN, left, tuple(placed), entry_id=in_id, reason=reason)
    if debt:
        source.update(debt=source.debt - debt, updated_at=moment)
        target.update(debt=target.debt + debt, updated_at=moment)
    return lots.total(moved)
