"""Merging accounts: what was paid for moves with its purchases, nothing free does."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from google.cloud import firestore, storage
from support.accounts import bought, lot, remaining, with_lots
from support.books import check_books, ledger_of
from support.leaving import Queue, closure_of, tombstone_of, traces
from support.orders import ANYBODY, now, order
from support.sign_in import sign_up

from imagegen import db, tasks
from imagegen.accounts import closing, delete, merge, moving, recovery
from imagegen.credits import closures
from imagegen.errors import AccountClosing, AccountDisabled, UserNotFound
from imagegen.generation import create as generation
from imagegen.generation.request import RequestDocument
from imagegen.generation.settle import Outcome, settle
from imagegen.providers.base import GeneratorError
from imagegen.purchases import reversing
from imagegen.purchases.purchase import Provider
from imagegen.purchases.reversals import Refund, Reversals

BY_HAND = ("I13", "I15")  # lots that were written without the entries of their purchases
Users = Callable[..., str]


@pytest.fixture
def buyer(client: firestore.Client, new_user: Users) -> str:
    """Somebody with 5 free credits, and 40 that are left of a purchase of 50."""
    purchase_id = f"p-{uuid.uuid4().hex}"
    user_id = new_user(45, **with_lots(lot("trial", 5), bought(purchase_id, 40)))
    purchase = {
        "userId": user_id,
        "provider": "stripe",
        "status": "paid",
        "credits": 50,
        "amount": 500,
        "lotId": purchase_id,
        "createdAt": firestore.SERVER_TIMESTAMP,
    }
    client.document(db.purchase(purchase_id)).set(purchase)
    client.document(f"stripeLinks/pi_{purchase_id}").set({"userId": user_id})
    client.document(f"stripeCustomers/{user_id}").set({"customer": "cus_1", "isLive": False})
    return user_id


def purchase_of(client: firestore.Client, user_id: str) -> Any:
    owned = firestore.FieldFilter("userId", "==", user_id)
    (found,) = client.collection("purchases").where(filter=owned).stream()
    return found


def test_what_was_paid_for_moves_with_its_purchase_and_a_refund_follows_it(
    client: firestore.Client,
    new_user: Users,
    buyer: str,
    account_queue: Queue,
    emulated_bucket: storage.Bucket,
) -> None:
    user_id, purchase_id = new_user(2), purchase_of(client, buyer).id
    assert merge.merge(buyer, user_id) == merge.Merged(40, 42)
    assert remaining(client, user_id) == {"opening": 2, purchase_id: 40}
    assert purchase_of(client, user_id).id == purchase_id
    assert client.document(f"stripeLinks/pi_{purchase_id}").get().get("userId") == user_id
    assert client.document(f"stripeCustomers/{user_id}").get().get("customer") == "cus_1"
    with pytest.raises(AccountClosing):
        generation.create(order(buyer), ANYBODY)
    assert merge.merge(buyer, user_id) == merge.Merged(40, 42)
    account_queue.end()
    closure = closure_of(client, buyer)
    assert (closure["status"], closure["mergedInto"]) == ("closed", user_id)
    assert check_books(client, closure["tombstone"], 45, ignoring=BY_HAND) == 5
    whole = Reversals(refunds={"re_1": Refund(500, "succeeded", 1)})
    reversing.reverse(purchase_id, Provider.STRIPE, whole)
    assert check_books(client, user_id, 2, ignoring=BY_HAND) == 2
    assert client.document(db.user(user_id)).get().get("debt") == 10
    with pytest.raises(AccountClosing):
        merge.merge(buyer, new_user(1))


def test_debt_moves_along(client: firestore.Client, new_user: Users, account_queue: Queue) -> None:
    source, target = new_user(0, debt=7), new_user(2)
    merge.merge(source, target)
    assert client.document(db.user(target)).get().get("debt") == 7


def test_what_a_running_generation_gives_back_follows(
    client: firestore.Client,
    new_user: Users,
    buyer: str,
    account_queue: Queue,
    monkeypatch: pytest.MonkeyPatch,
    emulated_bucket: storage.Bucket,
) -> None:
    monkeypatch.setattr(tasks, "enqueue", lambda *_, **__: None)
    spent = [
        generation.create(order(buyer, size="1024x1024", mode="async"), ANYBODY) for _ in range(4)
    ]
    user_id, paid = new_user(2), 0
    for made in spent:
        path = db.generation_request(made.body.generation_request_id)
        client.document(path).update({"status": "processing"})
        parts = RequestDocument(db.read(path)[0]).lots
        paid += sum(part.credits for part in parts if part.is_paid)
    assert merge.merge(buyer, user_id).transferred == 40 - paid
    account_queue.work(at_most=1)
    for made in spent:
        (document,) = db.read(db.generation_request(made.body.generation_request_id))
        error = GeneratorError("MOCK_FAILURE", "No image.", retryable=False)
        settle(RequestDocument(document), Outcome.failed(error))
    recovery.recover()
    account_queue.work()
    assert paid > 0
    assert check_books(client, user_id, 2, ignoring=BY_HAND) == 42
    assert check_books(client, tombstone_of(client, buyer), 45, ignoring=BY_HAND) == 5


def test_what_comes_late_goes_to_whoever_holds_the_money_when_the_other_account_is_closed_too(
    client: firestore.Client,
    new_user: Users,
    buyer: str,
    account_queue: Queue,
    emulated_bucket: storage.Bucket,
) -> None:
    user_id = new_user(2)
    merge.merge(buyer, user_id)
    account_queue.work()
    task, closure = {"closureId": closures.closure_id(buyer)}, closures.path(buyer)
    client.document(closure).update({"dueAt": now() + timedelta(days=1)})  # its tasks are slow
    late = client.document(f"purchases/{uuid.uuid4().hex}")
    link = client.document(f"stripeLinks/pi_{late.id}")
    delete.delete(user_id)
    account_queue.end()
    assert closure_of(client, user_id)["status"] == "closed"
    for reference in (late, link):
        reference.set({"userId": buyer, "status": "pending"})
    account_queue.tasks.append(task)
    account_queue.end()
    holder = tombstone_of(client, user_id)
    assert {reference.get().get("userId") for reference in (late, link)} == {holder}
    assert closure_of(client, buyer)["mergedInto"] == holder
    assert traces(client, emulated_bucket, [buyer, user_id]) == []
    late.delete()


def test_money_for_an_account_that_was_merged_goes_where_the_other_one_is_merged_into(
    client: firestore.Client,
    new_user: Users,
    buyer: str,
    account_queue: Queue,
    emulated_bucket: storage.Bucket,
) -> None:
    second, third = new_user(2), new_user(3)
    merge.merge(buyer, second)
    account_queue.end()
    merge.merge(second, third)
    account_queue.end()
    assert closure_of(client, buyer)["mergedInto"] == third
    found: list[str] = []
    db.transact(lambda transaction: found.append(closures.holder(transaction, buyer)))
    assert found[-1] == third
    assert traces(client, emulated_bucket, [buyer, second]) == []


def test_two_accounts_that_are_merged_into_each_other_do_not_both_close(
    client: firestore.Client,
    new_user: Users,
    account_queue: Queue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = new_user(1), new_user(2)  # neither has bought anything
    begin = closing.begin
    begun: list[bool] = []

    def let_the_other_go_first(*args: Any, **options: Any) -> bool:
        if not begun:
            begun.append(True)
            merge.merge(second, first)
        return begin(*args, **options)

    monkeypatch.setattr(closing, "begin", let_the_other_go_first)
    with pytest.raises(AccountClosing):
        merge.merge(first, second)
    assert closure_of(client, second)["mergedInto"] == first
    assert closure_of(client, first) == {}


def test_a_repeated_call_does_not_find_an_account_that_has_been_closed_since(
    client: firestore.Client,
    new_user: Users,
    buyer: str,
    account_queue: Queue,
    monkeypatch: pytest.MonkeyPatch,
    emulated_bucket: storage.Bucket,
) -> None:
    user_id = new_user(2)
    merge.merge(buyer, user_id)
    delete.delete(user_id)
    with monkeypatch.context() as patched:
        patched.setattr(moving, "STEPS", ())  # the user document has moved, nothing has followed
        account_queue.work()
    assert closure_of(client, buyer)["mergedInto"] == user_id
    with pytest.raises(UserNotFound):
        merge.merge(buyer, user_id)
    account_queue.end()
    assert closure_of(client, buyer)["mergedInto"] == tombstone_of(client, user_id)


def test_calls_at_the_same_instant_move_once(
    client: firestore.Client, new_user: Users, buyer: str, account_queue: Queue
) -> None:
    user_id = new_user(2)
    with ThreadPoolExecutor(6) as pool:
        merged = [*pool.map(lambda _: merge.merge(buyer, user_id), range(6))]
    assert merged == [merge.Merged(40, 42)] * 6
    assert [entry["type"] for entry in ledger_of(client, user_id)] == ["transfer_in"]


def test_over_http_both_tokens_are_verified(
    client: firestore.Client, call: Callable[..., Any], account_queue: Queue
) -> None:
    anonymous, anonymous_token = sign_up(anonymous=True)
    _, token = sign_up(anonymous=False)
    other, other_token = sign_up(anonymous=False)
    client.document(db.user(anonymous)).set(with_lots(bought("p", 8), lot("trial", 5)))
    bearer = {"Authorization": f"Bearer {token}"}

    def answer(sent: str, headers: dict[str, str]) -> tuple[int, Any]:
        got = call("mergeAccount", json={"anonymousIdToken": sent}, headers=headers)
        error = got.json.get("error")
        return got.status_code, error["details"]["reason"] if error else got.json

    assert answer(anonymous_token, {}) == (401, "TOKEN_MISSING")
    assert answer("forged", bearer) == (401, "TOKEN_INVALID")
    assert answer(other_token, bearer) == (400, "NOT_ANONYMOUS")
    itself = {"Authorization": f"Bearer {anonymous_token}"}
    assert answer(anonymous_token, itself) == (400, "NOT_ANONYMOUS")
    assert closure_of(client, anonymous) == {}
    # The caller's account need not have been opened before.
    moved = {"transferredCredits": 8, "currentCredits": 8}
    assert answer(anonymous_token, bearer) == (200, moved)
    assert answer(anonymous_token, bearer) == (200, moved)
    stranger = {"Authorization": f"Bearer {other_token}"}
    client.document(db.user(other)).set({"credits": 1})
    assert answer(anonymous_token, stranger) == (409, "ACCOUNT_CLOSING")


def test_an_operator_transfers_once_for_each_key_and_both_accounts_stay(
    client: firestore.Client, new_user: Users, buyer: str
) -> None:
    user_id = new_user(2)
    for _ in range(2):
        moved = merge.transfer(buyer, user_id, key="ticket-1", reason="lost phone", by="cli:ann")
        assert moved == merge.Merged(40, 42)
    assert remaining(client, buyer) == {"trial": 5}
    assert check_books(client, buyer, 45, ignoring=BY_HAND) == 5
    assert [each["reason"] for each in ledger_of(client, user_id)] == ["lost phone"]
    assert purchase_of(client, user_id).exists
    for key, reason in (("", "r"), ("k", " ")):
        with pytest.raises(ValueError, match="key and a reason"):
            merge.transfer(buyer, user_id, key=key, reason=reason, by="cli:ann")
    with pytest.raises(ValueError, match="paid for"):
        merge.transfer(buyer, user_id, key="ticket-2", reason="again", by="cli:ann")
    with pytest.raises(ValueError, match="same account"):
        merge.transfer(buyer, buyer, key="k", reason="r", by="cli:ann")
    with pytest.raises(AccountDisabled):
        merge.transfer(user_id, new_user(1, status="disabled"), key="k", reason="r", by="cli:ann")
    with pytest.raises(UserNotFound):
        merge.transfer("nobody-at-all", buyer, key="k", reason="r", by="cli:ann")
