"""Reversing: what is known of a purchase's refunds and disputes is kept, the difference is booked.

A refund or dispute of a purchase that has not been told yet waits in the document of the purchase;
one whose purchase is not known waits at the link of its payment intent.
"""

from datetime import datetime

from imagegen import clock, db, logger
from imagegen.credits import clawback, closures
from imagegen.credits.account import Account
from imagegen.purchases import links
from imagegen.purchases.links import LinkDocument
from imagegen.purchases.purchase import (
    Provider,
    PurchaseDocument,
    PurchaseStatus,
    Unmatched,
    booked_status,
)
from imagegen.purchases.reversals import Reversals


def reverse(purchase_id: str, provider: Provider, told: Reversals) -> PurchaseDocument:
    """Add what is known of a purchase's refunds and disputes, and book the difference it makes.

    Of a purchase that is not known yet, it is kept until its payment comes.

    Raises BackendUnavailable and OutcomeUnknown, after which the call may be repeated.
    """
    path = db.purchase(purchase_id)

    def decide(transaction: db.Transaction) -> None:
        _learn(transaction, path, provider, told, clock.now())

    purchase = PurchaseDocument(db.transact(decide, path)[path])
    log(purchase)
    return purchase


def _learn(
    transaction: db.Transaction,
    path: str,
    provider: Provider,
    told: Reversals,
    moment: datetime,
) -> None:
    """Add what is known of refunds and disputes to a purchase, also to one that is yet to come."""
    purchase = PurchaseDocument(transaction[path])
    if purchase.exists:
        apply(transaction, purchase, purchase.reversals.merged(told), moment)
        return
    fields = PurchaseDocument.fields(
        provider=provider,
        status=PurchaseStatus.UNMATCHED,
        reason=Unmatched.NO_PAYMENT,
        reversals=told.stored(),
        created_at=moment,
        updated_at=moment,
    )
    transaction.create(path, fields)


def apply(
    transaction: db.Transaction, purchase: PurchaseDocument, known: Reversals, moment: datetime
) -> None:
    """Store what is `known`; where credits have come in, take or give back the difference.

    That of a closed account is booked to its holder. Where the account is missing and nobody knows
    why, what is known is kept all the same, and the difference is booked by the next call that
    finds an account.
    """
    if known != purchase.reversals:
        fields = PurchaseDocument.fields(reversals=known.stored(), updated_at=moment)
        transaction.update(purchase.path, fields)
    if not purchase.is_booked:
        return
    status = booked_status(known, purchase.amount)
    if status is not purchase.status:
        transaction.update(purchase.path, PurchaseDocument.fields(status=status))
    if not (change := _change(purchase, known)):
        return
    user_id = closures.holder(transaction, purchase.user_id)
    if not transaction[db.user(user_id)].exists:
        transaction.after_commit(
            lambda _: logger.error(
                "account of a purchase is gone",
                purchaseId=purchase.id,
                userId=user_id,
                credits=change,
            )
        )
        return
    if user_id != purchase.user_id:
        transaction.update(purchase.path, PurchaseDocument.fields(user_id=user_id))
    account = Account(transaction, user_id, moment)
    change = _change(PurchaseDocument(transaction[purchase.path]), known)  # some may have expired
    if change > 0:
        clawback.claw_back(account, purchase.id, change, reason=status)
    elif change < 0:
        clawback.reinstate(account, purchase.id, -change, reason=status)


def _change(purchase: PurchaseDocument, known: Reversals) -> int:
    """How many more credits to take back, or below zero, to give back.

    What has expired was not used: it counts as given back, so that it is not taken from what else
    the user has bought.
    """
    taken = purchase.clawed_back + purchase.owed + purchase.waived
    target = known.clawback(purchase.credits, purchase.amount)
    return min(target, max(taken, target - purchase.expired_credits)) - taken


def park(payment_intent: str, told: Reversals) -> str:
    """Keep what is known of refunds and disputes at a payment intent that is no purchase's yet.

    Returns the id of its purchase if it has one by now: then nothing is parked.
    """
    path = links.path(payment_intent)

    def decide(transaction: db.Transaction) -> None:
        link = LinkDocument(transaction[path])
        if link.exists and link.purchase_id:
            return
        known = (link.parked if link.exists else Reversals()).merged(told)
        links.write(transaction, payment_intent, clock.now(), parked=known)

    return LinkDocument(db.transact(decide, path)[path]).purchase_id


def link_payment(payment_intent: str, purchase_id: str) -> None:
    """Note which purchase a payment intent paid for, and apply to it what is parked there.

    No-op where it has booked another one: a session may have an invoice of its own, which books
    nothing.
    """
    link_path, purchase_path = links.path(payment_intent), db.purchase(purchase_id)

    def decide(transaction: db.Transaction) -> None:
        link, moment = LinkDocument(transaction[link_path]), clock.now()
        if link.exists and link.purchase_id not in ("", purchase_id):
            booked = PurchaseDocument(transaction[db.purchase(link.purchase_id)])
            if booked.is_booked:
                return
        parked = link.parked if link.exists else Reversals()
        links.write(
            transaction, payment_intent, moment, purchase_id=purchase_id, parked=Reversals()
        )
        if parked != Reversals():
            _learn(transaction, purchase_path, Provider.STRIPE, parked, moment)

    db.transact(decide, link_path, purchase_path)


def log(purchase: PurchaseDocument) -> None:
    """One line for each purchase that was touched; what waits for an operator is an error."""
    if purchase.status is PurchaseStatus.UNMATCHED:
        write, text = logger.error, "purchase unmatched"
    elif closures.is_tombstone(purchase.user_id):
        write, text = logger.error, "purchase of a closed account"
    else:
        write, text = logger.info, "purchase"
    write(
        text,
        purchaseId=purchase.id,
        userId=purchase.user_id,
        productId=purchase.product_id,
        provider=purchase.provider,
        status=purchase.status,
        reason=purchase.reason,
        credits=purchase.credits,
        clawedBack=purchase.clawed_back,
        owed=purchase.owed,
    )
