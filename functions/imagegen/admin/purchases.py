"""Purchases of all users: list, book what was unmatched, note refunds, waive debts."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from imagegen import db
from imagegen.actions import Operator
from imagegen.admin.wire import EXAMPLE_USER_ID, IdempotencyKey, Page, Reason, uid_of
from imagegen.api import paging
from imagegen.api.auth import Caller
from imagegen.api.endpoint import Success, endpoint
from imagegen.api.schema import DocumentId, NextPageToken, PositiveNumber, UserId, WireModel
from imagegen.errors import (
    AccountUnusable,
    IdempotencyKeyReused,
    InvalidField,
    OutcomeUnknown,
    PurchaseNotFound,
    PurchaseNotRefundable,
    UserNotFound,
)
from imagegen.firestore.stored import readable
from imagegen.purchases import booking, buyer, listing, operators
from imagegen.purchases.listing import PurchaseDetails
from imagegen.purchases.purchase import PurchaseDocument, PurchaseStatus

EXAMPLE_PURCHASE_ID = "6a1f0c9be0d94d3f8a52f6a0d7c1b3e4"
EXAMPLE_PURCHASE: dict[str, Any] = {
    "purchaseId": EXAMPLE_PURCHASE_ID,
    "userId": EXAMPLE_USER_ID,
    "productId": "pack-100",
    "provider": "stripe",
    "status": "paid",
    "credits": 100,
    "clawedBackCredits": 0,
    "owedCredits": 0,
    "waivedCredits": 0,
    "expiredCredits": 0,
    "amount": 990,
    "refundedAmount": 0,
    "isDisputed": False,
    "currency": "usd",
    "isTest": False,
    "items": ["price_1a"],
    "providerIds": {"session": "cs_test_a1", "paymentIntent": "pi_a1"},
    "createdAt": "2026-11-21T12:30:00.000000Z",
    "paidAt": "2026-11-21T12:31:00.000000Z",
    "updatedAt": "2026-11-21T12:31:00.000000Z",
}
PurchaseField = Annotated[DocumentId, Field(description="The purchase.")]


class ListAllPurchases(Page):
    """Which purchases to list."""

    user_id: UserId | None = Field(default=None, description="Only those of this user.")
    status: PurchaseStatus | None = Field(default=None, description="Only those with this status.")


class PurchaseDetailsPage(WireModel):
    """A page of purchases."""

    purchases: list[PurchaseDetails] = Field(description="Purchases, newest first.")
    next_page_token: NextPageToken = None


@endpoint(
    methods=("GET",),
    example={"status": "unmatched", "pageSize": 20},
    success=Success("A page of purchases.", {"firstPage": {"purchases": [EXAMPLE_PURCHASE]}}),
)
def list_all_purchases(body: ListAllPurchases, caller: Caller) -> PurchaseDetailsPage:
    """List the purchases of all users.

    Newest first; the filters may be combined. A page holds `pageSize` of them, 20 by default and
    100 at most.
    """
    size, bound_to = body.size(), ("all purchases", body.user_id, body.status)
    found = db.query(
        listing.query(
            size + 1, body.after(bound_to), user_id=body.user_id or "", status=body.status
        )
    )
    return PurchaseDetailsPage(
        purchases=readable(found[:size], PurchaseDocument, PurchaseDetails.from_document),
        next_page_token=paging.next_token(found, size, bound_to),
    )


class GetPurchase(WireModel):
    """Which purchase to look at."""

    purchase_id: PurchaseField


@endpoint(
    methods=("GET",),
    example={"purchaseId": EXAMPLE_PURCHASE_ID},
    success=Success("The purchase.", {"paid": EXAMPLE_PURCHASE}),
    errors=(PurchaseNotFound,),
)
def get_purchase(body: GetPurchase, caller: Caller) -> PurchaseDetails:
    """Look at a purchase of any user.

    What was paid for, what has come of it, and how its payment provider calls it.
    """
    return listing.get(body.purchase_id)


class BookPurchase(WireModel):
    """Which purchase to book, and for whom."""

    purchase_id: PurchaseField
    user_id: UserId | None = Field(
        default=None, description="Whose it is, where the payment does not say."
    )
    reason: Reason


@endpoint(
    methods=("POST",),
    example={
        "purchaseId": EXAMPLE_PURCHASE_ID,
        "userId": EXAMPLE_USER_ID,
        "reason": "Paid by a link.",
    },
    success=Success("The purchase.", {"paid": EXAMPLE_PURCHASE}),
    errors=(PurchaseNotFound, UserNotFound, OutcomeUnknown),
)
def book_purchase(body: BookPurchase, caller: Caller) -> PurchaseDetails:
    """Book a purchase that was unmatched.

    Once: its product has appeared, or `userId` says whose it is. Where something is still missing,
    the purchase stays `unmatched`, and its `reason` says what.
    """
    if body.user_id is not None and not buyer.is_known(body.user_id):
        raise UserNotFound(userId=body.user_id)
    listing.get(body.purchase_id)  # raises PurchaseNotFound
    operator = Operator(uid_of(caller), body.reason)
    try:
        booked = booking.book_again(body.purchase_id, body.user_id or "", operator=operator)
    except LookupError as error:
        raise InvalidField.of("purchaseId", "has no payment that is known") from error
    return PurchaseDetails.from_document(booked)


class RefundPurchase(WireModel):
    """Which purchase was refunded, and why."""

    purchase_id: PurchaseField
    reason: Reason


@endpoint(
    methods=("POST",),
    example={"purchaseId": EXAMPLE_PURCHASE_ID, "reason": "App Store support has told the user."},
    success=Success(
        "The purchase.",
        {"refunded": EXAMPLE_PURCHASE | {"provider": "revenuecat", "status": "refunded"}},
    ),
    errors=(PurchaseNotFound, PurchaseNotRefundable, OutcomeUnknown),
)
def refund_purchase(body: RefundPurchase, caller: Caller) -> PurchaseDetails:
    """Note that a store has refunded a purchase.

    RevenueCat tells of refunds for the latest period of a subscription only. The credits are taken
    back as if it had told; no money moves. Stripe tells of its refunds itself.
    """
    refunded = operators.refund(body.purchase_id, by=uid_of(caller), reason=body.reason)
    return PurchaseDetails.from_document(refunded)


class UndoRefund(WireModel):
    """Which purchase was not refunded, and how that is known."""

    purchase_id: PurchaseField
    reason: Reason


@endpoint(
    methods=("DELETE",),
    example={"purchaseId": EXAMPLE_PURCHASE_ID, "reason": "It was another purchase."},
    success=Success(
        "The purchase.",
        {"reinstated": EXAMPLE_PURCHASE | {"provider": "revenuecat", "status": "reinstated"}},
    ),
    errors=(PurchaseNotFound, PurchaseNotRefundable, OutcomeUnknown),
)
def undo_purchase_refund(body: UndoRefund, caller: Caller) -> PurchaseDetails:
    """Undo the refund of a purchase.

    For one that was noted by mistake: what was taken back is given back, and what is owed for it is
    owed no more.
    """
    undone = operators.refund(body.purchase_id, by=uid_of(caller), reason=body.reason, undo=True)
    return PurchaseDetails.from_document(undone)


class WaiveDebt(WireModel):
    """How much of a debt to waive."""

    user_id: UserId
    credits: PositiveNumber = Field(description="How many of the credits that are owed.")
    reason: Reason
    idempotency_key: IdempotencyKey


class DebtWaiver(WireModel):
    """What has come of a waiver."""

    is_new: bool = Field(description="False: the same waiver had been made before.")
    debt: int = Field(description="What is still owed.")


@endpoint(
    methods=("POST",),
    example={
        "userId": EXAMPLE_USER_ID,
        "credits": 40,
        "reason": "The chargeback was a mistake of the bank.",
        "idempotencyKey": "ticket-4713",
    },
    success=Success("What is still owed.", {"waived": {"isNew": True, "debt": 0}}),
    errors=(UserNotFound, AccountUnusable, IdempotencyKeyReused, OutcomeUnknown),
)
def waive_debt(body: WaiveDebt, caller: Caller) -> DebtWaiver:
    """Waive credits that a user owes.

    Once for each idempotency key of the user. Nobody asks for these credits again, and while
    nothing else is owed the user can spend.
    """
    waived = operators.waive(
        body.user_id,
        body.credits,
        by=uid_of(caller),
        key=body.idempotency_key,
        reason=body.reason,
    )
    return DebtWaiver(is_new=waived.is_new, debt=waived.debt)
