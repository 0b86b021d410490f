"""What Stripe's events do to purchases and balances: each booking rule, and each known fault."""

from __future__ import annotations

import itertools
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from stripe_stub import objects
from support import shop as support
from support.shop import Shop

from imagegen import clock
from imagegen.catalogue import products
from imagegen.errors import PaymentProviderUnavailable
from imagegen.purchases import booking, reversing, stripe, stripe_api

shop = pytest.fixture(support.shop)
Json = dict[str, Any]


def event_of(events: list[Json], kind: str) -> Json:
    return next(event for event in events if event["type"] == kind)


# --- packs --------------------------------------------------------------------------------------


def test_a_pack_that_is_paid_for_brings_its_credits(shop: Shop) -> None:
    session = shop.buy()
    assert shop.balance() == 0
    assert shop.purchase()["status"] == "pending"
    shop.deliver()
    assert shop.balance() == 100
    assert shop.entries() == [("purchase", 100)]
    purchase = shop.purchase()
    assert (purchase["status"], purchase["userId"], purchase["productId"]) == (
        "paid",
        "ann",
        "pack-100",
    )
    assert (purchase["amount"], purchase["currency"], purchase["credits"]) == (990, "usd", 100)
    assert purchase["stripeSession"] == session["id"]
    assert purchase["stripePaymentIntent"] == session["payment_intent"]
    (lot,) = shop.document("users/ann")["lots"].values()
    assert (lot["kind"], lot["remaining"], "expiresAt" in lot) == ("purchase", 100, False)


def test_the_id_of_a_purchase_is_ours_and_in_everything_that_stripe_keeps(shop: Shop) -> None:
    session = shop.buy()
    (purchase_id,) = shop.purchases()
    named = {"userId": "ann", "productId": "pack-100", "purchaseId": purchase_id}
    intent = shop.world.get(session["payment_intent"])
    charge = shop.world.get(intent["latest_charge"])
    assert session["metadata"] == intent["metadata"] == charge["metadata"] == named
    assert session["client_reference_id"] == "ann"
    assert shop.world.get(session["customer"])["metadata"] == {"userId": "ann"}


def test_an_event_that_comes_twice_books_once_also_under_another_id(shop: Shop) -> None:
    shop.buy()
    events = shop.deliver()
    for event in events:
        stripe.handle(event)
        stripe.handle(event | {"id": "evt_other"})
    assert shop.entries() == [("purchase", 100)]


def test_deliveries_at_the_same_instant_book_once(shop: Shop) -> None:
    shop.buy()
    completed = event_of(shop.told(), "checkout.session.completed")
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(stripe.handle, [completed] * 8))
    assert outcomes == ["paid"] * 8
    assert shop.entries() == [("purchase", 100)]


def test_a_booking_that_fails_leaves_nothing_behind_that_looks_like_a_duplicate(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.buy()
    completed = event_of(shop.told(), "checkout.session.completed")
    with monkeypatch.context() as broken:
        broken.setattr(reversing, "apply", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            stripe.handle(completed)
    assert shop.entries() == []
    assert stripe.handle(completed) == "paid"
    assert shop.entries() == [("purchase", 100)]


def test_an_unpaid_checkout_gives_nothing_until_it_is_paid(shop: Shop) -> None:
    session = shop.checkout()
    shop.world.pay(session, later=True)
    shop.deliver()
    assert (shop.purchase()["status"], shop.balance()) == ("processing", 0)
    shop.world.finish(session, succeeds=True)
    shop.deliver()
    assert (shop.purchase()["status"], shop.balance()) == ("paid", 100)


def test_a_payment_that_fails_later_gives_nothing(shop: Shop) -> None:
    session = shop.checkout()
    shop.world.pay(session, later=True)
    events = shop.deliver()
    shop.world.finish(session, succeeds=False)
    shop.deliver()
    stripe.handle(event_of(events, "checkout.session.completed"))  # late again
    assert (shop.purchase()["status"], shop.balance()) == ("failed", 0)


def test_completed_and_succeeded_book_once_in_whichever_order(shop: Shop) -> None:
    session = shop.checkout()
    shop.world.pay(session, later=True)
    shop.world.finish(session, succeeds=True)
    events = shop.told()
    for event in reversed(events):
        stripe.handle(event)
    assert (shop.purchase()["status"], shop.entries()) == ("paid", [("purchase", 100)])


def test_a_session_at_full_discount_books_without_another_event(shop: Shop) -> None:
    session = shop.world.get(shop.checkout())
    session.update(payment_status="no_payment_required", status="complete", amount_total=0)
    stripe.handle(shop.event("checkout.session.completed", session))
    assert (shop.purchase()["status"], shop.balance()) == ("paid", 100)


def test_a_session_that_expires_ends_its_purchase(shop: Shop) -> None:
    shop.world.expire(shop.checkout())
    shop.deliver()
    assert (shop.purchase()["status"], shop.balance()) == ("expired", 0)


def test_a_session_of_somebody_elses_making_books_if_it_names_user_and_product(shop: Shop) -> None:
    form = {"mode": "payment", "success_url": "x", "cancel_url": "x"}
    link = objects.session(form | {"client_reference_id": "ann"}, 990, "")
    link |= {"payment_status": "paid", "metadata": {"productId": "pack-100"}}
    stripe.handle(shop.event("checkout.session.completed", link))
    assert shop.balance() == 100
    assert [*shop.purchases()] == [f"stripe-{link['id']}"]


@pytest.mark.parametrize(
    ("user_id", "product_id", "reason"),
    [
        ("nobody", "pack-100", "no_user"),
        (None, "pack-100", "no_user"),
        ("a/b", "pack-100", "no_user"),
        ("ann", "no-such", "no_product"),
        ("ann", None, "no_product"),
    ],
)
def test_money_that_matches_nothing_is_kept_and_books_when_it_does(
    shop: Shop, user_id: str | None, product_id: str | None, reason: str
) -> None:
    form = {"mode": "payment", "success_url": "x", "cancel_url": "x"}
    link = objects.session(form | {"client_reference_id": user_id}, 990, "")
    link |= {"payment_status": "paid", "metadata": {"productId": product_id}}
    event = shop.event("checkout.session.completed", link)
    assert stripe.handle(event) == "unmatched"
    purchase = shop.purchase()
    assert (purchase["status"], purchase["reason"]) == ("unmatched", reason)
    assert (purchase["amount"], shop.balance()) == (990, 0)


def test_an_unmatched_purchase_books_when_its_product_appears(shop: Shop) -> None:
    product = shop.document("products/pack-100")
    session = shop.buy()
    shop.store.put("products/pack-100", None)
    products.forget()
    completed = event_of(shop.deliver(), "checkout.session.completed")
    assert (shop.purchase()["status"], shop.balance()) == ("unmatched", 0)
    shop.store.put("products/pack-100", product)
    assert stripe.handle(completed) == "paid"
    assert (shop.purchase()["stripeSession"], shop.balance()) == (session["id"], 100)


def test_an_operator_books_again_what_was_unmatched_once(shop: Shop) -> None:
    product = shop.document("products/monthly-200")
    shop.buy("monthly-200")
    shop.store.put("products/monthly-200", None)
    products.forget()
    shop.deliver()
    (purchase_id,) = shop.purchases()
    assert booking.book_again(purchase_id).status == "unmatched"
    shop.store.put("products/monthly-200", product)
    for _ in range(2):
        assert booking.book_again(purchase_id).status == "paid"
    assert shop.entries() == [("purchase", 200)]
    (lot,) = shop.document("users/ann")["lots"].values()
    assert lot["expiresAt"] == shop.purchase()["validUntil"] + booking.PERIOD_MARGIN


def test_an_operator_says_whose_an_unmatched_purchase_is(shop: Shop) -> None:
    form = {"mode": "payment", "success_url": "x", "cancel_url": "x"}
    link = objects.session(form, 990, "") | {"payment_status": "paid"}
    link["metadata"] = {"productId": "pack-100"}
    assert stripe.handle(shop.event("checkout.session.completed", link)) == "unmatched"
    (purchase_id,) = shop.purchases()
    assert booking.book_again(purchase_id, "ann").status == "paid"
    assert booking.book_again(purchase_id, "bob").user_id == "ann"
    assert shop.balance() == 100


def test_what_nobody_has_paid_for_cannot_be_booked_again(shop: Shop) -> None:
    shop.buy()
    for purchase_id in (*shop.purchases(), "never-was"):
        with pytest.raises(LookupError, match="no payment"):
            booking.book_again(purchase_id)
    assert shop.balance() == 0


def test_a_payment_of_an_account_that_is_gone_is_unmatched_and_still_names_it(shop: Shop) -> None:
    shop.buy()
    shop.store.put("users/ann", None)
    shop.deliver()
    purchase = shop.purchase()
    assert (purchase["status"], purchase["reason"]) == ("unmatched", "no_user")
    assert purchase["userId"] == "ann"


def test_what_the_checkout_promised_stands_whatever_the_product_says_by_now(shop: Shop) -> None:
    shop.buy()
    shop.store.put("products/pack-100", {**shop.document("products/pack-100"), "credits": 50})
    products.forget()
    shop.deliver()
    assert shop.balance() == 100


def test_what_metadata_says_of_credits_or_price_is_not_believed(shop: Shop) -> None:
    session = shop.buy()
    session["metadata"] |= {"credits": "100000", "amount": "1"}
    shop.deliver()
    assert shop.balance() == 100


def test_a_buyer_without_a_user_document_gets_one(shop: Shop) -> None:
    shop.auth_users.add("new")
    form = {"mode": "payment", "success_url": "x", "cancel_url": "x"}
    link = objects.session(form | {"client_reference_id": "new"}, 990, "")
    link |= {"payment_status": "paid", "metadata": {"productId": "pack-100"}}
    stripe.handle(shop.event("checkout.session.completed", link))
    assert shop.balance("new") == 100


# --- subscriptions --------------------------------------------------------------------------------


def subscribe(shop: Shop) -> str:
    session = shop.buy("monthly-200")
    subscription: str = session["subscription"]
    return subscription


def test_a_subscription_is_booked_by_its_invoices_alone(shop: Shop) -> None:
    subscription = subscribe(shop)
    kinds = [event["type"] for event in shop.deliver()]
    assert {"checkout.session.completed", "invoice.paid", "invoice.payment_succeeded"} <= {*kinds}
    assert shop.entries() == [("purchase", 200)]
    invoice = shop.world.get(subscription)["latest_invoice"]
    assert [*shop.purchases()] == [f"stripe-{invoice}"]


def test_each_period_is_one_lot_that_ends_a_margin_after_the_period(shop: Shop) -> None:
    subscription = subscribe(shop)
    for _ in range(2):
        shop.world.renew(subscription)
    shop.deliver()
    assert shop.entries() == [("purchase", 200)] * 3
    assert len(shop.purchases()) == 3
    item = shop.world.get(subscription)["items"]["data"][0]
    ends = sorted(lot["expiresAt"] for lot in shop.document("users/ann")["lots"].values())
    last = datetime.fromtimestamp(item["current_period_end"], UTC) + booking.PERIOD_MARGIN
    assert ends == [last - timedelta(days=60), last - timedelta(days=30), last]
    assert {lot["kind"] for lot in shop.document("users/ann")["lots"].values()} == {"subscription"}


def test_the_events_of_a_subscription_book_the_same_in_any_order(shop: Shop) -> None:
    subscription = subscribe(shop)
    shop.world.renew(subscription)
    events = shop.told() * 2
    random.Random(1).shuffle(events)
    for event in events:
        stripe.handle(event)
    assert shop.entries() == [("purchase", 200)] * 2


def invoice_of(shop: Shop, subscription: str, *lines: Json) -> Json:
    sub = shop.world.get(subscription)
    return objects.invoice(sub, list(lines), objects.now(), "subscription_update")


def line(shop: Shop, subscription: str, price: str, **changes: Any) -> Json:
    sub, start = shop.world.get(subscription), objects.now()
    return objects.invoice_line(shop.world.get(price), sub, start, start + 86_400, **changes)


def test_an_upgrade_within_a_period_gives_no_full_allotment_for_a_few_cents(shop: Shop) -> None:
    subscription = subscribe(shop)
    shop.deliver()
    invoice = invoice_of(
        shop,
        subscription,
        line(shop, subscription, "price_monthly_200", amount=-1400, proration=True),
        line(shop, subscription, "price_monthly_600", amount=1450, proration=True),
    )
    assert stripe.handle(shop.event("invoice.paid", invoice)).startswith("ignored")
    assert shop.entries() == [("purchase", 200)]


def test_a_change_of_interval_books_its_full_line_after_the_prorations(shop: Shop) -> None:
    yearly = {"credits": 2400, "kind": "subscription", "stripePrice": "price_yearly_2400"}
    shop.store.put("products/yearly", yearly)
    subscription = subscribe(shop)
    shop.deliver()
    invoice = invoice_of(
        shop,
        subscription,
        line(shop, subscription, "price_monthly_200", amount=-1400, proration=True),
        line(shop, subscription, "price_yearly_2400"),
    )
    stripe.handle(shop.event("invoice.paid", invoice))
    assert shop.entries() == [("purchase", 200), ("purchase", 2400)]


def test_a_change_that_leaves_the_customer_with_a_balance_cost_nothing_and_is_paid(
    shop: Shop,
) -> None:
    subscription = subscribe(shop)
    shop.told()
    invoice = invoice_of(
        shop,
        subscription,
        line(shop, subscription, "price_yearly_2400", amount=-14_000, proration=True),
        line(shop, subscription, "price_monthly_200"),
    )
    assert stripe.handle(shop.event("invoice.paid", invoice | {"total": -12_510})) == "paid"
    assert (shop.purchase()["status"], shop.purchase()["amount"]) == ("paid", 0)
    assert shop.balance() == 200


def test_lines_that_an_event_does_not_hold_are_fetched(shop: Shop) -> None:
    subscription = subscribe(shop)
    shop.deliver()
    prorations = [
        line(shop, subscription, "price_monthly_200", amount=-1, proration=True) for _ in range(150)
    ]
    invoice = invoice_of(
        shop, subscription, *prorations, line(shop, subscription, "price_monthly_200")
    )
    shop.world.add(invoice)
    shown = invoice | {"lines": objects.listing("", prorations[:10], has_more=True)}
    stripe.handle(shop.event("invoice.paid", shown))
    assert shop.entries() == [("purchase", 200)] * 2


def test_a_trial_gives_nothing_and_the_first_payment_does(shop: Shop) -> None:
    subscription = subscribe(shop)
    shop.told()
    trial = invoice_of(shop, subscription, line(shop, subscription, "price_monthly_200", amount=0))
    assert stripe.handle(shop.event("invoice.paid", trial)).startswith("ignored")
    assert (shop.balance(), shop.purchases()) == (0, {})
    shop.world.renew(subscription)
    shop.deliver()
    assert shop.entries() == [("purchase", 200)]


def test_a_renewal_that_the_customers_balance_paid_is_booked(shop: Shop) -> None:
    subscription = subscribe(shop)
    shop.deliver()
    invoice = invoice_of(shop, subscription, line(shop, subscription, "price_monthly_200"))
    stripe.handle(shop.event("invoice.paid", invoice | {"amount_paid": 0}))
    assert shop.balance() == 400


def test_a_payment_that_failed_gives_nothing(shop: Shop) -> None:
    subscription = subscribe(shop)
    shop.deliver()
    invoice = invoice_of(shop, subscription, line(shop, subscription, "price_monthly_200"))
    event = shop.event("invoice.payment_failed", invoice | {"status": "open", "amount_paid": 0})
    assert stripe.handle(event) == "ignored: type"
    assert shop.balance() == 200


def test_an_invoice_of_no_subscription_pays_for_no_pack_twice(shop: Shop) -> None:
    subscription = subscribe(shop)
    shop.deliver()
    invoice = invoice_of(shop, subscription, line(shop, subscription, "price_pack_100"))
    invoice["parent"] = None
    assert stripe.handle(shop.event("invoice.paid", invoice)).startswith("ignored")
    assert shop.balance() == 200


@pytest.mark.parametrize("is_first", [True, False])
def test_a_refund_finds_the_pack_whose_session_has_an_invoice_of_its_own(
    shop: Shop, is_first: bool
) -> None:
    session = shop.buy()
    intent = session["payment_intent"]
    paid = {"invoice": "in_own", "payment": {"type": "payment_intent", "payment_intent": intent}}
    event = shop.event("invoice_payment.paid", paid)
    if is_first:
        stripe.handle(event)
    shop.deliver()
    stripe.handle(event)
    shop.world.refund(intent)
    told = event_of(shop.told(), "refund.created")  # names no purchase, as a charge may
    stripe.handle(told)
    assert (shop.purchase()["status"], shop.balance()) == ("refunded", 0)


def test_a_payment_after_the_subscription_ended_is_booked(shop: Shop) -> None:
    subscription = subscribe(shop)
    invoice = invoice_of(shop, subscription, line(shop, subscription, "price_monthly_200"))
    shop.world.cancel(subscription)
    shop.deliver()
    stripe.handle(shop.event("invoice.paid", invoice))
    assert shop.balance() == 400


def test_a_deleted_subscription_is_not_revived_by_a_late_update(shop: Shop) -> None:
    subscription = subscribe(shop)
    shop.world.cancel(subscription)
    events = shop.told()
    for order in itertools.permutations(
        [event for event in events if event["type"].startswith("customer.subscription")]
    ):
        for event in order:
            stripe.handle(event)
    late = shop.world.get(subscription) | {"status": "active"}
    stripe.handle(shop.event("customer.subscription.updated", late, at=2**31))
    assert shop.document(f"stripeLinks/{subscription}")["status"] == "canceled"


def test_a_subscription_that_ends_does_not_touch_its_successor(shop: Shop) -> None:
    old, new = subscribe(shop), subscribe(shop)
    shop.world.cancel(old)
    shop.deliver()
    assert shop.document(f"stripeLinks/{old}")["status"] == "canceled"
    assert shop.document(f"stripeLinks/{new}")["status"] == "active"


@pytest.mark.parametrize(
    "scheduled", [{"cancel_at": 2_000_000_000}, {"cancel_at_period_end": True}]
)
def test_a_scheduled_end_is_known_by_either_field(shop: Shop, scheduled: Json) -> None:
    subscription = subscribe(shop)
    shop.deliver()
    changed = shop.world.get(subscription) | scheduled
    stripe.handle(shop.event("customer.subscription.updated", changed, at=2**31))
    item = changed["items"]["data"][0]
    ends_at = scheduled.get("cancel_at", item["current_period_end"])
    stored = shop.document(f"stripeLinks/{subscription}")
    assert stored["endsAt"] == datetime.fromtimestamp(ends_at, UTC)


def test_an_invoice_without_metadata_is_matched_by_subscription_or_customer(shop: Shop) -> None:
    subscription = subscribe(shop)
    shop.deliver()
    for _ in range(2):
        invoice = invoice_of(shop, subscription, line(shop, subscription, "price_monthly_200"))
        invoice["parent"]["subscription_details"]["metadata"] = {}
        invoice["lines"]["data"][0]["metadata"] = {}
        stripe.handle(shop.event("invoice.paid", invoice))
        shop.store.put(f"stripeLinks/{subscription}", None)  # then the customer must do
    assert shop.entries() == [("purchase", 200)] * 3


# --- refunds and disputes -----------------------------------------------------------------------


def test_a_refund_of_half_takes_half_once_however_it_is_told(shop: Shop) -> None:
    session = shop.buy()
    shop.deliver()
    shop.world.refund(session["payment_intent"], 495)
    for event in shop.deliver() * 2:
        stripe.handle(event)
    assert shop.entries() == [("purchase", 100), ("clawback", -50)]
    assert shop.purchase()["status"] == "partially_refunded"
    shop.world.refund(session["payment_intent"])
    shop.deliver()
    assert (shop.purchase()["status"], shop.balance()) == ("refunded", 0)
    assert shop.entries()[2:] == [("clawback", -50)]


def test_what_was_spent_before_the_refund_is_owed_and_paid_by_the_next_purchase(
    shop: Shop,
) -> None:
    session = shop.buy()
    shop.deliver()
    shop.spend(80)
    shop.world.refund(session["payment_intent"])
    shop.deliver()
    (first,) = shop.purchases()
    assert (shop.balance(), shop.purchase()["clawedBack"], shop.purchase()["owed"]) == (0, 20, 80)
    assert shop.document("users/ann")["debt"] == 80
    shop.buy()
    shop.deliver()
    assert shop.document("users/ann")["debt"] == 0
    assert shop.document(f"purchases/{first}")["owed"] == 0
    assert shop.balance() == 20
    assert shop.entries()[-2:] == [("purchase", 100), ("clawback", -80)]


def test_a_clawback_takes_no_free_credits(shop: Shop) -> None:
    shop.store.put("users/ann", {"credits": 30})
    session = shop.buy()
    shop.deliver()
    shop.spend(100)  # of the pack, which is spent before the opening credits
    shop.world.refund(session["payment_intent"])
    shop.deliver()
    user = shop.document("users/ann")
    assert (user["credits"], user["debt"]) == (30, 100)


@pytest.mark.parametrize(
    ("refunded", "spent", "left"),
    [
        (None, 0, 100),  # nothing had been spent: what was not used is not paid for twice
        (None, 30, 70),  # what was spent is taken from what else was bought
        (745, 150, 50),  # half of it was paid for, and half of that more was spent
        (745, 30, 100),
    ],
)
def test_what_has_expired_is_not_taken_from_what_else_was_bought(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, refunded: int | None, spent: int, left: int
) -> None:
    session = shop.buy("monthly-200")
    shop.deliver()
    intent = shop.world.all("invoice_payment", invoice=session["invoice"])[0]["payment"]
    shop.spend(spent) if spent else None
    later = clock.now() + timedelta(days=40)
    monkeypatch.setattr(clock, "now", lambda: later)
    shop.buy()
    shop.deliver()
    refund = shop.world.refund(intent["payment_intent"], refunded)
    shop.deliver()
    shop.deliver()
    assert shop.balance() == left
    assert shop.document("users/ann").get("debt", 0) == 0
    shop.world.fail_refund(refund["id"])
    shop.deliver()
    assert shop.balance() == 100


def test_what_expires_with_the_refund_itself_is_not_taken_either(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = shop.buy("monthly-200")
    shop.buy()
    shop.deliver()
    intent = shop.world.all("invoice_payment", invoice=session["invoice"])[0]["payment"]
    later = clock.now() + timedelta(days=40)
    monkeypatch.setattr(clock, "now", lambda: later)
    shop.world.refund(intent["payment_intent"])
    shop.deliver()
    assert shop.entries() == [("purchase", 200), ("purchase", 100), ("expiry", -200)]
    assert shop.balance() == 100


def test_a_dispute_takes_the_credits_and_a_won_one_gives_them_back(shop: Shop) -> None:
    session = shop.buy()
    shop.deliver()
    dispute = shop.world.dispute(session["payment_intent"])
    shop.deliver()
    assert (shop.purchase()["status"], shop.balance()) == ("disputed", 0)
    shop.world.close_dispute(dispute["id"], won=True)
    shop.deliver()
    assert (shop.purchase()["status"], shop.balance()) == ("reinstated", 100)
    shop.world.refund(session["payment_intent"])
    shop.deliver()
    assert (shop.purchase()["status"], shop.balance()) == ("refunded", 0)


def test_a_dispute_that_is_lost_keeps_the_credits_taken(shop: Shop) -> None:
    session = shop.buy()
    shop.deliver()
    dispute = shop.world.dispute(session["payment_intent"])
    shop.world.close_dispute(dispute["id"], won=False)
    shop.deliver()
    assert (shop.purchase()["status"], shop.entries()) == (
        "disputed",
        [("purchase", 100), ("clawback", -100)],
    )


def test_an_inquiry_takes_nothing(shop: Shop) -> None:
    session = shop.buy()
    shop.deliver()
    charge = shop.world.get(shop.world.get(session["payment_intent"])["latest_charge"])
    inquiry = objects.dispute(charge, "warning_needs_response")
    stripe.handle(shop.event("charge.dispute.created", inquiry))
    assert (shop.purchase()["status"], shop.balance()) == ("paid", 100)


def test_a_refund_that_fails_later_gives_the_credits_back(shop: Shop) -> None:
    session = shop.buy()
    shop.deliver()
    refund = shop.world.refund(session["payment_intent"])
    shop.deliver()
    assert shop.balance() == 0
    shop.world.fail_refund(refund["id"])
    for event in shop.told():
        stripe.handle(event | {"created": event["created"] + 1})
    assert (shop.purchase()["status"], shop.balance()) == ("reinstated", 100)


def outcome(shop: Shop) -> tuple[Any, ...]:
    return (
        shop.balance(),
        shop.document("users/ann").get("debt", 0),
        [
            (p["status"], p.get("clawedBack", 0), p.get("owed", 0))
            for p in shop.purchases().values()
        ],
    )


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("product", ["pack-100", "monthly-200"])
def test_the_order_of_arrival_and_repetition_change_nothing(
    shop: Shop, seed: int, product: str
) -> None:
    session = shop.buy(product)
    intent = session["payment_intent"] or shop.world.all("payment_intent")[0]["id"]
    amount = session["amount_total"]
    shop.world.refund(intent, amount // 4)
    refund = shop.world.refund(intent, amount // 4)
    dispute = shop.world.dispute(intent)
    random.seed(seed)
    events = shop.told()
    shop.world.close_dispute(dispute["id"], won=True)
    shop.world.fail_refund(refund["id"])
    events += [event | {"created": event["created"] + 5} for event in shop.told()]
    shuffled = events + random.sample(events, len(events) // 2)
    random.shuffle(shuffled)
    for event in shuffled:
        stripe.handle(event)
    credits = {"pack-100": 100, "monthly-200": 200}[product]
    left = credits - credits * (amount // 4) // amount
    assert outcome(shop) == (left, 0, [("partially_refunded", credits - left, 0)])


def test_a_refund_before_its_payment_is_applied_with_it(shop: Shop) -> None:
    shop.buy()
    paid = shop.told()
    intent = shop.world.all("payment_intent")[0]["id"]
    shop.world.refund(intent, 495)
    shop.deliver()
    assert (shop.purchase()["status"], shop.balance()) == ("pending", 0)
    for event in paid:
        stripe.handle(event)
    assert shop.entries() == [("purchase", 100), ("clawback", -50)]


def test_a_refund_of_a_subscription_is_matched_by_the_invoices_payment(shop: Shop) -> None:
    subscribe(shop)
    intent = shop.world.all("payment_intent")[0]["id"]
    shop.deliver()
    shop.world.refund(intent)
    shop.deliver()
    assert (shop.purchase()["status"], shop.balance()) == ("refunded", 0)


def test_a_refund_whose_payment_was_never_linked_is_matched_by_asking_stripe(shop: Shop) -> None:
    subscribe(shop)
    intent = shop.world.all("payment_intent")[0]["id"]
    for event in shop.told():
        if event["type"] != "invoice_payment.paid":
            stripe.handle(event)
    shop.world.refund(intent)
    shop.deliver()
    assert (shop.purchase()["status"], shop.balance()) == ("refunded", 0)


def test_while_stripe_cannot_be_asked_the_event_is_to_come_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe(shop)
    intent = shop.world.all("payment_intent")[0]["id"]
    for event in shop.told():
        if event["type"] != "invoice_payment.paid":
            stripe.handle(event)
    shop.world.refund(intent)
    refunded = event_of(shop.told(), "refund.created")
    with monkeypatch.context() as offline:
        offline.setenv("STRIPE_API_BASE", "http://127.0.0.1:1")
        with pytest.raises(PaymentProviderUnavailable):
            stripe.handle(refunded)
    stripe.handle(refunded)
    assert shop.balance() == 0


@pytest.mark.parametrize("product", ["pack-100", "monthly-200"])
def test_where_stripe_may_not_be_asked_a_refund_waits_for_its_payment(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, product: str
) -> None:
    """A restricted key may not read what a payment was for."""
    shop.buy(product)
    paid = shop.told()
    (intent,) = shop.world.all("payment_intent")
    shop.world.refund(intent["id"], intent["amount"] // 2)
    monkeypatch.setattr(stripe_api, "get", refuse)
    refunded = event_of(shop.told(), "refund.created")
    assert stripe.handle(refunded) == "parked"
    for event in paid:
        stripe.handle(event)
    assert shop.purchase()["status"] == "partially_refunded"
    assert shop.balance() == {"pack-100": 50, "monthly-200": 100}[product]
    assert stripe.handle(refunded) == "partially_refunded"
    assert len(shop.entries()) == 2


def refuse(*_: Any) -> Any:
    raise stripe_api.StripeRefused(403, "more_permissions_required")


def test_a_refund_of_something_else_is_parked_and_touches_nobody(shop: Shop) -> None:
    shop.buy()
    shop.deliver()
    intent = objects.payment_intent(500, None, {})
    refund = objects.refund(objects.charge(intent), 500)
    assert stripe.handle(shop.event("refund.created", refund)) == "parked"
    assert stripe.handle(shop.event("refund.created", refund | {"payment_intent": None})) == (
        "unmatched"
    )
    assert shop.entries() == [("purchase", 100)]


# --- what is not for us -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [{"livemode": True}, {"account": "acct_1"}, {"type": "radar.early_fraud_warning.created"}],
)
def test_the_other_mode_connected_accounts_and_other_types_are_ignored(
    shop: Shop, change: Json
) -> None:
    shop.buy()
    completed = event_of(shop.told(), "checkout.session.completed")
    assert stripe.handle(completed | change).startswith("ignored")
    assert shop.balance() == 0


@pytest.mark.parametrize("key", ["sk_live_x", "rk_live_x"])
def test_with_a_live_key_only_live_events_count(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    shop.buy()
    completed = event_of(shop.told(), "checkout.session.completed")
    monkeypatch.setenv("STRIPE_SECRET_KEY", key)
    assert stripe.handle(completed) == "ignored: other mode"
    assert stripe.handle(completed | {"livemode": True}) == "paid"
    assert shop.purchase()["isTest"] is False
