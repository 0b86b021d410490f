"""What operators do to purchases by hand; each action is logged with who did it, and why.

Neither changes the rules: a refund that a store does not tell of becomes known like any other, and
a waiver is a part of what should have been taken back that is no longer asked for.
"""

from dataclasses import dataclass
from datetime import datetime

from imagegen import actions, clock, db
from imagegen.credits import clawback
from imagegen.credits.account import Account
from imagegen.credits.clawback import owing_query
from imagegen.credits.user import UserDocument
from imagegen.errors import (
    IdempotencyKeyReused,
    InvalidField,
    PurchaseNotFound,
    PurchaseNotRefundable,
    UserNotFound,
)
from imagegen.purchases import reversing
from imagegen.purchases.purchase import Provider, PurchaseDocument
from imagegen.purchases.reversals import Refund, Reversals


@dataclass(frozen=True)
class Waived:
    """What came of a waiver: the debt after it, or after what happened since."""

    is_new: bool  # False: the key had waived these credits before
    debt: int


def waive(user_id: str, credits: int, *, by: str, key: str, reason: str) -> Waived:
    """Let the operator `by` waive `credits` of the user's debt, once for each key.

    What the purchases owe shrinks with the debt, and nobody asks for these credits again: should
    the money come back after all, they are what is given back after the rest of the debt.

    Raises UserNotFound; ValueError for an empty key or reason, or for no credits; InvalidField when
    the debt is smaller; IdempotencyKeyReused when the key has waived something else;
    BackendUnavailable and OutcomeUnknown, after which the same call may be repeated.
    """
    if not key.strip() or not reason.strip() or credits <= 0:
        raise ValueError("a waiver needs at least one credit, a key and a reason")
    user_path = db.user(user_id)
    logged = actions.path(actions.action_id("waive", user_path, key))
    tried: set[datetime] = set()  # when this call may have waived them, if the reply was lost

    def decide(transaction: db.Transaction) -> None:
        action, moment = transaction[logged], clock.now()
        if action.exists:
            if (action["after"]["waivedCredits"], action["reason"]) != (credits, reason):
                raise IdempotencyKeyReused("This key has been used for another waiver.")
            if not transaction[user_path].exists:  # it has been closed since
                raise UserNotFound(userId=user_id)
            return
        tried.add(moment)
        account = Account(transaction, user_id, moment)
        debt = account.debt
        if credits > debt:
            text = f"are more than the debt, which is {debt}"
            raise InvalidField(fieldViolations=[{"field": "credits", "description": text}])
        waived = _waive(account, user_id, credits)
        actions.record(
            transaction,
            "waive",
            user_path,
            by=by,
            reason=reason,
            moment=moment,
            key=key,
            user_id=user_id,
            before={"debt": debt},
            after={"debt": debt - credits, "waivedCredits": credits, "purchases": waived},
        )

    documents = db.transact(decide, user_path, logged)
    is_new = documents[logged]["at"] in tried
    return Waived(is_new, UserDocument(documents[user_path]).debt)


def _waive(account: Account, user_id: str, credits: int) -> dict[str, int]:
    """Waive what is owed, the smallest amounts first; how much of which purchase."""
    waived, left = {}, credits
    for document in db.query(owing_query(user_id)):
        purchase = PurchaseDocument(account.transaction[document.path])
        part = min(left, purchase.owed)
        if part:
            clawback.waive(account, purchase.id, part)
            waived[purchase.id], left = part, left - part
    if left:
        account.transaction.require_current(account.user.path)
        # The audit tells by how much the two differ.
        raise account.user.malformed("debt", account.debt + credits)
    return waived


def refund(purchase_id: str, *, by: str, reason: str, undo: bool = False) -> PurchaseDocument:
    """Let the operator `by` note that a store has refunded a purchase, or with `undo` that not.

    RevenueCat tells of refunds for the latest period of a subscription only. The credits are taken
    back, or given back, as if it had told. No-op where that is known already, so the call may be
    repeated.

    Raises ValueError for an empty reason; PurchaseNotFound; PurchaseNotRefundable for one of
    Stripe, which tells of its refunds itself, and for one whose credits have not come in;
    BackendUnavailable and OutcomeUnknown.
    """
    if not reason.strip():
        raise ValueError("a refund needs a reason")
    path = db.purchase(purchase_id)

    def decide(transaction: db.Transaction) -> None:
        purchase, moment = PurchaseDocument(transaction[path]), clock.now()
        if not purchase.exists:
            raise PurchaseNotFound(purchaseId=purchase_id)
        if purchase.provider is Provider.STRIPE or not purchase.is_booked:
            raise PurchaseNotRefundable(
                purchaseId=purchase_id, provider=purchase.provider, status=purchase.status
            )
        # RevenueCat's own word, should it come after all, is about the same refund.
        refund_id = purchase.transaction_id or purchase_id
        known = purchase.reversals.refunds.get(refund_id)
        if (known is not None and known.counts) is not undo:
            return
        # Later than all that is known: within a second the order of words decides, not of calls.
        at = max(int(moment.timestamp()), known.at + 1 if known is not None else 0)
        told = Refund(None, "canceled" if undo else "succeeded", at)
        merged = purchase.reversals.merged(Reversals(refunds={refund_id: told}))
        reversing.apply(transaction, purchase, merged, moment)
        actions.record(
            transaction,
            "undo refund" if undo else "refund",
            path,
            by=by,
            reason=reason,
            moment=moment,
            user_id=purchase.user_id,
            before=_state(purchase),
            after=_state(PurchaseDocument(transaction[path])),
        )

    purchase = PurchaseDocument(db.transact(decide, path)[path])
    reversing.log(purchase)
    return purchase


def _state(purchase: PurchaseDocument) -> dict[str, str | int]:
    return {
        "status": purchase.status,
        "clawedBack": purchase.clawed_back,
        "owed": purchase.owed,
    }
