"""Sending users to Stripe: to pay for a product, and to manage what they pay for.

The id of a purchase is made here, before Stripe knows of it, and goes with everything that Stripe
keeps: a payment is matched by it whatever else is lost. A subscription's checkout makes none, since
each of its paid invoices is a purchase.
"""

import uuid

from imagegen import clock, config, db, logger
from imagegen.api.auth import Caller
from imagegen.catalogue.products import Product
from imagegen.credits import closures, free
from imagegen.credits.account import require_active
from imagegen.credits.lots import Kind
from imagegen.credits.user import UserDocument
from imagegen.errors import (
    CustomerNotFound,
    InvalidField,
    PaymentProviderUnavailable,
    ProductNotFound,
    UserNotFound,
)
from imagegen.firestore.store import Document
from imagegen.purchases import items, links, stripe_api
from imagegen.purchases.links import CustomerDocument, LinkDocument
from imagegen.purchases.purchase import Provider, PurchaseDocument, PurchaseStatus
from imagegen.purchases.stripe_api import StripeFailed, StripeRefused


def session_url(
    user_id: str, product_id: str, success_url: str, cancel_url: str, caller: Caller | None = None
) -> str:
    """Where the user can pay for a product.

    A user without an account can, too, by a token of their own: the payment opens it.

    Raises ProductNotFound, InvalidField, UserNotFound, AccountClosing, AccountDisabled,
    BackendUnavailable and PaymentProviderUnavailable, after all of which nothing is paid and a new
    call may be made.
    """
    require_own_origin("successUrl", success_url)
    require_own_origin("cancelUrl", cancel_url)
    (user,) = db.read(db.user(user_id))
    if user.exists:
        require_active(UserDocument(user))
    elif not free.claim(caller, user_id).opens_account or db.read(closures.path(user_id))[0].exists:
        raise UserNotFound(userId=user_id)
    offer = items.find("id", product_id)
    if offer is None or not offer.enabled or offer.stripe_price is None:
        raise ProductNotFound(productId=product_id)
    customer, urls = _customer(user_id), {"success_url": success_url, "cancel_url": cancel_url}
    try:
        return _session_url(user_id, offer, customer, urls)
    except StripeRefused as error:
        if not error.is_missing_customer:
            raise
    return _session_url(user_id, offer, _customer(user_id, gone=customer), urls)


def _session_url(user_id: str, offer: Product, customer: str, urls: dict[str, str]) -> str:
    purchase_id = uuid.uuid4().hex
    form = _form(user_id, offer, purchase_id) | {"customer": customer} | urls
    if _is_subscription(offer):
        return str(stripe_api.post(SESSIONS, form, idempotency_key=purchase_id)["url"])
    _open(user_id, offer, purchase_id)
    try:
        session = stripe_api.post(SESSIONS, form, idempotency_key=purchase_id)
    except (PaymentProviderUnavailable, StripeRefused):
        # Nobody has the address of a session that may have been made; one day later it expires.
        _note(purchase_id, status=PurchaseStatus.FAILED)
        raise
    _note(purchase_id, session=session["id"], amount=session.get("amount_total") or 0)
    return str(session["url"])


SESSIONS = "/v1/checkout/sessions"


def portal_url(user_id: str, return_url: str) -> str:
    """Where the user can see invoices, change a card and end a subscription.

    Raises CustomerNotFound for whoever has never been to a checkout, or whose customer has been
    deleted at Stripe; and else as `session_url`.
    """
    require_own_origin("returnUrl", return_url)
    (document,) = db.read(links.customer_path(user_id))
    if not document.exists or CustomerDocument(document).is_live != config.stripe_is_live():
        raise CustomerNotFound(userId=user_id)
    form = {"customer": CustomerDocument(document).customer, "return_url": return_url}
    key = uuid.uuid4().hex
    try:
        session = stripe_api.post("/v1/billing_portal/sessions", form, idempotency_key=key)
    except StripeRefused as error:
        if error.is_missing_customer:
            raise CustomerNotFound(userId=user_id) from error
        raise
    return str(session["url"])


def require_own_origin(field: str, url: str) -> None:
    """Raises InvalidField unless the origin of `url` is one of CHECKOUT_ORIGINS."""
    origins = config.listed(config.CHECKOUT_ORIGINS.value)
    # Compared as text: a parser may see another host than the browser that goes there.
    if not any(url == each or url.startswith((f"{each}/", f"{each}?")) for each in origins):
        violation = {"field": field, "description": "does not belong to one of the app's origins"}
        raise InvalidField(fieldViolations=[violation])


def _is_subscription(offer: Product) -> bool:
    return Kind(offer.kind) is Kind.SUBSCRIPTION


def _form(user_id: str, offer: Product, purchase_id: str) -> dict[str, str]:
    named = {"userId": user_id, "productId": offer.id}
    if not _is_subscription(offer):
        named["purchaseId"] = purchase_id
    # Metadata is not inherited: the payment intent hands it to its charge, the subscription to its
    # invoices. Stripe refuses the field of the other mode.
    heir = "subscription_data" if _is_subscription(offer) else "payment_intent_data"
    return {
        "mode": "subscription" if _is_subscription(offer) else "payment",
        "line_items[0][price]": offer.stripe_price or "",
        "line_items[0][quantity]": "1",
        "client_reference_id": user_id,
        **{f"metadata[{name}]": value for name, value in named.items()},
        **{f"{heir}[metadata][{name}]": value for name, value in named.items()},
    }


def _customer(user_id: str, *, gone: str | None = None) -> str:
    """Stripe's customer for the user, made at the first checkout, or in place of one that is gone.

    Two first checkouts at once get the same one from Stripe, by its idempotency key.
    """
    (document,) = db.read(links.customer_path(user_id))
    if _is_usable(document, gone):
        return CustomerDocument(document).customer
    # Under the key of the first, Stripe would answer with the one that is gone, for a day.
    shared_key = f"customer-{user_id}" + (f"-{gone}" if gone else "")
    try:
        return _keep_customer(user_id, _new_customer(user_id, shared_key), gone)
    except (StripeFailed, _AnothersCustomer):  # as Stripe answers under that key for a day
        return _keep_customer(user_id, _new_customer(user_id, uuid.uuid4().hex), gone)


def _is_usable(document: Document, gone: str | None) -> bool:
    stored = CustomerDocument(document)
    return stored.exists and stored.is_live == config.stripe_is_live() and stored.customer != gone


def _new_customer(user_id: str, key: str) -> str:
    form = {"metadata[userId]": user_id}
    return str(stripe_api.post("/v1/customers", form, idempotency_key=key)["id"])


class _AnothersCustomer(PaymentProviderUnavailable):
    """The customer has gone to another user, with what was bought; another call makes a new one."""


def _keep_customer(user_id: str, made: str, gone: str | None) -> str:
    """Store who the user is to Stripe, unless it is stored meanwhile; who that is.

    Raises _AnothersCustomer.
    """
    path, moment, is_live = links.customer_path(user_id), clock.now(), config.stripe_is_live()
    kept = made

    def decide(transaction: db.Transaction) -> None:
        nonlocal kept
        stored, link = transaction[path], LinkDocument(transaction[links.path(made)])
        if _is_usable(stored, gone):
            kept = CustomerDocument(stored).customer
            return
        if link.exists and link.user_id != user_id:
            raise _AnothersCustomer
        kept = made
        fields = CustomerDocument.fields(customer=made, is_live=is_live, created_at=moment)
        transaction.update(path, fields) if stored.exists else transaction.create(path, fields)
        links.write(transaction, made, moment, user_id=user_id)

    db.transact(decide, path, links.path(made))
    return kept


def _open(user_id: str, offer: Product, purchase_id: str) -> None:
    """Store the purchase that the user is about to pay for."""
    path, moment = db.purchase(purchase_id), clock.now()
    fields = PurchaseDocument.fields(
        user_id=user_id,
        product_id=offer.id,
        provider=Provider.STRIPE,
        status=PurchaseStatus.PENDING,
        credits=offer.credits,
        is_test=not config.stripe_is_live(),
        created_at=moment,
        updated_at=moment,
    )

    def decide(transaction: db.Transaction) -> None:
        if not transaction[path].exists:  # else an earlier commit succeeded, its reply was lost
            transaction.create(path, fields)

    db.transact(decide, Document(path))


def _note(purchase_id: str, *, status: PurchaseStatus | None = None, **known: object) -> None:
    """Store what became known of a pending purchase, unless an event has told more already."""
    path = db.purchase(purchase_id)

    def decide(transaction: db.Transaction) -> None:
        current = PurchaseDocument(transaction[path])
        if current.status is PurchaseStatus.PENDING:
            fields = known | ({"status": status} if status else {})
            transaction.update(path, PurchaseDocument.fields(**fields, updated_at=clock.now()))

    db.transact(decide, path)
    logger.info("checkout", purchaseId=purchase_id, status=status or PurchaseStatus.PENDING)
