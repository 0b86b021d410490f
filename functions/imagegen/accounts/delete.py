"""Deleting an account: for its owner, and for operators whom the owner has asked by mail."""

from collections.abc import Sequence
from dataclasses import dataclass

from imagegen import actions, clock, db, logger
from imagegen.accounts import closing
from imagegen.actions import Operator
from imagegen.credits import closures
from imagegen.credits.closures import ClosureDocument, ClosureStatus
from imagegen.errors import UserNotFound
from imagegen.purchases import buyer, subscriptions
from imagegen.purchases.subscriptions import StoreSubscription


@dataclass(frozen=True)
class Deletion:
    """How far it is, and the subscriptions that only the user can end."""

    status: ClosureStatus
    store_subscriptions: Sequence[StoreSubscription]


def delete(user_id: str) -> Deletion:
    """Have the account of `user_id` deleted, after its subscriptions in Stripe are canceled.

    It ends at once: nothing more is charged. Safe twice.

    Raises PaymentProviderUnavailable when a subscription might go on, and then nothing is deleted;
    BackendUnavailable and OutcomeUnknown, after which the same call may be repeated.
    """
    subscriptions.cancel_in_stripe(user_id)
    return _begin(user_id)


def delete_for(user_id: str, *, by: str, reason: str) -> Deletion:
    """The same for the operator `by`, who may have no key of Stripe: the worker cancels those.

    Raises UserNotFound; ValueError for an empty reason; BackendUnavailable and OutcomeUnknown.
    """
    if not reason.strip():
        raise ValueError("a deletion needs a reason")
    (closure,) = db.read(closures.path(user_id))
    if not closure.exists and not buyer.is_known(user_id):
        raise UserNotFound(userId=user_id)
    return _begin(user_id, Operator(by, reason))


def _begin(user_id: str, operator: Operator | None = None) -> Deletion:
    stores, path = subscriptions.in_stores(user_id), closures.path(user_id)

    def decide(transaction: db.Transaction) -> None:
        moment = clock.now()
        if closing.begin(transaction, user_id, moment) and operator is not None:
            actions.record(
                transaction,
                "delete",
                db.user(user_id),
                by=operator.by,
                reason=operator.reason,
                moment=moment,
                user_id=user_id,
            )

    closure = ClosureDocument(db.transact(decide, path, db.user(user_id))[path])
    if closure.status is ClosureStatus.CLOSING:
        closing.enqueue(user_id)
    # The log keeps no name of somebody who has left, as an operator's reason may do.
    by = "the user" if operator is None else "an operator"
    logger.info("account closing", tombstone=closure.tombstone, by=by)
    return Deletion(closure.status, stores)
