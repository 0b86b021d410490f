"""Booking: what providers tell of a payment becomes a purchase, its lot and its entries.

One transaction holds all that follows from one event: the purchase, the user with the lot, the
entry, and the link by which later events find the purchase. The state of the purchase is the check
for duplicates, so events may come twice, late, at the same instant and in any order: a refund may
even come before its payment, and is then taken from the lot by the transaction that brings it in.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from imagegen import actions, clock, config, db, firebase
from imagegen.actions import Operator
from imagegen.catalogue.products import Product
from imagegen.credits import clawback, ledger
from imagegen.credits.account import Account
from imagegen.credits.lots import Kind
from imagegen.purchases import buyer, items, links, reversing
from imagegen.purchases.items import Bought, Item
from imagegen.purchases.links import LinkDocument
from imagegen.purchases.purchase import (
    Provider,
    PurchaseDocument,
    PurchaseStatus,
    Unmatched,
    may_become,
)
from imagegen.purchases.reversals import Reversals

# A renewal is charged about an hour after its period has begun; its credits follow without a gap.
PERIOD_MARGIN = timedelta(days=1)


@dataclass(frozen=True)
class Payment:
    """Money that came in, as its provider tells it.

    `named` are the users whom it may belong to, the likeliest first. `period_end` is that of a
    subscription. `ids` are the provider's, by attribute of PurchaseDocument.
    """

    purchase_id: str
    provider: Provider
    named: Sequence[str]
    items: Sequence[Item]
    amount: int
    currency: str
    at: datetime
    is_test: bool
    period_end: datetime | None = None
    payment_intent: str | None = None
    ids: Mapping[str, str] = field(default_factory=dict)


def book(payment: Payment, operator: Operator | None = None) -> PurchaseDocument:
    """Bring in the credits that a payment bought, once; the purchase as it then stands.

    A payment of nobody, or for no product of ours, is kept as `unmatched`, and booked when the same
    call is made again after the cause has gone. What changes because an `operator` has asked for it
    is logged.

    Raises BackendUnavailable and OutcomeUnknown, after which the call may be repeated.
    """
    path, found = db.purchase(payment.purchase_id), items.bought(payment.items)
    is_signed_up = cache(firebase.is_signed_up)  # asked once, however often it is decided

    def decide(transaction: db.Transaction) -> None:
        purchase, moment = PurchaseDocument(transaction[path]), clock.now()
        # Decided here: an account that is closed meanwhile must not be opened again.
        user_id = (
            purchase.user_id
            if purchase.is_booked
            else buyer.of(transaction, payment.named, is_signed_up)
        )
        known = purchase.reversals if purchase.exists else Reversals()
        if payment.payment_intent is not None:
            link = LinkDocument(transaction[links.path(payment.payment_intent)])
            parked = link.parked if link.exists else Reversals()
            known = known.merged(parked)
            links.write(
                transaction,
                payment.payment_intent,
                moment,
                purchase_id=payment.purchase_id,
                user_id=user_id,
                parked=Reversals(),
            )
        if purchase.is_booked:
            reversing.apply(transaction, purchase, known, moment)
            return
        missing = _missing(user_id, found)
        fields = _told(payment, user_id, purchase, known, moment)
        if found is not None:
            # What the checkout promised stands, whatever the product says by now.
            promised = purchase.credits if purchase.exists else 0
            fields |= PurchaseDocument.fields(
                product_id=found.product.id, credits=promised or found.credits
            )
        if missing is not None:
            fields |= PurchaseDocument.fields(status=PurchaseStatus.UNMATCHED, reason=missing)
        _write(transaction, path, fields)
        if missing is None and found is not None:
            _bring_in(transaction, payment, user_id, found, moment)
            reversing.apply(transaction, PurchaseDocument(transaction[path]), known, moment)

    documents = db.transact(decide if operator is None else _noted(decide, path, operator), path)
    purchase = PurchaseDocument(documents[path])
    reversing.log(purchase)
    return purchase


def book_again(
    purchase_id: str, user_id: str = "", *, operator: Operator | None = None
) -> PurchaseDocument:
    """Book an unmatched purchase whose product has appeared, or whose buyer an operator names.

    The user who is named gets it, whoever is stored as its buyer. Of a booked purchase, only the
    refunds and disputes are applied that could not be before.

    Raises LookupError when there is no payment to book, and else as `book` does.
    """
    purchase = PurchaseDocument(db.read(db.purchase(purchase_id))[0])
    if not purchase.exists or purchase.paid_at is None:
        raise LookupError(f"no payment of a purchase {purchase_id} is known")
    return book(
        Payment(
            purchase_id=purchase_id,
            provider=purchase.provider,
            named=[user_id or purchase.user_id],
            items=[Item(**item) for item in purchase.items],
            amount=purchase.amount,
            currency=purchase.currency,
            at=purchase.paid_at,
            is_test=purchase.is_test,
            period_end=purchase.valid_until,
            payment_intent=purchase.payment_intent,
        ),
        operator,
    )


def _noted(
    decide: Callable[[db.Transaction], None], path: str, operator: Operator
) -> Callable[[db.Transaction], None]:
    """`decide`, which then also logs what it changes of the purchase because an operator asked."""
    key = uuid.uuid4().hex
    logged = actions.path(actions.action_id("book", path, key))

    def decide_and_note(transaction: db.Transaction) -> None:
        if transaction[logged].exists:
            return  # an earlier commit of this call succeeded and only its reply was lost
        before = transaction[path].fields or {}
        decide(transaction)
        after = transaction[path].fields or {}
        changed = {name for name in after if after[name] != before.get(name)} - {"updatedAt"}
        if not changed:
            return
        actions.record(
            transaction,
            "book",
            path,
            by=operator.by,
            reason=operator.reason,
            moment=clock.now(),
            key=key,
            user_id=PurchaseDocument(transaction[path]).user_id or None,
            before={name: before.get(name) for name in changed},
            after={name: after[name] for name in changed},
        )

    return decide_and_note


def _missing(user_id: str, found: Bought | None) -> Unmatched | None:
    if not user_id:
        return Unmatched.NO_USER
    return Unmatched.NO_PRODUCT if found is None else None


def _told(
    payment: Payment,
    user_id: str,
    purchase: PurchaseDocument,
    known: Reversals,
    moment: datetime,
) -> dict[str, Any]:
    """The fields of a purchase that its payment tells."""
    user_id = user_id or (purchase.user_id if purchase.exists else "")
    fields = PurchaseDocument.fields(
        provider=payment.provider,
        user_id=user_id,
        items=[vars(item) for item in payment.items],
        amount=payment.amount,
        currency=payment.currency,
        is_test=payment.is_test,
        valid_until=payment.period_end,
        reversals=known.stored(),
        paid_at=payment.at,
        updated_at=moment,
        payment_intent=payment.payment_intent,
        **payment.ids,
    )
    return fields if purchase.exists else fields | PurchaseDocument.fields(created_at=moment)


def _bring_in(
    transaction: db.Transaction, payment: Payment, user_id: str, found: Bought, moment: datetime
) -> None:
    """Bring in the lot with its entry; what the user owes of other purchases is taken from it."""
    path, bought = db.purchase(payment.purchase_id), found.product
    ledger.purchase(
        transaction,
        user_id,
        payment.purchase_id,
        PurchaseDocument(transaction[path]).credits,
        moment,
        kind=Kind(bought.kind),
        expires_at=_end(payment, bought, moment),
        priority=bought.priority,
        reason=bought.id,
    )
    fields = PurchaseDocument.fields(
        status=PurchaseStatus.PAID, reason=None, lot_id=payment.purchase_id, booked_at=moment
    )
    transaction.update(path, fields)
    clawback.collect(Account(transaction, user_id, moment))


def _end(payment: Payment, bought: Product, moment: datetime) -> datetime | None:
    """When the credits of a payment expire that is booked at `moment`.

    What has been told too late, or was unmatched for too long, lasts REFUND_GRACE_DAYS from now:
    nobody pays for credits that have expired when they come in.
    """
    if Kind(bought.kind) is Kind.SUBSCRIPTION and payment.period_end is not None:
        end = payment.period_end + PERIOD_MARGIN
    elif bought.valid_days is not None:
        end = payment.at + timedelta(days=bought.valid_days)
    else:
        return None
    return end if end > moment else moment + timedelta(days=config.REFUND_GRACE_DAYS.value)


def advance(purchase_id: str, status: PurchaseStatus, **ids: str | None) -> None:
    """Move a purchase on whose payment has not come: processing, failed or expired.

    No-op for one that is further already, or that is not known.
    """
    path = db.purchase(purchase_id)

    def decide(transaction: db.Transaction) -> None:
        purchase = PurchaseDocument(transaction[path])
        if purchase.exists and may_become(purchase.status, status):
            fields = PurchaseDocument.fields(status=status, updated_at=clock.now(), **ids)
            transaction.update(path, fields)

    db.transact(decide, path)


def _write(transaction: db.Transaction, path: str, fields: dict[str, Any]) -> None:
    if transaction[path].exists:
        transaction.update(path, fields)
    else:
        transaction.create(path, fields)
