"""Merging: what was paid for moves from one account to another."""

from dataclasses import dataclass

from imagegen import actions, clock, db, logger
from imagegen.accounts import closing, money
from imagegen.actions import ActionDocument
from imagegen.credits import closures
from imagegen.credits.account import Account, open_account, require_active
from imagegen.credits.closures import ClosureDocument
from imagegen.credits.user import UserDocument
from imagegen.errors import AccountClosing, IdempotencyKeyReused, UserNotFound

OTHER_TRANSFER = "This key has been used for another transfer."


@dataclass(frozen=True)
class Merged:
    """How many credits have moved, and the balance of the account that has got them."""

    transferred: int
    balance: int


def merge(from_user_id: str, to_user_id: str) -> Merged:
    """Move what was paid for, and close the first account; the rest of it is deleted.

    One transaction moves and closes. Repeated, the call changes nothing, and tells what moved then.
    What running generations give back later follows.

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
        closure = ClosureDocument(transaction[path])
        if closure.exists:
            if closure.merged_into != to_user_id:
                raise AccountClosing
            if not transaction[target].exists:  # it has been closed since
                raise UserNotFound(userId=to_user_id)
            transferred = closure.merged_credits
            return
        moment = clock.now()
        if not transaction[target].exists and not closures.is_closed(transaction, to_user_id):
            open_account(transaction, to_user_id, moment)  # as a payment does
        for user_id in (from_user_id, to_user_id):
            require_active(Account(transaction, user_id, moment).user)
        key = money.key_of(closures.closure_id(from_user_id))
        transferred = money.move(transaction, from_user_id, to_user_id, moment, key=key)
        closing.begin(transaction, from_user_id, moment)
        merged = ClosureDocument.fields(merged_into=to_user_id, merged_credits=transferred)
        transaction.update(path, merged)

    # The closure comes last: the emulator may read a document later than the one before it, and an
    # account that is closing without a closure would be refused.
    documents = db.transact(decide, db.user(from_user_id), target, path)
    closing.enqueue(from_user_id)
    logger.info("accounts merged", userId=to_user_id, credits=transferred)
    return Merged(transferred, UserDocument(documents[target]).credits)


def transfer(from_user_id: str, to_user_id: str, *, by: str, key: str, reason: str) -> Merged:
    """Let the operator `by` move what was paid for, once for each key; both accounts stay.

    Repeated, the call changes nothing, and tells what moved then.

    Raises what `merge` raises; IdempotencyKeyReused when the key names another transfer of one of
    the two; ValueError for an empty key or reason, or where there is nothing to move.
    """
    if from_user_id == to_user_id:
        raise ValueError("credits cannot be transferred to the same account")
    if not key.strip() or not reason.strip():
        raise ValueError("a transfer needs a key and a reason")
    users = (from_user_id, to_user_id)
    transfer_id, transferred = money.transfer_id(from_user_id, to_user_id, key), 0
    # One action for each, which names nobody else: it has to be found when a user leaves.
    logged = [
        actions.path(actions.action_id("transfer", db.user(user_id), key)) for user_id in users
    ]

    def decide(transaction: db.Transaction) -> None:
        nonlocal transferred
        done = [ActionDocument(transaction[path]) for path in logged]
        if any(action.exists for action in done):
            told = [action.after or {} for action in done if action.exists]
            if [each.get("transferId") for each in told] != [transfer_id, transfer_id]:
                raise IdempotencyKeyReused(OTHER_TRANSFER)
            if not transaction[db.user(to_user_id)].exists:  # it has been closed since
                raise UserNotFound(userId=to_user_id)
            transferred = told[1]["credits"]
            return
        moment = clock.now()
        for user_id in users:
            require_active(Account(transaction, user_id, moment).user)
        transferred = money.transfer(
            transaction, from_user_id, to_user_id, moment, key=transfer_id, reason=reason
        )
        for user_id, credits in zip(users, (-transferred, transferred), strict=True):
            actions.record(
                transaction,
                "transfer",
                db.user(user_id),
                by=by,
                reason=reason,
                moment=moment,
                key=key,
                user_id=user_id,
                after={"credits": credits, "idempotencyKey": key, "transferId": transfer_id},
            )

    # The log comes last, as the closure does above.
    documents = db.transact(decide, *map(db.user, users), *logged)
    logger.info(
        "credits transferred",
        fromUserId=from_user_id,
        userId=to_user_id,
        credits=transferred,
        reason=reason,
    )
    return Merged(transferred, UserDocument(documents[db.user(to_user_id)]).credits)
