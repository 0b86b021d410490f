"""Purchases: lots that money buys, taken back when the money is, owed when they were spent."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud import firestore
from hypothesis import given
from hypothesis import strategies as st
from simulation.memory_store import MemoryStore
from support.accounts import bought, lot, remaining, with_lots
from support.books import check_books, ledger_of
from support.orders import ANYBODY, order

from imagegen import db
from imagegen.api.auth import Caller
from imagegen.credits import clawback, ledger, lots
from imagegen.credits.account import Account
from imagegen.credits.endpoints import GetUserCredits, get_user_credits
from imagegen.credits.lots import Kind
from imagegen.credits.purchased import PurchasedCredits
from imagegen.errors import GenerationFailed, OutstandingDebt
from imagegen.firestore.store import Document, Query
from imagegen.generation import create as generation
from imagegen.notifications import outbox

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
Users = Callable[..., str]
BY_HAND = ("I13", "I15")  # lots and debts that were written without their purchases


@pytest.fixture(autouse=True, scope="module")
def nobody_is_told() -> Iterator[None]:
    """Some of these have no store in which webhook endpoints could be looked up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox, "subscriptions", dict)
        yield


@pytest.fixture
def new_purchase(client: firestore.Client) -> Callable[[int], str]:
    """Writes the document of a purchase of so many credits; the id."""

    def make(credits: int) -> str:
        purchase_id = f"p-{uuid.uuid4().hex[:12]}"
        client.document(db.purchase(purchase_id)).set({"credits": credits, "status": "pending"})
        return purchase_id

    return make


def book(user_id: str, purchase_id: str, credits: int, **terms: Any) -> None:
    def decide(transaction: db.Transaction) -> None:
        ledger.purchase(transaction, user_id, purchase_id, credits, NOON, **terms)
        mark_booked(transaction, user_id, purchase_id)

    db.transact(decide, db.user(user_id), db.purchase(purchase_id))


def mark_booked(transaction: db.Transaction, user_id: str, purchase_id: str) -> None:
    """What `purchases.booking` writes; the money is paid back in part, or never was."""
    fields = {"userId": user_id, "lotId": purchase_id, "status": "partially_refunded"}
    transaction.update(transaction[db.purchase(purchase_id)].path, fields)


def claw_back(user_id: str, purchase_id: str, credits: int) -> None:
    def decide(transaction: db.Transaction) -> None:
        account = Account(transaction, user_id, NOON)
        clawback.claw_back(account, purchase_id, credits, reason="refund")

    db.transact(decide, db.user(user_id), db.purchase(purchase_id))


def reinstate(user_id: str, purchase_id: str, credits: int) -> None:
    def decide(transaction: db.Transaction) -> None:
        account = Account(transaction, user_id, NOON)
        clawback.reinstate(account, purchase_id, credits, reason="dispute won")

    db.transact(decide, db.user(user_id), db.purchase(purchase_id))


def spend(user_id: str, credits: int) -> None:
    for _ in range(credits):
        generation.create(order(user_id), ANYBODY)


def state(client: firestore.Client, user_id: str, purchase_id: str) -> tuple[int, int, int]:
    """What was taken back of the purchase, what it owes, and what the user owes."""
    purchase = client.document(db.purchase(purchase_id)).get().to_dict() or {}
    user = client.document(db.user(user_id)).get().to_dict() or {}
    return purchase.get("clawedBack", 0), purchase.get("owed", 0), user.get("debt", 0)


def test_a_purchase_is_a_lot_with_an_entry_of_its_name(
    client: firestore.Client, new_user: Users, new_purchase: Callable[[int], str]
) -> None:
    user_id, pack = new_user(1), new_purchase(10)
    book(user_id, pack, 10, expires_at=NOON + timedelta(days=365), priority=45)
    assert remaining(client, user_id) == {"opening": 1, pack: 10}
    (entry,) = ledger_of(client, user_id)
    assert (entry["id"], entry["type"], entry["delta"]) == (f"{pack}-purchase", "purchase", 10)
    user = client.document(db.user(user_id)).get().to_dict() or {}
    assert (user["lots"][pack]["priority"], user["lots"][pack]["purchaseId"]) == (45, pack)


def test_a_purchase_opens_an_account_whose_opening_grant_comes_later(
    client: firestore.Client,
    new_purchase: Callable[[int], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SIGNUP_CREDITS", "20")
    user_id, pack = f"new-{uuid.uuid4().hex[:12]}", new_purchase(10)
    book(user_id, pack, 10)
    shown = get_user_credits(GetUserCredits(user_id=user_id), Caller(uid=user_id))
    assert shown.current_credits == 30
    assert get_user_credits(GetUserCredits(user_id=user_id), Caller(uid=user_id)) == shown
    assert check_books(client, user_id, opening=0) == 30


def test_a_clawback_takes_from_its_own_lot_then_from_paid_ones_and_never_from_free_ones(
    client: firestore.Client, new_user: Users, new_purchase: Callable[[int], str]
) -> None:
    pack = new_purchase(10)
    held = (lot("trial", 5), bought(pack, 2), bought("other", 4), lot("gift", 3, Kind.GRANT))
    user_id = new_user(14, **with_lots(*held))
    claw_back(user_id, pack, 5)
    assert remaining(client, user_id) == {"trial": 5, "other": 1, "gift": 3}
    assert state(client, user_id, pack) == (5, 0, 0)
    claw_back(user_id, pack, 3)
    assert remaining(client, user_id) == {"trial": 5, "gift": 3}
    assert state(client, user_id, pack) == (6, 2, 2)
    assert [entry["id"] for entry in ledger_of(client, user_id)] == [
        f"{pack}-clawback-1",
        f"{pack}-clawback-2",
    ]
    with pytest.raises(ValueError, match="3 more of purchase"):
        claw_back(user_id, pack, 3)
    assert check_books(client, user_id, opening=14, ignoring=BY_HAND) == 8


def test_with_debt_nothing_can_be_spent(
    client: firestore.Client, new_user: Users, new_purchase: Callable[[int], str]
) -> None:
    user_id, pack = new_user(5), new_purchase(10)
    book(user_id, pack, 10)
    spend(user_id, 4)
    claw_back(user_id, pack, 10)
    assert state(client, user_id, pack) == (6, 4, 4)
    with pytest.raises(OutstandingDebt) as refused:
        generation.create(order(user_id), ANYBODY)
    assert refused.value.details == {"debt": 4, "available": 5}
    assert check_books(client, user_id, opening=5) == 5


def test_a_later_purchase_is_booked_whole_and_then_pays_the_debt(
    client: firestore.Client, new_user: Users, new_purchase: Callable[[int], str]
) -> None:
    user_id, first, second = new_user(0), new_purchase(10), new_purchase(3)
    book(user_id, first, 10)
    spend(user_id, 5)
    claw_back(user_id, first, 10)

    def book_and_collect(transaction: db.Transaction) -> None:
        ledger.purchase(transaction, user_id, second, 3, NOON)
        mark_booked(transaction, user_id, second)
        clawback.collect(Account(transaction, user_id, NOON))

    db.transact(book_and_collect, db.user(user_id))
    assert state(client, user_id, first) == (8, 2, 2)
    assert [(e["type"], e["delta"]) for e in ledger_of(client, user_id)[-2:]] == [
        ("purchase", 3),
        ("clawback", -3),
    ]
    assert check_books(client, user_id, opening=0) == 0


def test_credits_that_a_failed_generation_restores_pay_the_debt_of_their_purchase(
    client: firestore.Client,
    new_user: Users,
    new_purchase: Callable[[int], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from imagegen.providers import run

    user_id, pack = new_user(0), new_purchase(10)
    book(user_id, pack, 10)
    run_provider = run.run_provider

    def run_while_the_money_is_paid_back(*args: Any, **kwargs: Any) -> Any:
        claw_back(user_id, pack, 10)
        return run_provider(*args, **kwargs)

    monkeypatch.setattr(run, "run_provider", run_while_the_money_is_paid_back)
    with pytest.raises(GenerationFailed):
        generation.create(order(user_id, model="Doomed Model", size="1024x1024"), ANYBODY)
    assert state(client, user_id, pack) == (10, 0, 0)
    assert [(e["type"], e["delta"]) for e in ledger_of(client, user_id)[1:]] == [
        ("deduction", -3),
        ("clawback", -7),
        ("refund", 3),
        ("clawback", -3),
    ]
    assert check_books(client, user_id, opening=0) == 0


def test_a_reinstatement_forgives_the_debt_and_puts_the_rest_where_it_was(
    client: firestore.Client, new_user: Users, new_purchase: Callable[[int], str]
) -> None:
    pack = new_purchase(10)
    later = NOON + timedelta(days=3)
    held = (bought(pack, 2, expires_at=later), bought("other", 4))
    user_id = new_user(6, **with_lots(*held))
    claw_back(user_id, pack, 10)
    assert state(client, user_id, pack) == (6, 4, 4)
    reinstate(user_id, pack, 7)
    assert remaining(client, user_id) == {"other": 3}
    assert state(client, user_id, pack) == (3, 0, 0)
    reinstate(user_id, pack, 3)
    assert remaining(client, user_id) == {pack: 2, "other": 4}
    user = client.document(db.user(user_id)).get().to_dict() or {}
    assert user["lots"][pack]["expiresAt"] == later
    assert state(client, user_id, pack) == (0, 0, 0)
    with pytest.raises(ValueError, match="missing"):
        reinstate(user_id, pack, 1)
    assert check_books(client, user_id, opening=6, ignoring=BY_HAND) == 6


def test_a_refund_is_not_stopped_by_a_purchase_that_is_gone(
    client: firestore.Client, new_user: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = new_user(3, **with_lots(bought("gone", 3)))
    from imagegen.providers import run

    run_provider = run.run_provider

    def run_into_debt(*args: Any, **kwargs: Any) -> Any:
        client.document(db.user(user_id)).update({"debt": 9})
        return run_provider(*args, **kwargs)

    monkeypatch.setattr(run, "run_provider", run_into_debt)
    with pytest.raises(GenerationFailed):
        generation.create(order(user_id, model="Doomed Model"), ANYBODY)
    assert remaining(client, user_id) == {"gone": 3}


def test_a_transfer_moves_lots_and_debt_once(client: firestore.Client, new_user: Users) -> None:
    end = NOON + timedelta(days=9)
    held = (lot("trial", 5), bought("p1", 4, expires_at=end), lot("gift", 2, Kind.GRANT))
    source, target = new_user(11, **with_lots(*held), debt=3), new_user(1, debt=1)

    def move(transaction: db.Transaction) -> None:
        ledger.transfer(
            transaction, source, target, {"p1", "gift"}, NOON, key="move", reason="merge", debt=3
        )

    for _ in range(2):
        db.transact(move, db.user(source), db.user(target))
    assert remaining(client, source) == {"trial": 5}
    assert remaining(client, target) == {"opening": 1, "p1": 4, "move-transfer_in-2": 2}
    moved = client.document(db.user(target)).get().to_dict() or {}
    assert (moved["debt"], moved["lots"]["p1"]["expiresAt"]) == (4, end)
    assert [e["id"] for e in ledger_of(client, source)] == ["move-transfer_out"]
    assert [e["id"] for e in ledger_of(client, target)] == ["move-transfer_in"]
    assert check_books(client, source, opening=11, ignoring=BY_HAND) == 5
    assert check_books(client, target, opening=1, ignoring=BY_HAND) == 7


# From here on without Firestore: what any number of clawbacks and reinstatements leave.


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=8),
    st.integers(0, 12),
)
def test_taken_and_owed_are_what_should_be_taken_whatever_came_before(
    sizes: list[int], targets: list[tuple[int, int]], spent: int
) -> None:
    held = [bought(f"p{n}", size) for n, size in enumerate(sizes)]
    left, _ = lots.take(lots.ordered(held), min(spent, sum(sizes)))
    user = Document(db.user("u"), with_lots(*left), NOON)
    purchase = Document(db.purchase("p0"), {"credits": 12}, NOON)
    before = lots.total(left)
    for target, waiver in targets:
        transaction = db.Transaction([user, purchase])
        account, stands = (
            Account(transaction, "u", NOON),
            PurchasedCredits(purchase),
        )
        difference = target - stands.clawed_back - stands.owed - stands.waived
        if difference >= 0:
            clawback.claw_back(account, "p0", difference, reason="r")
        else:
            clawback.reinstate(account, "p0", -difference, reason="r")
        owed = PurchasedCredits(transaction[purchase.path]).owed
        clawback.waive(account, "p0", min(waiver, owed))
        user, purchase = transaction[user.path], transaction[purchase.path]
        stands = PurchasedCredits(purchase)
        assert stands.clawed_back + stands.owed + stands.waived == target
        assert (user.get("debt", 0), user["credits"]) == (stands.owed, before - stands.clawed_back)
        assert account.lots == account.user.held_lots


def test_however_many_purchases_owe_something_they_are_found_and_collected_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else each would have everything read and queried again: a refund would run out of time."""
    asked: list[str] = []

    class Counting(MemoryStore):
        def read(self, paths: Sequence[str], timeout_seconds: float) -> list[Document]:
            asked.append("read")
            return super().read(paths, timeout_seconds)

        def query(self, query: Query, timeout_seconds: float) -> list[Document]:
            asked.append("query")
            return super().query(query, timeout_seconds)

    memory = Counting()
    monkeypatch.setattr(db, "connection", lambda: memory)
    memory.put(db.user("ann"), {"credits": 0, "debt": 40})
    for number in range(40):
        fields = {"userId": "ann", "credits": 9, "owed": 1, "status": "refunded"}
        memory.put(db.purchase(f"p{number}"), fields)
    parts = (lots.Lot("gone", Kind.PURCHASE, 30, None, 50, NOON, "gone"),)

    def give_back(transaction: db.Transaction) -> None:
        ledger.refund(transaction, "ann", "r", 30, NOON, charged_at=NOON, reason="x", parts=parts)

    user = db.transact(give_back, db.user("ann"))[db.user("ann")]
    assert (user["credits"], user["debt"]) == (0, 10)
    assert asked == ["read", "query"]
