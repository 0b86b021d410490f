"""What clients may do about purchases: go to a checkout or the portal, and list purchases."""

from typing import Annotated

from pydantic import Field, StringConstraints

from imagegen import config, db
from imagegen.api import paging
from imagegen.api.auth import Caller
from imagegen.api.endpoint import Success, endpoint
from imagegen.api.schema import (
    DocumentId,
    NextPageToken,
    PageSize,
    PageToken,
    Timestamp,
    UserId,
    WireModel,
)
from imagegen.errors import (
    AccountClosing,
    AccountDisabled,
    CustomerNotFound,
    NotOwner,
    PaymentProviderUnavailable,
    PaymentsOff,
    ProductNotFound,
    UserNotFound,
)
from imagegen.firestore.stored import readable
from imagegen.purchases import checkout, listing
from imagegen.purchases.purchase import Provider, PurchaseDocument, PurchaseStatus

EXAMPLE_PURCHASE_ID = "6a1f0c9be0d94d3f8a52f6a0d7c1b3e4"

ReturnUrl = Annotated[
    str, StringConstraints(min_length=1, max_length=2048, pattern=r"^https?://[\x21-\x7e]+\z")
]


class CreateCheckoutSession(WireModel):
    """Who wants to buy what, and where the browser goes afterwards."""

    user_id: UserId
    product_id: DocumentId = Field(description="A product on offer.")
    success_url: ReturnUrl = Field(description="Where the browser goes after the payment.")
    cancel_url: ReturnUrl = Field(description="Where it goes if the user turns back.")


class RedirectUrl(WireModel):
    """Where to send the browser."""

    url: str = Field(description="A page of Stripe, for this user alone.")


@endpoint(
    methods=("POST",),
    example={
        "userId": "testUser1",
        "productId": "pack-100",
        "successUrl": "https://app.example.com/credits?bought=1",
        "cancelUrl": "https://app.example.com/credits",
    },
    success=Success(
        "The page to pay at.",
        {"checkout": {"url": "https://checkout.stripe.com/c/pay/cs_test_a1b2c3"}},
    ),
    errors=(
        PaymentsOff,
        NotOwner,
        UserNotFound,
        AccountClosing,
        AccountDisabled,
        ProductNotFound,
        PaymentProviderUnavailable,
    ),
)
def create_checkout_session(body: CreateCheckoutSession, caller: Caller) -> RedirectUrl:
    """Start to buy a product through Stripe.

    Answers with the address of a page where the user pays. The credits come in when Stripe tells
    that the payment has succeeded, which may be before or after the browser has returned; with
    some ways to pay, days later. Both URLs must belong to one of the app's own origins.
    """
    _require(Provider.STRIPE)
    caller.require_access_to(body.user_id)
    url = checkout.session_url(
        body.user_id, body.product_id, body.success_url, body.cancel_url, caller
    )
    return RedirectUrl(url=url)


class CreatePortalSession(WireModel):
    """Whose portal, and where the browser goes afterwards."""

    user_id: UserId
    return_url: ReturnUrl = Field(description="Where the browser goes when the user leaves.")


@endpoint(
    methods=("POST",),
    example={"userId": "testUser1", "returnUrl": "https://app.example.com/credits"},
    success=Success(
        "The portal.", {"portal": {"url": "https://billing.stripe.com/p/session/test_a1b2c3"}}
    ),
    errors=(PaymentsOff, NotOwner, CustomerNotFound, PaymentProviderUnavailable),
)
def create_portal_session(body: CreatePortalSession, caller: Caller) -> RedirectUrl:
    """Open Stripe's portal.

    There the user sees invoices, changes a card, and changes or ends a subscription. It opens for
    a user who has been to a checkout before.
    """
    _require(Provider.STRIPE)
    caller.require_access_to(body.user_id)
    return RedirectUrl(url=checkout.portal_url(body.user_id, body.return_url))


class ListPurchases(WireModel):
    """Whose purchases to list."""

    user_id: UserId
    page_size: PageSize = 0
    page_token: PageToken = None


class Purchase(WireModel):
    """One purchase."""

    purchase_id: str = Field(description="The purchase.")
    product_id: str = Field(description="The product; empty if it is not known.")
    provider: Provider = Field(description="The payment provider that took the money.")
    status: PurchaseStatus = Field(
        description="`pending`, `processing`, `failed`, `expired`, `unmatched`: no credits came "
        "in. `paid`, `partially_refunded`, `refunded`, `disputed`, `reinstated`: they came in."
    )
    credits: int = Field(description="Credits that it buys.")
    clawed_back_credits: int = Field(description="Credits taken back because money went back.")
    owed_credits: int = Field(description="Credits to take back that had been spent already.")
    amount: int = Field(description="The price, in the currency's smallest unit.")
    currency: str = Field(description="ISO 4217, in lower case; empty if it is not known yet.")
    created_at: Timestamp = Field(description="When it was begun, or first told of.")

    @classmethod
    def from_document(cls, purchase: PurchaseDocument) -> "Purchase":
        return cls(
            purchase_id=purchase.id,
            product_id=purchase.product_id,
            provider=purchase.provider,
            status=purchase.status,
            credits=purchase.credits,
            clawed_back_credits=purchase.clawed_back,
            owed_credits=purchase.owed,
            amount=purchase.amount,
            currency=purchase.currency,
            created_at=purchase.created_at,
        )


class PurchasePage(WireModel):
    """A page of purchases."""

    purchases: list[Purchase] = Field(description="Purchases, newest first.")
    next_page_token: NextPageToken = None


@endpoint(
    methods=("GET", "POST"),
    example={"userId": "testUser1", "pageSize": 1},
    success=Success(
        "A page of purchases.",
        {
            "firstPage": {
                "purchases": [
                    {
                        "purchaseId": EXAMPLE_PURCHASE_ID,
                        "productId": "pack-100",
                        "provider": "stripe",
                        "status": "partially_refunded",
                        "credits": 100,
                        "clawedBackCredits": 50,
                        "owedCredits": 0,
                        "amount": 990,
                        "currency": "usd",
                        "createdAt": "2026-11-21T12:30:00.000000Z",
                    }
                ],
                "nextPageToken": "WzQsIjNkMDljMmFiNWU3YjYxZjAiXQ",
            }
        },
    ),
    errors=(PaymentsOff, NotOwner),
)
def list_purchases(body: ListPurchases, caller: Caller) -> PurchasePage:
    """List a user's purchases.

    Newest first, each with its state. A page holds `pageSize` of them, 20 by default and 100 at
    most.
    """
    _require(Provider.STRIPE, Provider.REVENUECAT)
    caller.require_access_to(body.user_id)
    bound_to = ("purchases", body.user_id)
    after = paging.after(body.page_token, bound_to)
    size = paging.size_of(body.page_size)
    found = db.query(listing.query(size + 1, after, user_id=body.user_id))
    return PurchasePage(
        purchases=readable(found[:size], PurchaseDocument, Purchase.from_document),
        next_page_token=paging.next_token(found, size, bound_to),
    )


def _require(*providers: Provider) -> None:
    """Raises PaymentsOff unless credits are sold through one of `providers`."""
    if not any(config.sells_through(each) for each in providers):
        raise PaymentsOff
