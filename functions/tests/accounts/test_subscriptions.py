"""Subscriptions of a user who leaves: Stripe's end first, those of the stores are named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support import shop as support
from support.leaving import Queue
from support.shop import Shop

from imagegen import clock
from imagegen.accounts import delete, merge, worker
from imagegen.credits import closures
from imagegen.errors import AccountClosing, AccountDisabled, PaymentProviderUnavailable
from imagegen.providers import bucket
from imagegen.purchases import revenuecat, stripe, stripe_api

shop = pytest.fixture(support.shop)
Json = dict[str, Any]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe_api, "PAUSES_SECONDS", (0, 0))


def subscribe(shop: Shop) -> str:
    """A subscription of ann; its id."""
    session = shop.buy("monthly-200")
    shop.deliver()
    return str(session["subscription"])


def store_event(product: str, expires: datetime | None, number: int = 1, **fields: Any) -> Json:
    event = {
        "type": "INITIAL_PURCHASE",
        "id": f"e{number}",
        "app_user_id": "ann",
        "product_id": product,
        "transaction_id": f"t{number}",
        "store": "APP_STORE",
        "environment": "PRODUCTION",
        "period_type": "NORMAL",
        "price_in_purchased_currency": 9.9,
        "currency": "USD",
        "event_timestamp_ms": 1795000000000,
        "expiration_at_ms": expires and int(expires.timestamp() * 1000),
    }
    return {"event": event | fields}


def test_a_subscription_in_stripe_is_canceled_before_anything_else(
    shop: Shop, account_queue: Queue
) -> None:
    subscription = subscribe(shop)
    assert delete.delete("ann").store_subscriptions == []
    assert shop.world.get(subscription)["status"] == "canceled"
    shop.deliver()
    assert shop.document(f"stripeLinks/{subscription}")["status"] == "canceled"
    delete.delete("ann")  # again, after the event has come, and before
    assert shop.document("users/ann")["status"] == "closing"


def test_while_stripe_is_out_of_reach_nothing_is_deleted(
    shop: Shop, account_queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription = subscribe(shop)
    with monkeypatch.context() as broken:
        broken.setenv("STRIPE_API_BASE", "http://127.0.0.1:1")
        with pytest.raises(PaymentProviderUnavailable):
            delete.delete("ann")
    assert "status" not in shop.document("users/ann")
    assert closures.path("ann") not in shop.store.documents
    assert shop.world.get(subscription)["status"] == "active"
    assert account_queue.tasks == []


@pytest.mark.parametrize("payments", ["", "revenuecat"])
def test_a_subscription_that_cannot_be_canceled_here_keeps_the_account(
    shop: Shop, account_queue: Queue, monkeypatch: pytest.MonkeyPatch, payments: str
) -> None:
    subscribe(shop)
    monkeypatch.setenv("PAYMENTS", payments)
    with pytest.raises(PaymentProviderUnavailable):
        delete.delete("ann")


def test_a_subscription_that_stripe_does_not_know_is_no_obstacle(
    shop: Shop, account_queue: Queue
) -> None:
    shop.store.put("stripeLinks/sub_other_mode", {"userId": "ann", "status": "active"})
    shop.store.put("stripeLinks/pi_1", {"userId": "ann", "purchaseId": "p"})
    assert delete.delete("ann").status == "closing"


def test_subscriptions_in_stores_are_named_with_the_end_of_their_last_period(
    shop: Shop, account_queue: Queue
) -> None:
    product, pack = "com.example.imagegen.monthly200", "com.example.imagegen.pack100"
    soon, later = clock.now() + timedelta(days=3), clock.now() + timedelta(days=33)
    for number, each in enumerate(
        [
            store_event(product, soon),
            store_event(product, later, type="RENEWAL"),
            store_event(product, clock.now() - timedelta(days=3), store="PLAY_STORE"),
            store_event(pack, None, type="NON_RENEWING_PURCHASE"),
        ]
    ):
        each["event"]["transaction_id"] = f"t{number}"
        revenuecat.handle(each)
    (found,) = delete.delete("ann").store_subscriptions
    assert (found.store, found.product_id) == ("APP_STORE", "monthly-200")
    assert found.period_end == datetime.fromtimestamp(int(later.timestamp()), UTC)


@pytest.mark.parametrize(
    ("status", "error"), [("closing", AccountClosing), ("disabled", AccountDisabled)]
)
def test_nothing_is_bought_that_cannot_be_spent(
    shop: Shop, status: str, error: type[Exception]
) -> None:
    shop.store.put("users/ann", {"credits": 0, "status": status})
    with pytest.raises(error):
        shop.checkout()


def test_a_payment_on_its_way_when_the_account_closes_is_booked(
    shop: Shop, account_queue: Queue, work: Callable[[], int]
) -> None:
    shop.buy()
    events = shop.told()
    delete.delete("ann")
    work()
    for event in events:
        stripe.handle(event)
    tombstone = shop.document(closures.path("ann"))["tombstone"]
    assert shop.balance(tombstone) == 100
    assert shop.purchase()["userId"] == tombstone
    assert not [path for path in shop.store.documents if "ann" in path]


def test_a_subscription_that_begins_when_the_account_is_closed_is_canceled(
    shop: Shop, account_queue: Queue, work: Callable[[], int]
) -> None:
    session_id = shop.checkout("monthly-200")  # it stays open for a day
    delete.delete("ann")
    account_queue.end()
    tombstone = shop.document(closures.path("ann"))["tombstone"]
    assert shop.document(closures.path("ann"))["status"] == "closed"
    subscription = shop.world.pay(session_id)["subscription"]
    shop.deliver()
    assert shop.world.get(subscription)["status"] == "canceled"
    shop.deliver()
    assert shop.document(f"stripeLinks/{subscription}")["status"] == "canceled"
    assert shop.balance(tombstone) == 200  # what was paid for it is in the books


def test_a_subscription_that_became_known_while_the_account_moved_is_canceled_in_the_end(
    shop: Shop, account_queue: Queue, work: Callable[[], int]
) -> None:
    session = shop.buy("monthly-200")
    delete.delete("ann")
    work()
    # Its events were stored when the account was about to move, after its subscriptions had ended.
    link = {"userId": "ann", "status": "active"}
    shop.store.put(f"stripeLinks/{session['subscription']}", link)
    assert shop.world.get(session["subscription"])["status"] == "active"
    account_queue.end()
    assert shop.world.get(session["subscription"])["status"] == "canceled"


def test_a_subscription_of_a_merged_account_is_canceled_when_the_other_one_has_left(
    shop: Shop, account_queue: Queue, work: Callable[[], int]
) -> None:
    shop.store.put("users/bob", {"credits": 0})
    session_id, closure = shop.checkout("monthly-200"), closures.path("ann")
    merge.merge("ann", "bob")
    slow = account_queue.tasks.pop()
    shop.store.put(closure, {**shop.document(closure), "dueAt": clock.now() + timedelta(days=1)})
    delete.delete("bob")
    account_queue.end()
    subscription = shop.world.pay(session_id)["subscription"]
    shop.deliver()  # the account has not moved yet: it is still ann's
    assert shop.world.get(subscription)["status"] == "active"
    account_queue.tasks.append(slow)
    account_queue.end()
    assert shop.world.get(subscription)["status"] == "canceled"


def test_it_is_canceled_by_its_session_where_only_that_names_its_user(
    shop: Shop, account_queue: Queue, work: Callable[[], int]
) -> None:
    delete.delete("ann")
    account_queue.end()
    shop.store.put("users/bob", {"credits": 0})
    session = shop.buy("monthly-200", "bob")  # of a Payment Link, as it might be
    (told,) = [each for each in shop.told() if each["type"] == "checkout.session.completed"]
    told["data"]["object"] |= {"metadata": {}, "client_reference_id": "ann"}
    stripe.handle(told)
    assert shop.world.get(session["subscription"])["status"] == "canceled"


def test_while_it_cannot_be_canceled_its_event_is_to_come_again(
    shop: Shop, account_queue: Queue, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = shop.checkout("monthly-200")
    delete.delete("ann")
    account_queue.end()
    subscription = shop.world.pay(session_id)["subscription"]
    (event,) = [each for each in shop.told() if each["type"] == "customer.subscription.created"]
    with monkeypatch.context() as broken:
        broken.setenv("STRIPE_API_BASE", "http://127.0.0.1:1")
        with pytest.raises(PaymentProviderUnavailable):
            stripe.handle(event)
    stripe.handle(event)
    assert shop.world.get(subscription)["status"] == "canceled"


@pytest.mark.parametrize("merged", [{}, {"mergedInto": "bob"}])
def test_who_is_back_from_a_backup_is_deleted_again(
    shop: Shop, account_queue: Queue, work: Callable[[], int], merged: Json
) -> None:
    shop.store.put("users/bob", {"credits": 0})
    shop.buy()
    shop.deliver()
    backup = {path: document.fields for path, document in shop.store.documents.items()}
    delete.delete("ann")
    account_queue.end()
    assert not [path for path in shop.store.documents if "ann" in path]
    for path, fields in backup.items():  # what is newer than the backup stays, as in an import
        shop.store.put(path, fields)
    closure = shop.document(closures.path("ann"))
    shop.store.put(closures.path("ann"), {**closure, **merged})
    told = delete.delete_for("ann", by="cli:ops", reason="left after the backup")
    assert told.status == "closing"
    delete.delete_for("ann", by="cli:ops", reason="again")
    account_queue.end()
    assert not [path for path in shop.store.documents if "ann" in path]
    again = shop.document(closures.path("ann"))
    assert again["status"] == "closed"
    assert shop.purchase()["userId"] == again["tombstone"] != closure["tombstone"]
    assert (shop.balance(again["tombstone"]), shop.balance("bob")) == (100, 0)
    actions = [path for path in shop.store.documents if path.startswith("adminActions/")]
    assert len(actions) == 1


@pytest.fixture
def work(account_queue: Queue, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Works off the queue, where there is neither a storage nor Firebase Authentication."""
    monkeypatch.setattr(worker, "_delete_sign_in", lambda user_id: None)
    monkeypatch.setattr(bucket, "is_configured", lambda: False)
    return account_queue.work
