"""Deleting an account: what goes, what stays in the books, and what may happen meanwhile."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from firebase_admin import auth
from google.cloud import firestore, storage
from support.books import account_of, check_books
from support.images import image
from support.leaving import Queue, closure_of, entries_of, tombstone_of, traces
from support.orders import ANYBODY, now, order
from support.sign_in import bearer, sign_up

from imagegen import clock, db, firebase, tasks
from imagegen.accounts import closing, delete, moving, recovery, worker
from imagegen.api.auth import Caller
from imagegen.audit import project as audit
from imagegen.catalogue import catalogue, products
from imagegen.credits import closures, ledger
from imagegen.errors import AccountClosing, UserNotFound
from imagegen.generation import create as generation
from imagegen.generation import worker as generation_worker
from imagegen.generation.request import RequestDocument
from imagegen.generation.settle import Outcome, settle
from imagegen.generation.uploads import UploadSource, upload_source
from imagegen.notifications import devices
from imagegen.providers.base import StoredImage
from imagegen.purchases import booking, reversing
from imagegen.purchases.booking import Payment
from imagegen.purchases.items import Item
from imagegen.purchases.purchase import Provider
from imagegen.purchases.reversals import Refund, Reversals

Users = Callable[..., str]
MARKER = "only-i-know-this"


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each task does a page of two documents."""
    monkeypatch.setattr(moving, "PAGE_SIZE", 2)
    monkeypatch.setattr(worker, "RUN_SECONDS", -1.0)


@pytest.fixture
def pack(client: firestore.Client) -> Iterator[str]:
    """A product of 50 credits."""
    name = f"pack-{uuid.uuid4().hex[:8]}"
    reference = client.document(f"products/{name}")
    reference.set({"credits": 50, "kind": "purchase"})
    products.forget()
    yield name
    reference.delete()
    products.forget()


def pay(user_id: str, product: str, purchase_id: str = "") -> str:
    """Book a payment of the user; the purchase's id."""
    paid = Payment(
        purchase_id=purchase_id or f"stripe-{uuid.uuid4().hex}",
        provider=Provider.STRIPE,
        named=[user_id],
        items=[Item("id", product)],
        amount=500,
        currency="usd",
        at=datetime.now(UTC),
        is_test=True,
        payment_intent=f"pi_{uuid.uuid4().hex}",
    )
    booking.book(paid)
    return paid.purchase_id


def refunded(amount: int) -> Reversals:
    return Reversals(refunds={"re_1": Refund(amount, "succeeded", 1)})


def spend(user_id: str, **changes: Any) -> str:
    answer = generation.create(order(user_id, **{"prompt": MARKER} | changes), ANYBODY)
    return answer.body.generation_request_id


def findings_of(client: firestore.Client, *user_ids: str) -> list[Any]:
    found = audit.run(client, lambda _: None).findings
    return [each for each in found if each.user_id in user_ids]


def test_nothing_personal_is_left_and_the_books_balance(
    client: firestore.Client,
    account_queue: Queue,
    emulated_bucket: storage.Bucket,
    painted: None,
    pack: str,
) -> None:
    user_id, _ = sign_up()
    email = str(auth.get_user(user_id, app=firebase.app()).email)
    client.document(db.user(user_id)).set({"credits": 9, "name": MARKER})
    photo = upload_source(UploadSource(user_id=user_id, data=image(64, 64)), ANYBODY)
    source = {"type": "photo", "uploadId": photo.upload_id}
    requests = [spend(user_id), spend(user_id, source=source)]
    purchase_id = pay(user_id, pack)
    ledger.grant_credits(user_id, 2, key=MARKER, reason=f"sorry, {user_id}: yours", by="cli:ann")
    ledger.grant_credits(user_id, 1, key="again", reason=f"{email} wrote", by="cli:ann")
    devices.register(user_id, MARKER)
    by_hand: dict[str, dict[str, Any]] = {
        f"events/{uuid.uuid4().hex}": {"userId": user_id, "about": db.user(user_id)},
        f"stripeCustomers/{user_id}": {"customer": "cus_1", "isLive": False},
        f"stripeLinks/sub_{uuid.uuid4().hex}": {"userId": user_id, "status": "canceled"},
        f"imageReports/{requests[0]}": {"userId": user_id, "comment": MARKER},
        f"adminActions/{uuid.uuid4().hex}": {
            "userId": user_id,
            "subject": db.user(user_id),
            "by": "an-operator",
            "reason": f"{user_id} wrote",
        },
        f"adminActions/of-another-{user_id[:6]}": {
            "userId": "another-user",
            "subject": "users/another-user",
            "by": user_id,
            "reason": f"credits of <{email.upper()}>, not of a{email}",
            "after": {"from": {"id": user_id}},
        },
        f"imageReports/{uuid.uuid4().hex}": {
            "userId": "another-user",
            "reporterId": user_id,
            "comment": f"{user_id}: violent",
            "resolvedBy": user_id,
        },
        f"audits/{uuid.uuid4().hex}": {"by": user_id, "findings": [{"userId": user_id}]},
        f"accountClosures/{uuid.uuid4().hex}": {"status": "closed", "mergedInto": user_id},
        f"reports/test-{user_id[:6]}": {
            "users": {user_id: 3},
            "anomalies": [{"dimension": {"value": user_id}, "message": f"User {user_id} spent."}],
        },
    }
    for path, fields in by_hand.items():
        client.document(path).set(fields)
    numbers = {
        entry_id: entry["sequence"] for entry_id, entry in entries_of(client, user_id).items()
    }

    deletion = delete.delete(user_id)
    assert deletion.status == "closing"
    account_queue.work()
    markers = [user_id, MARKER, email]
    assert traces(client, emulated_bucket, markers) == [closures.path(user_id)]
    account_queue.end()

    assert traces(client, emulated_bucket, markers) == []
    assert [*emulated_bucket.list_blobs()] == []
    with pytest.raises(auth.UserNotFoundError):
        auth.get_user(user_id, app=firebase.app())
    tombstone = tombstone_of(client, user_id)
    assert check_books(client, tombstone, 9) == 9 - 2 + 50 + 2 + 1
    moved = entries_of(client, tombstone)
    assert {entry_id: entry["sequence"] for entry_id, entry in moved.items()} == numbers
    assert f"sorry, {tombstone}: yours" in [entry["reason"] for entry in moved.values()]
    assert client.document(db.purchase(purchase_id)).get().get("userId") == tombstone
    (report,) = [
        client.document(path).get().to_dict() or {} for path in by_hand if "reports/test" in path
    ]
    assert report["anomalies"][0]["message"] == f"User {tombstone} spent."
    client.document(f"reports/test-{user_id[:6]}").delete()
    assert closure_of(client, user_id)["status"] == "closed"
    assert closure_of(client, user_id).keys() == {
        "tombstone", "status", "beganAt", "movedAt", "closedAt"
    }  # fmt: skip


def test_the_audit_knows_an_account_in_transit_and_holds_after_every_page(
    client: firestore.Client,
    new_user: Users,
    account_queue: Queue,
    small_pages: None,
    painted: None,
    pack: str,
    emulated_bucket: storage.Bucket,
) -> None:
    user_id = new_user(9)
    for _ in range(5):
        spend(user_id)
    pay(user_id, pack)
    delete.delete(user_id)
    tombstone, steps = tombstone_of(client, user_id), 0
    while account_queue.work(at_most=1):
        assert findings_of(client, user_id, tombstone) == []
        steps += 1
    assert steps > 6
    assert check_books(client, tombstone, 9) == 54


def test_tasks_that_come_twice_at_the_same_time_and_again_move_everything_once(
    client: firestore.Client,
    new_user: Users,
    account_queue: Queue,
    small_pages: None,
    emulated_bucket: storage.Bucket,
) -> None:
    user_id = new_user(30)
    for _ in range(9):
        spend(user_id)
    delete.delete(user_id)
    delete.delete(user_id)
    task, tombstone = account_queue.tasks[0], tombstone_of(client, user_id)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(12):
            for each in [pool.submit(worker.process, task) for _ in range(4)]:
                each.result()
    account_queue.end()
    worker.process(task)
    assert delete.delete(user_id).status == "closed"
    assert tombstone_of(client, user_id) == tombstone
    assert check_books(client, tombstone, 30) == 21
    assert entries_of(client, user_id) == {}


def test_what_waits_is_canceled_and_refunded_and_what_runs_is_waited_for(
    client: firestore.Client,
    new_user: Users,
    account_queue: Queue,
    monkeypatch: pytest.MonkeyPatch,
    emulated_bucket: storage.Bucket,
) -> None:
    monkeypatch.setattr(tasks, "enqueue", lambda *_, **__: None)
    user_id = new_user(9)
    waiting, running = spend(user_id, mode="async"), spend(user_id, mode="async")
    lease = generation_worker._take_lease(running, catalogue.current())
    assert lease is not None
    delete.delete(user_id)
    for _ in range(3):
        assert account_queue.work() == 1
        recovery.recover()
    canceled = client.document(db.generation_request(waiting)).get()
    assert canceled.get("status") == "canceled"
    assert client.document(db.user(user_id)).get().get("status") == "closing"
    with pytest.raises(AccountClosing):
        spend(user_id)
    settle(lease, Outcome.completed(StoredImage("https://example.com/i.png")))
    account_queue.end()
    tombstone = tombstone_of(client, user_id)
    assert check_books(client, tombstone, 9) == 8
    assert closure_of(client, user_id)["status"] == "closed"


def test_an_order_that_is_repeated_after_the_deletion_is_refused_like_a_new_one(
    client: firestore.Client,
    new_user: Users,
    account_queue: Queue,
    emulated_bucket: storage.Bucket,
) -> None:
    user_id = new_user(9)
    spend(user_id, idempotencyKey="key-1")
    delete.delete(user_id)
    account_queue.work()
    for key in ("key-1", "key-2"):
        with pytest.raises(UserNotFound):
            spend(user_id, idempotencyKey=key)
    assert check_books(client, tombstone_of(client, user_id), 9) == 8


def test_money_that_comes_or_goes_while_the_account_moves_is_in_the_books(
    client: firestore.Client,
    new_user: Users,
    account_queue: Queue,
    small_pages: None,
    pack: str,
    emulated_bucket: storage.Bucket,
) -> None:
    user_id = new_user(0)
    bought = [pay(user_id, pack) for _ in range(4)]
    delete.delete(user_id)
    pay(user_id, pack)  # before the user document has moved
    tombstone = tombstone_of(client, user_id)
    for purchase_id in bought:
        account_queue.work(at_most=1)
        reversing.reverse(purchase_id, Provider.STRIPE, refunded(500))
        pay(user_id, pack)
        assert findings_of(client, user_id, tombstone) == []
    account_queue.end()
    reversing.reverse(bought[0], Provider.STRIPE, refunded(500))
    pay(user_id, pack)
    assert check_books(client, tombstone, 0) == 6 * 50
    assert not client.document(db.user(user_id)).get().exists
    assert traces(client, emulated_bucket, [user_id]) == []


def test_what_was_paid_while_a_purchase_that_owes_was_on_its_way_pays_for_it(
    client: firestore.Client,
    new_user: Users,
    account_queue: Queue,
    small_pages: None,
    painted: None,
    pack: str,
    emulated_bucket: storage.Bucket,
) -> None:
    user_id = new_user(0)
    owing = pay(user_id, pack)
    spend(user_id)
    reversing.reverse(owing, Provider.STRIPE, refunded(500))
    assert client.document(db.user(user_id)).get().get("debt") == 1
    delete.delete(user_id)
    account_queue.work(at_most=1)
    assert client.document(db.purchase(owing)).get().get("userId") == user_id
    paid = pay(user_id, pack)  # the user document has moved, the purchase has not
    account_queue.end()
    tombstone = tombstone_of(client, user_id)
    held = client.document(db.user(tombstone)).get().to_dict() or {}
    assert (held["debt"], held["lots"][paid]["remaining"]) == (0, 49)
    assert client.document(db.purchase(owing)).get().get("owed") == 0
    assert check_books(client, tombstone, 0) == 49


def test_a_task_that_is_lost_is_put_on_the_queue_again(
    client: firestore.Client,
    new_user: Users,
    account_queue: Queue,
    monkeypatch: pytest.MonkeyPatch,
    emulated_bucket: storage.Bucket,
) -> None:
    user_id = new_user(3)
    delete.delete(user_id)
    task = account_queue.tasks.pop()
    recovery.recover()
    assert task not in account_queue.tasks
    later = now() + closing.DUE_AGAIN_AFTER + timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    recovery.recover()
    recovery.recover()  # the queue is behind
    assert account_queue.tasks.count(task) == 1
    account_queue.tasks[:] = [task]
    account_queue.end()
    assert closure_of(client, user_id)["status"] == "closed"
    later += timedelta(days=1)
    recovery.recover()
    assert task not in account_queue.tasks


def test_an_operator_deletes_for_a_user_who_exists_and_says_why(
    client: firestore.Client,
    new_user: Users,
    account_queue: Queue,
    emulated_bucket: storage.Bucket,
) -> None:
    user_id = new_user(3)
    with pytest.raises(ValueError, match="reason"):
        delete.delete_for(user_id, reason=" ", by="cli:ann")
    with pytest.raises(UserNotFound):
        delete.delete_for(f"nobody-{user_id}", reason="asked by mail", by="cli:ann")
    assert delete.delete_for(user_id, reason="asked by mail", by="cli:ann").status == "closing"
    account_queue.end()
    assert delete.delete_for(user_id, reason="asked by mail", by="cli:ann").status == "closed"


def test_a_malformed_account_can_be_deleted(
    client: firestore.Client,
    new_user: Users,
    account_queue: Queue,
    emulated_bucket: storage.Bucket,
) -> None:
    user_id = new_user(3)
    client.document(db.user(user_id)).update({"credits": "three", "debt": "none"})
    delete.delete(user_id)
    account_queue.work()
    tombstone = tombstone_of(client, user_id)
    assert account_of(client, tombstone).user is not None
    assert client.document(db.user(tombstone)).get().get("credits") == "three"


def test_a_user_without_an_account_is_deleted_from_authentication(
    client: firestore.Client, account_queue: Queue, emulated_bucket: storage.Bucket, pack: str
) -> None:
    user_id, _ = sign_up()
    delete.delete(user_id)
    pay(user_id, pack)  # its first payment comes too late
    account_queue.work()
    assert closure_of(client, user_id)["status"] == "closing"
    account_queue.end()
    with pytest.raises(auth.UserNotFoundError):
        auth.get_user(user_id, app=firebase.app())
    assert check_books(client, tombstone_of(client, user_id), 0) == 50
    assert not client.document(db.user(user_id)).get().exists


def test_an_account_that_is_new_moves_when_no_late_call_can_open_it_again(
    client: firestore.Client,
    new_user: Users,
    account_queue: Queue,
    emulated_bucket: storage.Bucket,
) -> None:
    user_id = new_user(3, createdAt=now())
    delete.delete(user_id)
    account_queue.work()
    assert client.document(db.user(user_id)).get().get("status") == "closing"
    account_queue.end()
    assert closure_of(client, user_id)["status"] == "closed"


def test_images_of_all_attempts_are_deleted_when_their_requests_move(
    client: firestore.Client,
    new_user: Users,
    account_queue: Queue,
    painted: None,
    emulated_bucket: storage.Bucket,
) -> None:
    user_id = new_user(9)
    stored, elsewhere = spend(user_id), spend(user_id)
    # As if an attempt before the last had stored what is there.
    client.document(db.generation_request(elsewhere)).update({"image": None, "attempts": 2})
    paths = [f"generations/{request_id}/" for request_id in (stored, elsewhere)]
    assert all([*emulated_bucket.list_blobs(prefix=path)] for path in paths)
    delete.delete(user_id)
    account_queue.work()
    assert not any([*emulated_bucket.list_blobs(prefix=path)] for path in paths)


def test_what_comes_late_from_a_call_that_had_found_the_account_is_deleted_too(
    client: firestore.Client,
    new_user: Users,
    account_queue: Queue,
    painted: None,
    emulated_bucket: storage.Bucket,
) -> None:
    user_id = new_user(3)
    request_id = spend(user_id)
    delete.delete(user_id)
    account_queue.work()
    assert not client.document(db.user(user_id)).get().exists
    emulated_bucket.blob(f"generations/{request_id}/late-512.webp").upload_from_string(MARKER)
    late: dict[str, dict[str, Any]] = {
        f"purchases/{uuid.uuid4().hex}": {"userId": user_id, "status": "pending"},
        f"stripeCustomers/{user_id}": {"customer": "cus_1", "isLive": False},
        f"stripeLinks/cus_{uuid.uuid4().hex}": {"userId": user_id},
        f"{db.user(user_id)}/devices/phone": {"token": MARKER},
    }
    for path, fields in late.items():
        client.document(path).set(fields)
    account_queue.end()
    assert traces(client, emulated_bucket, [user_id, MARKER]) == []
    for path in late:
        client.document(path).delete()


def test_over_http_it_needs_a_token_and_a_recent_sign_in(
    client: firestore.Client,
    call: Callable[..., Any],
    account_queue: Queue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user_id, token = sign_up()
    client.document(db.user(user_id)).set({"credits": 3})
    assert call("deleteAccount", json={}).status_code == 401  # also where AUTH_MODE is optional
    with monkeypatch.context() as late:
        moment = clock.now() + timedelta(minutes=6)
        late.setattr(clock, "now", lambda: moment)
        answer = call("deleteAccount", json={}, headers=bearer(token))
        assert answer.status_code == 401
        reason = answer.json["error"]["details"]["reason"]
        assert reason == "RECENT_SIGN_IN_REQUIRED"
    assert closure_of(client, user_id) == {}
    answer = call("deleteAccount", json={}, headers=bearer(token))
    assert (answer.status_code, answer.json) == (
        202,
        {"status": "closing", "storeSubscriptions": []},
    )
    assert client.document(db.user(user_id)).get().get("status") == "closing"
    assert call("deleteAccount", json={"userId": user_id}, headers=bearer(token)).status_code == 400


def test_a_token_of_a_deleted_user_opens_no_account(
    client: firestore.Client,
    new_user: Users,
    account_queue: Queue,
    monkeypatch: pytest.MonkeyPatch,
    emulated_bucket: storage.Bucket,
) -> None:
    monkeypatch.setenv("SIGNUP_CREDITS", "20")
    user_id = new_user(3)
    delete.delete(user_id)
    account_queue.work()
    owner = Caller(uid=user_id, has_verified_email=True)
    with pytest.raises(UserNotFound):
        generation.create(order(user_id), owner)
    assert not client.document(db.user(user_id)).get().exists


def test_the_deployed_functions_delete_an_account(
    client: firestore.Client, deployed: httpx.Client
) -> None:
    user_id, token = sign_up()
    client.document(db.user(user_id)).set({"credits": 3})
    answer = deployed.post("/deleteAccount", json={"data": {}}, headers=bearer(token))
    assert answer.json() == {"result": {"status": "closing", "storeSubscriptions": []}}
    deadline = now() + timedelta(seconds=60)
    while "movedAt" not in closure_of(client, user_id):
        assert now() < deadline
    assert closures.is_tombstone(tombstone_of(client, user_id))
    assert not RequestDocument(db.read(db.user(user_id))[0]).exists
