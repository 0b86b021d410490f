"""Merging: what was paid for moves from one account to another."""

from dataclasses import dataclass

from imagegen import actions, clock, db, logger
from imagegen.accounts import closing, money
from imagegen.credits import closures
from imagegen.credits.account import Account, open_account, require_active
from imagegen.credits.closures import ClosureDocument
from imagegen.credits.user import UserDocument
from imagegen.errors import AccountClosing, UserNotFound


@dataclass(frozen=True)
class Merged:
    """How many credits have moved now, and the balance of the account that has them."""

    transferred: int
    balance: int


def merge(from_user_id: str, to_user_id: str) -> Merged:
    """Move what was paid for, and close the first account; the rest of it is deleted.

    One transaction moves and closes; repeated, the call changes nothing. What running generations
    give back later follows.

    Raises UserNotFound for the first account, or for a closed one; AccountClosing and
    AccountDisabled for either; ValueError for one and the same account, or more purchases than
    `money.MOST_DOCUMENTS`; BackendUnavailable and OutcomeUnknown, after which the same call may be
    repeated.
    """
    if from_user_id == to_user_id:
        raise ValueError("an account cannot be merged with itself")
    path, target, transferred = closures.path(from_user_id), db.user(to_user_id), 0

    def decide(transaction: db.Transaction) -> None:
        nonlocal transferred
        transferred, closure = 0, ClosureDocument(transaction[path])
        if closure.exists:
            if closure.merged_into != to_user_id:
                raise AccountClosing
            if not transaction[target].exists:  # it has been closed since
                raise UserNotFound(userId=to_user_id)
            return
        moment = clock.now()
        if not transaction[target].exists and not closures.is_closed(transaction, to_user_id):
            open_account(transaction, to_user_id, moment)  # as a payment does
        for user_id in (from_user_id, to_user_id):
            require_active(Account(transaction, user_id, moment).user)
        key = money.key_of(closures.closure_id(from_user_id))
        transferred = money.move(transaction, from_user_id, to_user_id, moment, key=key)
        closing.begin(transaction, from_user_id, moment, merged_into=to_user_id)

    # The closure comes last: the emulator may read a document later than the one before it, and an
    # account that is closing without a closure would be refused.
    documents = db.transact(decide, db.user(from_user_id), target, path)
    closing.enqueue(from_user_id)
    logger.info("accounts merged", userId=to_user_id, credits=transferred)
    return Merged(transferred, UserDocument(documents[target]).credits)


def transfer(from_user_id: str, to_user_id: str, *, by: str, key: str, reason: str) -> Merged:
    """Let the operator `by` move what was paid for, once for each key; both accounts stay.

    Raises what `merge` raises, and ValueError for an empty key or reason.
    """
    if from_user_id == to_user_id:
        raise ValueError("credits cannot be transferred to the same account")
    if not key.strip() or not reason.strip():
        raise ValueError("a transfer needs a key and a reason")
    transferred = 0

    def decide(transaction: db.Transaction) -> None:
        nonlocal transferred
        moment = clock.now()
        for user_id in (from_user_id, to_user_id):
            require_active(Account(transaction, user_id, moment).user)
        transferred = money.move_once(
            transaction, from_user_id, to_user_id, moment, key=key, reason=reason
        )
        # One for each, which names nobody else: it has to be found when a user leaves.
        for user_id, moved in ((from_user_id, -transferred), (to_user_id, transferred)):
            done = actions.action_id("transfer", db.user(user_id), key)
            if not transaction[actions.path(done)].exists:
                actions.record(
                    transaction,
                    "transfer",
                    db.user(user_id),
                    by=by,
                    reason=reason,
                    moment=moment,
                    key=key,
                    user_id=user_id,
                    after={"credits": moved, "idempotencyKey": key},
                )

    target = db.user(to_user_id)
    documents = db.transact(decide, db.user(from_user_id), target)
    logger.info(
        "credits transferred",
        fromUserId=from_user_id,
        userId=to_user_id,
        credits=transferred,
        reason=reason,
    )
    return Merged(transferred, UserDocument(documents[target]).credits)
