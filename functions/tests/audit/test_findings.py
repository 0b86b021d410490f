"""The audit of one user: nothing is said of sound books, and whatever is wrong is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from support.orders import now

from imagegen.audit.findings import Account, findings
from imagegen.audit.requests import RECOVERY
from imagegen.credits.entries import SIGNS, EntryType

Fields = dict[str, Any]
NO_COUNTS: list[Any] = [-1, 1.5, None, "12", True, float("nan"), float("inf"), 2**53 + 1, [], {}]
DEDUCTION: Fields = {
    "type": "deduction",
    "credits": 3,
    "delta": -3,
    "generationRequestId": "r",
    "balanceAfter": 7,
    "sequence": 1,
}
GRANT: Fields = {
    "type": "grant",
    "credits": 5,
    "delta": 5,
    "generationRequestId": None,
    "balanceAfter": 12,
    "sequence": 2,
}
COMPLETED: Fields = {"status": "completed", "credits": 3, "imageUrl": "https://example.com/r.png"}
# Of 10 credits, 3 were spent on an image; then 5 were granted.
SOUND = Account(
    "ann",
    {"credits": 12, "ledgerSequence": 2},
    {"r-deduction": DEDUCTION, "g": GRANT},
    {"r": COMPLETED},
)


def found(account: Account, opening: int | None = None) -> list[tuple[str, str]]:
    return [(each.invariant, each.message) for each in findings(account, now(), opening)]


def with_entries(deduction: Fields, grant: Fields) -> Account:
    return replace(SOUND, entries={"r-deduction": DEDUCTION | deduction, "g": GRANT | grant})


def test_nothing_is_wrong_with_sound_books() -> None:
    assert found(SOUND) == found(SOUND, opening=10) == found(Account("bob")) == []


def test_whole_numbers_may_be_stored_as_doubles() -> None:
    doubled = {"credits": 12.0, "ledgerSequence": 2.0}
    grant = {"credits": 5.0, "delta": 5.0, "balanceAfter": 12.0, "sequence": 2.0}
    account = replace(with_entries({}, grant), user=doubled)
    assert found(replace(account, requests={"r": COMPLETED | {"credits": 3.0}})) == []


def test_entries_without_a_delta_have_it_from_their_type() -> None:
    assert found(with_entries({"delta": None}, {"delta": None})) == []


def test_an_opening_balance_that_is_known_is_checked() -> None:
    assert {invariant for invariant, _ in found(SOUND, opening=9)} == {"I2", "I3"}
    untouched = Account("bob", {"credits": 4})
    assert found(untouched, opening=4) == []
    assert [invariant for invariant, _ in found(untouched, opening=5)] == ["I2"]


@pytest.mark.parametrize("value", NO_COUNTS)
def test_a_balance_that_is_no_whole_number_from_zero_on_is_found(value: Any) -> None:
    user = {"credits": value, "ledgerSequence": 2}
    assert ("I1", f"the balance is {value!r}") in found(replace(SOUND, user=user))
    assert [invariant for invariant, _ in found(Account("bob", {"credits": value}))] == ["I1"]


@pytest.mark.parametrize("value", NO_COUNTS)
def test_a_sequence_that_is_no_whole_number_from_zero_on_is_found(value: Any) -> None:
    user = {"credits": 12, "ledgerSequence": value}
    assert found(replace(SOUND, user=user)) == [("I3", f"ledgerSequence is {value!r}")]


@pytest.mark.parametrize("entry_type", ["gift", "", None, 1, [], {}])
def test_an_entry_of_an_unknown_type_is_found_and_not_counted(entry_type: Any) -> None:
    told = found(with_entries({}, {"type": entry_type}))
    assert told[0] == ("I2", f"entry g makes no sense: its type {entry_type!r} is unknown")
    assert ("I2", "the balance is 12, by the ledger it should be 7") in told


@pytest.mark.parametrize(
    "changes",
    [
        {"credits": 0},
        {"credits": -5},
        {"credits": 5.5},
        {"credits": "5"},
        {"credits": None},
        {"delta": -5},
        {"delta": 4},
        {"delta": 5.5},
        {"delta": "5"},
        {"balanceAfter": None},
        {"sequence": "2"},
        {"generationRequestId": 7},
        {"generationRequestId": {}},
        {"type": "refund"},  # which names no request
    ],
)
def test_an_entry_that_contradicts_itself_is_found(changes: Fields) -> None:
    invariant, message = found(with_entries({}, changes))[0]
    assert invariant == "I2"
    assert message.startswith("entry g makes no sense: its ")


@pytest.mark.parametrize("entry_type", EntryType)
def test_a_delta_with_the_other_sign_than_that_of_its_type_is_found(entry_type: EntryType) -> None:
    wrong = {"type": entry_type, "delta": -SIGNS[entry_type] * 5, "generationRequestId": "r"}
    assert "makes no sense: its delta is" in found(with_entries({}, wrong))[0][1]


def test_a_chain_of_balances_that_breaks_is_found() -> None:
    assert [invariant for invariant, _ in found(with_entries({"balanceAfter": 6}, {}))] == [
        "I2",
        "I3",
    ]
    assert [invariant for invariant, _ in found(with_entries({}, {"sequence": 3}))] == ["I3"]


@pytest.mark.parametrize("url", [None, "", "  ", 7, {}])
def test_a_completed_request_without_an_image_is_found(url: Any) -> None:
    account = replace(SOUND, requests={"r": COMPLETED | {"imageUrl": url}})
    assert found(account) == [("I6", "request r: it is completed, but has no image")]


@pytest.mark.parametrize("status", ["done", None, 1, [], {}])
def test_an_unknown_status_is_found(status: Any) -> None:
    account = replace(SOUND, requests={"r": COMPLETED | {"status": status}})
    assert found(account) == [("I6", f"request r: the status is {status!r}")]


@pytest.mark.parametrize("credits", [4, "3", None, 3.5, float("nan")])
def test_a_request_that_cost_something_else_is_found(credits: Any) -> None:
    account = replace(SOUND, requests={"r": COMPLETED | {"credits": credits}})
    assert [invariant for invariant, _ in found(account)] == ["I6"]


def test_a_grant_for_a_request_that_did_not_complete_is_found() -> None:
    pending = {"status": "pending", "credits": 3, "expiresAt": now()}
    account = replace(with_entries({}, {"generationRequestId": "r"}), requests={"r": pending})
    assert found(account) == [("I6", "request r: it is pending, but there is a grant for it")]
    assert found(replace(account, requests={"r": COMPLETED})) == []


def test_a_request_may_be_open_until_recovery_has_had_its_chance() -> None:
    moment = now()
    entries = {"r-deduction": DEDUCTION}
    for late, invariants in ((timedelta(0), []), (RECOVERY + timedelta(seconds=1), ["I10"])):
        request = {"status": "processing", "credits": 3, "expiresAt": moment - late}
        account = Account("ann", {"credits": 7, "ledgerSequence": 1}, entries, {"r": request})
        assert [each.invariant for each in findings(account, moment)] == invariants
