"""What is due is booked by the first call that sees it: opening grant, allowance, expiry."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud import firestore
from support.accounts import bought, lot, remaining, with_lots
from support.books import check_books, ledger_of
from support.orders import ANYBODY, order
from support.proxy import FirestoreProxy

from imagegen import db
from imagegen.api.auth import Caller
from imagegen.credits import ledger
from imagegen.credits.endpoints import GetUserCredits, get_user_credits
from imagegen.credits.lots import Kind
from imagegen.credits.replies import UserCredits
from imagegen.errors import GenerationFailed, InsufficientCredits, UserNotFound
from imagegen.generation import create as generation
from imagegen.providers import run

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
JANUARY = datetime(2027, 1, 1, tzinfo=UTC)
Clock = Callable[[datetime], None]
Users = Callable[..., str]


@pytest.fixture
def free_credits(client: object, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets parameters."""

    def set_to(**parameters: object) -> None:
        for name, value in parameters.items():
            monkeypatch.setenv(name.upper(), str(value))

    return set_to


def owner(user_id: str, **claims: Any) -> Caller:
    return Caller(uid=user_id, **{"has_verified_email": True} | claims)


def read(user_id: str, caller: Caller | None = None, **fields: Any) -> UserCredits:
    return get_user_credits(GetUserCredits(user_id=user_id, **fields), caller or owner(user_id))


def a_stranger() -> str:
    return f"new-{uuid.uuid4().hex[:12]}"


def entries_of(client: firestore.Client, user_id: str) -> list[tuple[str, int]]:
    return [(entry["id"], entry["delta"]) for entry in ledger_of(client, user_id)]


def test_the_owners_first_call_opens_an_account_with_its_opening_grant(
    client: firestore.Client, free_credits: Callable[..., None], stopped_clock: Clock
) -> None:
    free_credits(signup_credits=20, signup_credits_days=30)
    user_id = a_stranger()
    shown = read(user_id, view="full")
    assert shown.current_credits == 20
    assert [(e.id, e.delta, e.reason) for e in shown.transactions] == [
        ("signup-grant", 20, "trial")
    ]
    assert shown.lots is not None
    assert (shown.lots[0].kind, shown.lots[0].expires_at) == ("trial", NOON + timedelta(days=30))
    read(user_id)
    assert check_books(client, user_id, opening=0) == 20


def test_a_charge_opens_an_account_in_its_own_transaction(
    client: firestore.Client, free_credits: Callable[..., None]
) -> None:
    free_credits(signup_credits=20, free_monthly_credits=5)
    user_id = a_stranger()
    generation.create(order(user_id), owner(user_id))
    assert [delta for _, delta in entries_of(client, user_id)] == [20, 5, -1]
    month = f"{datetime.now(UTC):%Y-%m}"
    assert remaining(client, user_id) == {
        "signup-grant": 20,
        f"allowance-{month}-grant": 4,
    }
    assert check_books(client, user_id, opening=0) == 24


def test_first_calls_at_once_open_one_account(
    client: firestore.Client, free_credits: Callable[..., None]
) -> None:
    free_credits(signup_credits=20, free_monthly_credits=5)
    user_id = a_stranger()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: read(user_id), range(8)))
        list(pool.map(lambda _: generation.create(order(user_id), owner(user_id)), range(8)))
    assert check_books(client, user_id, opening=0) == 17


@pytest.mark.parametrize("caller", [ANYBODY, Caller(uid="boss", is_admin=True)])
def test_nobody_else_opens_an_account(free_credits: Callable[..., None], caller: Caller) -> None:
    free_credits(signup_credits=20)
    user_id = a_stranger()
    with pytest.raises(UserNotFound):
        read(user_id, caller)
    with pytest.raises(UserNotFound):
        generation.create(order(user_id), caller)


def test_without_an_opening_grant_an_unknown_user_is_not_found(
    free_credits: Callable[..., None],
) -> None:
    free_credits(free_monthly_credits=5)
    with pytest.raises(UserNotFound):
        read(a_stranger())


@pytest.mark.parametrize(
    ("hint", "parameters", "claims"),
    [
        ("EMAIL_NOT_VERIFIED", {"require_verified_email": "true"}, {"has_verified_email": False}),
        ("ANONYMOUS", {}, {"is_anonymous": True}),
    ],
)
def test_an_owner_who_may_have_no_free_credits_is_told_why_and_gets_them_later(
    client: firestore.Client,
    free_credits: Callable[..., None],
    hint: str,
    parameters: dict[str, str],
    claims: dict[str, bool],
) -> None:
    free_credits(signup_credits=20, free_monthly_credits=5, **parameters)
    user_id = a_stranger()
    refused = owner(user_id, **claims)
    assert read(user_id, refused) == UserCredits(current_credits=0, transactions=[])
    with pytest.raises(InsufficientCredits) as told:
        generation.create(order(user_id), refused)
    assert told.value.details == {"required": 1, "available": 0, "hint": hint}
    assert not client.document(db.user(user_id)).get().exists
    assert read(user_id).current_credits == 25


def test_anonymous_users_get_free_credits_where_that_is_allowed(
    free_credits: Callable[..., None],
) -> None:
    free_credits(signup_credits=20, allow_anonymous="true")
    user_id = a_stranger()
    assert read(user_id, owner(user_id, is_anonymous=True)).current_credits == 20


def test_a_call_that_cannot_know_the_owner_books_no_free_credits(
    new_user: Users, free_credits: Callable[..., None]
) -> None:
    free_credits(free_monthly_credits=5)
    user_id = new_user(1)
    assert read(user_id, ANYBODY).current_credits == 1
    free_credits(allow_anonymous="true")  # now it does not depend on who the owner is
    assert read(user_id, ANYBODY).current_credits == 6


def test_a_user_document_that_was_deleted_by_hand_gets_no_second_opening_grant(
    client: firestore.Client, free_credits: Callable[..., None]
) -> None:
    free_credits(signup_credits=20)
    user_id = a_stranger()
    read(user_id)
    client.document(db.user(user_id)).delete()
    assert read(user_id).current_credits == 0


def test_the_allowance_comes_once_a_month_and_does_not_roll_over(
    client: firestore.Client,
    new_user: Users,
    free_credits: Callable[..., None],
    stopped_clock: Clock,
) -> None:
    free_credits(free_monthly_credits=5)
    user_id = new_user(1)
    for _ in range(2):
        assert read(user_id).current_credits == 6
    generation.create(order(user_id), owner(user_id))
    stopped_clock(DECEMBER - timedelta(microseconds=1))
    assert read(user_id).current_credits == 5
    stopped_clock(DECEMBER)
    assert read(user_id).current_credits == 6
    stopped_clock(NOON)  # the clock of another instance: November has been booked
    assert read(user_id).current_credits == 6
    assert entries_of(client, user_id)[2:] == [
        ("allowance-2026-11-grant-expiry-3", -4),
        ("allowance-2026-12-grant", 5),
    ]
    assert check_books(client, user_id, opening=1) == 6


def test_months_are_those_of_the_apps_time_zone(
    new_user: Users, free_credits: Callable[..., None], stopped_clock: Clock
) -> None:
    free_credits(free_monthly_credits=5, report_time_zone="Asia/Tokyo")
    user_id = new_user(0)
    stopped_clock(DECEMBER - timedelta(hours=9))
    shown = read(user_id, view="full")
    assert shown.next_expiry is not None
    assert shown.next_expiry.expires_at == JANUARY - timedelta(hours=9)


def test_of_an_unspent_allowance_the_cap_rolls_over_for_a_month(
    client: firestore.Client,
    new_user: Users,
    free_credits: Callable[..., None],
    stopped_clock: Clock,
) -> None:
    free_credits(free_monthly_credits=5, allowance_rollover=2)
    user_id = new_user(0)
    read(user_id)
    stopped_clock(DECEMBER)
    assert read(user_id).current_credits == 7
    stopped_clock(JANUARY)
    assert read(user_id).current_credits == 7
    assert [delta for _, delta in entries_of(client, user_id)] == [5, -3, 5, -2, -3, 5]
    assert check_books(client, user_id, opening=0) == 7


def test_expired_lots_are_booked_by_a_call_that_reads(
    client: firestore.Client, new_user: Users, stopped_clock: Clock
) -> None:
    lots = (lot("trial", 3, expires_at=NOON), bought("p1", 2), lot("other", 1, expires_at=NOON))
    user_id = new_user(6, **with_lots(*lots))
    shown = read(user_id, ANYBODY)
    assert shown.current_credits == 2
    assert entries_of(client, user_id) == [("other-expiry-1", -1), ("trial-expiry-2", -3)]
    assert remaining(client, user_id) == {"p1": 2}
    assert check_books(client, user_id, opening=6) == 2


def test_a_refused_call_books_nothing_and_shows_the_balance_as_if_it_had(
    client: firestore.Client, new_user: Users, stopped_clock: Clock
) -> None:
    user_id = new_user(3, **with_lots(lot("trial", 2, expires_at=NOON), bought("p1", 1)))
    with pytest.raises(InsufficientCredits) as refused:
        generation.create(order(user_id, size="1024x1024"), ANYBODY)
    assert refused.value.details == {"required": 3, "available": 1}
    assert entries_of(client, user_id) == []
    assert remaining(client, user_id) == {"trial": 2, "p1": 1}


def test_when_nothing_is_due_nothing_is_read_or_written_for_it(
    proxy: FirestoreProxy,
    new_user: Users,
    free_credits: Callable[..., None],
    stopped_clock: Clock,
) -> None:
    free_credits(signup_credits=20, free_monthly_credits=5)
    user_id = new_user(0)
    read(user_id)
    assert proxy.reset().rpcs == {"BatchGetDocuments": 2, "Commit": 1, "RunQuery": 1}
    read(user_id)
    assert proxy.reset().rpcs == {"BatchGetDocuments": 1, "RunQuery": 1}
    generation.create(order(user_id), owner(user_id))
    traffic = proxy.reset()
    assert traffic.rpcs == {"BatchGetDocuments": 1, "Commit": 2}
    assert (traffic.documents_read, traffic.documents_written) == (1, 4)


def test_a_trial_that_expires_while_its_request_runs_comes_back_for_the_time_of_grace(
    client: firestore.Client, new_user: Users, stopped_clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = NOON + timedelta(seconds=1)
    user_id = new_user(5, **with_lots(lot("trial", 3, expires_at=end), bought("p1", 2)))
    run_provider = run.run_provider

    def run_for_long(*args: Any, **kwargs: Any) -> Any:
        stopped_clock(end)
        return run_provider(*args, **kwargs)

    monkeypatch.setattr(run, "run_provider", run_for_long)
    with pytest.raises(GenerationFailed):
        generation.create(order(user_id, model="Doomed Model", size="1024x1792"), ANYBODY)
    (deduction, refund) = ledger_of(client, user_id)
    assert deduction["lots"] == [{"lot": "trial", "credits": 3}, {"lot": "p1", "credits": 1}]
    grace = refund["lots"][0]["lot"]
    assert grace == f"{refund['id']}-1"
    assert remaining(client, user_id) == {grace: 3, "p1": 2}
    user = client.document(db.user(user_id)).get().to_dict() or {}
    assert user["lots"][grace]["kind"] == "trial"
    assert user["lots"][grace]["expiresAt"] == end + timedelta(days=7)
    assert check_books(client, user_id, opening=5) == 5
    stopped_clock(end + timedelta(days=7))
    assert read(user_id, ANYBODY).current_credits == 2


def test_the_full_view_shows_what_a_balance_consists_of(
    new_user: Users, call: Callable[..., Any], stopped_clock: Clock
) -> None:
    later = NOON + timedelta(days=9)
    lots = (
        lot("month", 4, Kind.ALLOWANCE, expires_at=later),
        lot("trial", 3, expires_at=later),
        bought("p1", 2),
    )
    user_id = new_user(10, **with_lots(*lots) | {"credits": 10, "debt": 7})
    body = {"userId": user_id, "view": "full"}
    shown = call("getUserCredits", json=body).get_json()
    assert [(each["kind"], each["remaining"]) for each in shown["lots"]] == [
        ("allowance", 4),
        ("trial", 3),
        ("purchase", 2),
        ("opening", 1),
    ]
    assert shown["lots"][3] == {
        "id": "opening", "kind": "opening", "remaining": 1, "expiresAt": None,
    }  # fmt: skip
    assert shown["totals"] == {
        "allowance": 4, "trial": 3, "promotional": 0, "subscription": 0, "purchased": 2,
        "granted": 0, "opening": 1,
    }  # fmt: skip
    assert shown["nextExpiry"] == {"credits": 7, "expiresAt": "2026-11-27T12:00:00.000000Z"}
    assert (shown["debt"], shown["currentCredits"]) == (7, 10)
    assert call("getUserCredits", json={"userId": user_id}).get_json() == {
        "currentCredits": 10,
        "transactions": [],
    }


def test_whole_numbers_may_be_doubles_and_malformed_lots_lose_no_credit(
    client: firestore.Client, new_user: Users
) -> None:
    lots = with_lots(bought("p1", 2))["lots"] | {"odd": {"remaining": "many"}, "worse": 3}
    lots["p1"]["remaining"] = 2.0
    user_id = new_user(9.0, lots=lots)
    generation.create(order(user_id), ANYBODY)
    assert remaining(client, user_id) == {"p1": 1, "opening": 7}
    assert type(client.document(db.user(user_id)).get().get("credits")) is int


def test_a_grant_is_a_lot_of_its_own(client: firestore.Client, new_user: Users) -> None:
    user_id = new_user(1)
    granted = ledger.grant_credits(user_id, 5, key="ticket-1", reason="slow", by="cli:test")
    assert remaining(client, user_id) == {"opening": 1, granted.entry_id: 5}
    generation.create(order(user_id, size="1024x1024"), ANYBODY)
    assert remaining(client, user_id) == {"opening": 1, granted.entry_id: 2}
