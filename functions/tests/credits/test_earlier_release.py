"""A release that knows no lots beside this one: whatever the two do in turn, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from google.cloud import firestore
from support import earlier_release
from support.accounts import bought, lot, remaining, with_lots
from support.books import check_books, ledger_of
from support.orders import ANYBODY, order

from imagegen import db, tasks
from imagegen.credits.endpoints import GetUserCredits, get_user_credits
from imagegen.generation import create as generation
from imagegen.generation.request import RequestDocument
from imagegen.generation.settle import Outcome, settle

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
Users = Callable[..., str]


@pytest.fixture
def user_id(new_user: Users) -> str:
    """A user with a trial of 3 that is spent first, and a pack of 5."""
    end = datetime.now(UTC) + timedelta(days=9)
    return new_user(8, **with_lots(lot("trial", 3, expires_at=end), bought("pack", 5)))


@pytest.fixture(autouse=True)
def _no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "enqueue", lambda request_id, **_: None)


def charge(user_id: str, size: str = "1024x1792") -> str:
    """Charge 4 credits for a request that stays open; its id."""
    reply = generation.create(order(user_id, size=size, mode="async"), ANYBODY)
    return reply.body.generation_request_id


def fail(request_id: str) -> None:
    """End it, and refund it."""
    (document,) = db.read(db.generation_request(request_id))
    settle(RequestDocument(document), Outcome.canceled())


def test_its_charge_and_its_refund_on_a_user_with_lots(
    client: firestore.Client, user_id: str
) -> None:
    request_id = earlier_release.charge(user_id, 4)
    other = charge(user_id, size="512x512")
    assert remaining(client, user_id) == {"pack": 3}  # it took the trial and one of the pack
    fail(other)
    assert remaining(client, user_id) == {"pack": 4}
    earlier_release.fail(request_id)
    assert get_user_credits(GetUserCredits(user_id=user_id), ANYBODY).current_credits == 8
    charge(user_id, size="512x512")
    assert remaining(client, user_id) == {"pack": 3, "opening": 4}
    assert check_books(client, user_id, opening=8) == 7


def test_its_charge_and_our_refund(client: firestore.Client, user_id: str) -> None:
    request_id = earlier_release.charge(user_id, 4)
    fail(request_id)
    assert remaining(client, user_id) == {"pack": 4, "opening": 4}
    assert check_books(client, user_id, opening=8) == 8


def test_our_charge_and_its_refund(client: firestore.Client, user_id: str) -> None:
    request_id = charge(user_id)
    earlier_release.fail(request_id)
    shown = get_user_credits(GetUserCredits(user_id=user_id, view="full"), ANYBODY)
    assert [(each.id, each.remaining) for each in shown.lots or ()] == [("pack", 4), ("opening", 4)]
    charge(user_id)
    assert remaining(client, user_id) == {"opening": 4}
    assert check_books(client, user_id, opening=8) == 4


def test_its_charge_between_our_charge_and_our_refund(
    client: firestore.Client, user_id: str
) -> None:
    ours = charge(user_id)
    request_id = earlier_release.charge(user_id, 4)
    fail(ours)
    assert remaining(client, user_id) == {"trial": 3, "pack": 1}
    fail(request_id)
    assert remaining(client, user_id) == {"trial": 3, "pack": 1, "opening": 4}
    assert check_books(client, user_id, opening=8) == 8


def test_what_it_has_spent_of_an_expired_lot_does_not_expire(
    client: firestore.Client, new_user: Users
) -> None:
    held = with_lots(lot("trial", 3, expires_at=NOON), bought("pack", 5))
    user_id = new_user(8, **held)
    earlier_release.charge(user_id, 2)  # it knows no expiry either
    assert get_user_credits(GetUserCredits(user_id=user_id), ANYBODY).current_credits == 5
    assert [entry["delta"] for entry in ledger_of(client, user_id)] == [-2, -1]
    assert check_books(client, user_id, opening=8) == 5


def test_a_balance_that_was_set_by_hand_is_what_can_be_spent(
    client: firestore.Client, user_id: str
) -> None:
    client.document(db.user(user_id)).update({"credits": 2})
    charge(user_id, size="512x512")
    assert remaining(client, user_id) == {"pack": 1}
