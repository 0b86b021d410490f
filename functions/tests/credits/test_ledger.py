"""The ledger: balances, entries, usage and histories."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud import firestore
from support.books import check_books, ledger_of
from support.orders import ANYBODY, order

from imagegen import db
from imagegen.api.auth import Caller
from imagegen.credits import ledger
from imagegen.credits.endpoints import GetUserCredits, get_user_credits
from imagegen.credits.replies import UserCredits
from imagegen.credits.user import UserDocument
from imagegen.errors import (
    AccountUnusable,
    GenerationFailed,
    InsufficientCredits,
    InvalidField,
    NotOwner,
    UserNotFound,
)
from imagegen.firestore.store import Document
from imagegen.generation import create as generation

MONDAY = datetime(2026, 11, 16, 12, tzinfo=UTC)


def deduct(user_id: str, request_id: str, credits_: int, moment: datetime = MONDAY) -> None:
    def decide(transaction: db.Transaction) -> None:
        ledger.deduct(transaction, user_id, request_id, credits_, moment)

    db.transact(decide, db.user(user_id))


def refund(user_id: str, request_id: str, credits_: int, created_at: datetime = MONDAY) -> None:
    db.transact(
        lambda transaction: ledger.refund(
            transaction,
            user_id,
            request_id,
            credits_,
            MONDAY,
            charged_at=created_at,
            reason="TEST",
        ),
        db.user(user_id),
    )


def read_credits(user_id: str, caller: Caller = ANYBODY, **paging: Any) -> UserCredits:
    return get_user_credits(GetUserCredits(user_id=user_id, **paging), caller)


def test_a_deduction_and_its_refund_stand_in_the_ledger(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(10)
    deduct(user_id, "r1", 3)
    refund(user_id, "r1", 3)
    first, second = ledger_of(client, user_id)
    assert first == {
        "id": "r1-deduction", "type": "deduction", "credits": 3, "delta": -3,
        "lots": [{"lot": "opening", "credits": 3, "kind": "opening"}],
        "generationRequestId": "r1", "balanceAfter": 7, "sequence": 1, "timestamp": MONDAY,
        "reason": "generation",
    }  # fmt: skip
    assert (second["id"], second["type"], second["credits"]) == ("r1-refund", "refund", 3)
    assert (second["balanceAfter"], second["sequence"], second["reason"]) == (10, 2, "TEST")


def test_a_balance_never_falls_below_zero(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(2)
    with pytest.raises(InsufficientCredits) as refused:
        deduct(user_id, "r1", 3)
    assert refused.value.details == {"required": 3, "available": 2}
    assert ledger_of(client, user_id) == []
    deduct(user_id, "r2", 2)
    assert client.document(db.user(user_id)).get().get("credits") == 0


@pytest.mark.usefixtures("emulator")
def test_a_user_who_does_not_exist_is_not_made() -> None:
    with pytest.raises(UserNotFound):
        deduct("nobody", "r1", 1)


@pytest.mark.parametrize("value", [-1, 2.5, "10", True, None])
def test_a_balance_that_is_no_number_of_credits_is_an_error(value: object) -> None:
    with pytest.raises(AccountUnusable):
        _ = UserDocument(Document("users/u", {"credits": value})).credits


def test_a_document_without_credits_has_none() -> None:
    assert UserDocument(Document("users/u", {})).credits == 0


def test_a_history_is_newest_first_and_pages_lead_through_all_of_it(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(100)
    for number in range(7):
        deduct(user_id, f"r{number}", 1)
    whole = read_credits(user_id)
    assert whole.current_credits == 93
    assert [entry.id for entry in whole.transactions] == [
        f"r{n}-deduction" for n in range(6, -1, -1)
    ]
    assert whole.next_page_token is None
    paged: list[str] = []
    token = None
    for _ in range(3):
        page = read_credits(user_id, page_size=3, page_token=token)
        paged += [entry.id for entry in page.transactions]
        token = page.next_page_token
    assert token is None
    assert paged == [entry.id for entry in whole.transactions]


def test_pages_stay_put_while_the_history_grows(new_user: Callable[..., str]) -> None:
    user_id = new_user(100)
    for number in range(4):
        deduct(user_id, f"r{number}", 1)
    first = read_credits(user_id, page_size=2)
    deduct(user_id, "later", 1)
    second = read_credits(user_id, page_size=2, page_token=first.next_page_token)
    assert [e.id for e in second.transactions] == ["r1-deduction", "r0-deduction"]


def test_a_page_token_of_another_user_is_refused(new_user: Callable[..., str]) -> None:
    ann, bob = new_user(9), new_user(9)
    deduct(ann, "r1", 1)
    deduct(ann, "r2", 1)
    token = read_credits(ann, page_size=1).next_page_token
    with pytest.raises(InvalidField):
        read_credits(bob, page_token=token)


def test_an_entry_that_this_release_cannot_read_hides_no_other_and_no_balance(
    client: firestore.Client, new_user: Callable[..., str], call: Callable[..., Any]
) -> None:
    """After a rollback there may be types of entries that are not known yet."""
    user_id = new_user(5, ledgerSequence=4)
    entry = {"type": "grant", "credits": 1, "balanceAfter": 5, "timestamp": MONDAY, "reason": "x"}
    for number in range(1, 5):
        fields = entry | {"sequence": float(number), "type": "grant" if number != 3 else "novel"}
        client.document(f"{db.entries(user_id)}/e{number}").set(fields)
    seen, token = [], None
    for _ in range(2):  # pages of two; of the first, one entry is left out
        page = call(
            "getUserCredits", json={"userId": user_id, "pageSize": 2, "pageToken": token}
        ).get_json()
        assert page["currentCredits"] == 5
        seen += [each["id"] for each in page["transactions"]]
        token = page.get("nextPageToken")
    assert seen == ["e4", "e2", "e1"]


def test_a_history_never_shows_an_entry_that_its_balance_does_not_include(
    client: firestore.Client, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = new_user(10)
    deduct(user_id, "r1", 1)
    query = db.query

    def query_after_another_charge(wanted: Any) -> Any:
        deduct(user_id, "r2", 1)
        return query(wanted)

    monkeypatch.setattr(db, "query", query_after_another_charge)
    seen = read_credits(user_id)
    assert seen.current_credits == 9
    assert [entry.id for entry in seen.transactions] == ["r1-deduction"]


def test_a_history_of_over_a_thousand_entries_comes_in_pages(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5, ledgerSequence=1001)
    batch = client.batch()
    for number in range(1, 1002):
        entry = client.document(f"{db.entries(user_id)}/e{number}")
        fields = {"type": "grant", "credits": 1, "sequence": number, "timestamp": MONDAY}
        batch.set(entry, {**fields, "generationRequestId": None})
    batch.commit()
    assert len(read_credits(user_id).transactions) == 100
    seen = read_credits(user_id, page_size=5000)
    assert len(seen.transactions) == 1000
    rest = read_credits(user_id, page_token=seen.next_page_token)
    assert [entry.id for entry in rest.transactions] == ["e1"]


def test_only_the_owner_and_an_admin_see_a_history(new_user: Callable[..., str]) -> None:
    user_id = new_user(4)
    assert read_credits(user_id, Caller(uid=user_id)).current_credits == 4
    assert read_credits(user_id, Caller(uid="boss", is_admin=True)).current_credits == 4
    with pytest.raises(NotOwner):
        read_credits(user_id, Caller(uid="stranger"))
    with pytest.raises(NotOwner):  # and is not told whether the user exists
        read_credits("nobody", Caller(uid="stranger"))


def test_every_scenario_leaves_balance_equal_to_opening_plus_entries(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(8)
    generation.create(order(user_id, size="1024x1024"), ANYBODY)
    with pytest.raises(GenerationFailed):
        generation.create(order(user_id, model="Doomed Model", size="1024x1792"), ANYBODY)
    generation.create(order(user_id, size="1024x1024"), ANYBODY)
    with pytest.raises(InsufficientCredits):
        generation.create(order(user_id, size="1024x1024"), ANYBODY)
    assert check_books(client, user_id, opening=8) == 2


def test_a_refund_takes_the_spending_back_from_the_day_of_the_charge(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(50)
    tuesday = MONDAY + timedelta(days=1)
    deduct(user_id, "r1", 4, MONDAY)
    deduct(user_id, "r2", 3, tuesday)
    refund(user_id, "r1", 4, created_at=MONDAY)
    usage = client.document(db.user(user_id)).get().get("usage")
    assert usage == {
        "days": {"2026-11-17": 3},
        "weeks": {"2026-W47": {"credits": 3, "busiestDay": 3}},
    }
