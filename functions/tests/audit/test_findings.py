"""The audit of one user: nothing is said of sound books, and whatever is wrong is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.orders import now

from imagegen.audit.entries import Entry
from imagegen.audit.findings import Account, findings, of_purchases
from imagegen.audit.lots import _check_purchases
from imagegen.audit.purchases import Purchases, parked, unmatched
from imagegen.audit.requests import RECOVERY
from imagegen.credits.entries import SIGNS, EntryType

Fields = dict[str, Any]
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
NO_COUNTS: list[Any] = [-1, 1.5, None, "12", True, float("nan"), float("inf"), 2**53 + 1, [], {}]
DEDUCTION: Fields = {
    "type": "deduction",
    "credits": 3,
    "delta": -3,
    "generationRequestId": "r",
    "balanceAfter": 7,
    "sequence": 1,
    "timestamp": now(),
}
GRANT: Fields = {
    "type": "grant",
    "credits": 5,
    "delta": 5,
    "generationRequestId": None,
    "balanceAfter": 12,
    "sequence": 2,
    "timestamp": now(),
}
COMPLETED: Fields = {
    "status": "completed",
    "credits": 3,
    "createdAt": now(),
    "imageUrl": "https://example.com/r.png",
}
# Of 10 credits, 3 were spent on an image; then 5 were granted.
SOUND = Account(
    "ann",
    {"credits": 12, "ledgerSequence": 2},
    {"r-deduction": DEDUCTION, "g": GRANT},
    {"r": COMPLETED},
)


PART: Fields = {"lot": "p", "kind": "purchase", "priority": 50, "grantedAt": NOON, "credits": 3}
BOUGHT: Fields = {
    "type": "purchase", "credits": 8, "delta": 8, "lots": [{"lot": "p", "credits": 8}],
    "generationRequestId": None, "balanceAfter": 8, "sequence": 1, "timestamp": now(),
}  # fmt: skip
# Of a pack of 8 credits, 3 were spent on an image; then the money was paid back. Of the credits
# that should come back, 4 were there, 2 are owed and 2 were waived.
SOUND_LOTS = Account(
    "ann",
    {
        "credits": 1, "ledgerSequence": 3, "debt": 2,
        "lots": {"p": {"remaining": 1, "kind": "purchase", "priority": 50, "grantedAt": NOON}},
    },
    {
        "p-purchase": BOUGHT,
        "r-deduction": DEDUCTION
        | {"lots": [{"lot": "p", "credits": 3}], "balanceAfter": 5, "sequence": 2},
        "p-clawback-3": BOUGHT
        | {"type": "clawback", "credits": 4, "delta": -4, "lots": [{"lot": "p", "credits": 4}],
           "balanceAfter": 1, "sequence": 3},
    },
    {"r": COMPLETED | {"lots": [PART], "createdAt": NOON}},
    {
        "p": {
            "userId": "ann", "status": "refunded", "credits": 8, "amount": 990, "lotId": "p",
            "clawedBack": 4, "clawedBackLots": [PART | {"credits": 4}], "owed": 2, "waived": 2,
        }
    },
)  # fmt: skip


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
        {"timestamp": None},
        {"timestamp": "2026-11-21T12:30:00Z"},
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


def test_a_completed_request_whose_image_was_deleted_is_sound() -> None:
    deleted = COMPLETED | {"imageUrl": None, "imageDeletedAt": NOON}
    assert found(replace(SOUND, requests={"r": deleted})) == []


@pytest.mark.parametrize("status", ["done", None, 1, [], {}])
def test_an_unknown_status_is_found(status: Any) -> None:
    account = replace(SOUND, requests={"r": COMPLETED | {"status": status}})
    assert found(account) == [("I6", f"request r: the status is {status!r}")]


@pytest.mark.parametrize("credits", [4, "3", None, 3.5, float("nan")])
def test_a_request_that_cost_something_else_is_found(credits: Any) -> None:
    account = replace(SOUND, requests={"r": COMPLETED | {"credits": credits}})
    assert {invariant for invariant, _ in found(account)} == {"I6"}


@pytest.mark.parametrize("credits", ["3", None, 3.5, float("nan"), 0, -3, [], {}])
def test_a_price_that_is_no_number_is_found(credits: Any) -> None:
    account = replace(SOUND, requests={"r": COMPLETED | {"credits": credits}})
    assert ("I6", f"request r: its credits are {credits!r}") in found(account)


@pytest.mark.parametrize("moment", ["2026-11-21T12:30:00Z", None, 1764, {}])
def test_a_time_that_is_no_timestamp_is_found(moment: Any) -> None:
    account = replace(SOUND, requests={"r": COMPLETED | {"createdAt": moment}})
    assert found(account) == [("I6", f"request r: its createdAt is {moment!r}")]
    open_request = {"status": "pending", "credits": 3, "createdAt": now(), "expiresAt": moment}
    account = Account("ann", {"credits": 7, "ledgerSequence": 1}, {"r-deduction": DEDUCTION})
    told = found(replace(account, requests={"r": open_request}))
    assert ("I6", f"request r: its expiresAt is {moment!r}") in told


def test_a_finding_names_the_document_that_is_wrong() -> None:
    broken = replace(
        with_entries({"credits": "3"}, {}),
        user={"credits": "12", "ledgerSequence": 2},
        requests={"r": COMPLETED | {"status": None}},
    )
    paths = {each.path for each in findings(broken, now())}
    assert paths == {"users/ann", "users/ann/transactions/r-deduction", "generationRequests/r"}


def test_a_grant_for_a_request_that_did_not_complete_is_found() -> None:
    pending = {"status": "pending", "credits": 3, "createdAt": now(), "expiresAt": now()}
    account = replace(with_entries({}, {"generationRequestId": "r"}), requests={"r": pending})
    assert found(account) == [("I6", "request r: it is pending, but there is a grant for it")]
    assert found(replace(account, requests={"r": COMPLETED})) == []


def test_a_request_may_be_open_until_recovery_has_had_its_chance() -> None:
    moment = now()
    entries = {"r-deduction": DEDUCTION}
    for late, invariants in ((timedelta(0), []), (RECOVERY + timedelta(seconds=1), ["I10"])):
        request = {"status": "processing", "credits": 3, "createdAt": moment}
        request["expiresAt"] = moment - late
        account = Account("ann", {"credits": 7, "ledgerSequence": 1}, entries, {"r": request})
        assert [each.invariant for each in findings(account, moment)] == invariants


def with_lot(**changes: Any) -> Account:
    user = SOUND_LOTS.user or {}
    return replace(SOUND_LOTS, user={**user, "lots": {"p": {**user["lots"]["p"], **changes}}})


def with_entry(entry_id: str, **changes: Any) -> Account:
    entries = SOUND_LOTS.entries
    return replace(SOUND_LOTS, entries={**entries, entry_id: {**entries[entry_id], **changes}})


def test_nothing_is_wrong_with_sound_lots() -> None:
    assert found(SOUND_LOTS) == found(SOUND_LOTS, opening=0) == []


def test_a_balance_beyond_its_lots_is_no_finding() -> None:
    """An earlier release, or a hand, may have written last; the entries still have to agree."""
    granted = {**GRANT, "balanceAfter": 6, "sequence": 4}
    user = {**(SOUND_LOTS.user or {}), "credits": 6, "ledgerSequence": 4}
    entries = {**SOUND_LOTS.entries, "g": granted}
    assert found(replace(SOUND_LOTS, user=user, entries=entries)) == []


@pytest.mark.parametrize("value", NO_COUNTS)
def test_a_debt_that_is_no_whole_number_from_zero_on_is_found(value: Any) -> None:
    user = {**(SOUND_LOTS.user or {}), "debt": value}
    assert found(replace(SOUND_LOTS, user=user)) == [("I15", f"the debt is {value!r}")]


def test_a_debt_that_is_not_what_the_purchases_owe_is_found() -> None:
    user = {**(SOUND_LOTS.user or {}), "debt": 3}
    told = found(replace(SOUND_LOTS, user=user))
    assert told == [("I15", "the debt is 3, but the purchases owe 2")]
    assert found(Account("bob", {"debt": 1})) == [("I15", "the debt is 1, but the purchases owe 0")]
    owing = {"p": {**SOUND_LOTS.purchases["p"], "status": "paid"}}
    assert ("I15", "the debt is 0, but the purchases owe 2") in found(
        Account("bob", {}, {}, {}, owing)
    )


@pytest.mark.parametrize("change", [{"remaining": -1}, {"kind": "gift"}, {"expiresAt": "soon"}])
def test_a_malformed_lot_is_found(change: Fields) -> None:
    ((invariant, message),) = found(with_lot(**change))
    assert (invariant, message[:22]) == ("I12", "lot p makes no sense: ")


def test_an_entry_whose_lots_are_not_its_credits_is_found() -> None:
    for wrong in ([{"lot": "p", "credits": 2}], [{"lot": "p"}], "p"):
        assert "makes no sense: its lots are" in found(with_entry("r-deduction", lots=wrong))[0][1]


def test_a_bought_lot_that_does_not_follow_from_the_entries_is_found() -> None:
    elsewhere = [{"lot": "other", "credits": 3}]
    told = found(with_entry("r-deduction", lots=elsewhere))
    assert ("I12", "lot p holds 1, by the ledger it should hold 4") in told
    too_much = found(with_entry("p-purchase", lots=[{"lot": "q", "credits": 8}]))
    assert ("I12", "lot q holds 0, by the ledger it should hold 8") in too_much


def test_a_purchase_that_came_in_twice_or_was_taken_back_too_often_is_found() -> None:
    entries = dict(SOUND_LOTS.entries)
    again = {**BOUGHT, "balanceAfter": 9, "sequence": 4}
    told = found(replace(SOUND_LOTS, entries={**entries, "p-purchase-2": again}))
    assert ("I13", "entry p-purchase-2 is no purchase of its own") in told
    more = {**entries["p-clawback-3"], "credits": 9, "delta": -9}
    more["lots"] = [{"lot": "p", "credits": 9}]
    told = found(replace(SOUND_LOTS, entries={**entries, "p-clawback-3": more}))
    assert ("I13", "after entry p-clawback-3, 9 of 8 bought credits are taken back") in told


def test_what_was_taken_back_at_another_account_may_be_given_back_where_it_was_bought() -> None:
    def entry(kind: EntryType, name: str, number: int) -> Entry:
        return Entry(f"{name}-{kind}", kind, 8 * SIGNS[kind], None, 8, number, (("p", 8),))

    bought = entry(EntryType.PURCHASE, "p", 1)
    given = entry(EntryType.TRANSFER_OUT, "transfer-1", 2)
    back = entry(EntryType.REINSTATEMENT, "p", 3)
    wrong = [("I13", "after entry p-reinstatement, -8 of 8 bought credits are taken back")]
    assert [*_check_purchases([bought, given, back])] == []
    assert [*_check_purchases([bought, back])] == wrong


def test_parts_that_do_not_add_up_to_the_price_or_had_expired_are_found() -> None:
    def with_parts(*parts: Any) -> Account:
        request = SOUND_LOTS.requests["r"]
        return replace(SOUND_LOTS, requests={"r": {**request, "lots": [*parts]}})

    assert found(with_parts(PART | {"credits": 2})) == [
        ("I12", "request r: its parts of lots are 2 of 3")
    ]
    assert found(with_parts(PART | {"lot": "q"})) == [
        ("I12", "request r: its parts of lots are not those that were deducted")
    ]
    assert found(with_parts(PART | {"expiresAt": NOON})) == [
        ("I14", "request r: it was paid from lot p, which had expired")
    ]
    assert found(with_parts({}))[0][1].startswith("request r: its parts of lots make no sense")


def with_purchase(**changes: Any) -> Account:
    return replace(SOUND_LOTS, purchases={"p": {**SOUND_LOTS.purchases["p"], **changes}})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"status": "gone"}, "the status is 'gone'"),
        ({"status": ["paid"]}, "the status is ['paid']"),
        ({"lotId": None}, "it is refunded, but its lot is None"),
        ({"lotId": "q"}, "it is refunded, but its lot is 'q'"),
        ({"status": "pending"}, "it is pending, but its lot is 'p'"),
        ({"credits": 9}, "it is refunded and buys 9 credits, but by the ledger 8 came in"),
        (
            {"clawedBack": 3},
            "clawedBack is 3, its parts are 4, but by the ledger 4 were taken back",
        ),
        (
            {"clawedBackLots": []},
            "clawedBack is 4, its parts are 0, but by the ledger 4 were taken back",
        ),
        (
            {"waived": 3},
            "it is refunded, but of 8 credits 4 are taken back, 2 owed and 3 waived",
        ),
        (
            {"status": "paid"},
            "it is paid, but of 8 credits 4 are taken back, 2 owed and 2 waived",
        ),
        ({"credits": "8"}, "the purchase makes no sense: its credits is '8'"),
        ({"clawedBack": -1}, "the purchase makes no sense: its clawedBack is -1"),
        ({"amount": 9.9}, "the purchase makes no sense: its amount is 9.9"),
        ({"clawedBackLots": "p"}, "the purchase makes no sense: not an array"),
        ({"reversals": 7}, "the purchase makes no sense: not a map"),
    ],
)
def test_a_purchase_that_contradicts_its_entries_is_found(changes: Fields, message: str) -> None:
    assert ("I13", message) in found(with_purchase(**changes))


@pytest.mark.parametrize("status", ["pending", "processing", "failed", "expired", "unmatched"])
def test_a_purchase_whose_money_has_not_bought_anything_has_no_entry(status: str) -> None:
    purchase = {"userId": "bob", "status": status, "credits": 8, "amount": 990}
    assert found(Account("bob", {"credits": 1}, purchases={"p": purchase})) == []
    owing = purchase | {"owed": 1}
    told = found(Account("bob", {"credits": 1, "debt": 1}, purchases={"p": owing}))
    assert [rule for rule, _ in told] == ["I13"]


def test_a_paid_purchase_without_its_entry_and_an_entry_without_its_purchase_are_found() -> None:
    paid = {"userId": "bob", "status": "paid", "credits": 8, "lotId": "p"}
    assert found(Account("bob", {"credits": 1}, purchases={"p": paid})) == [
        ("I13", "it is paid and buys 8 credits, but by the ledger none came in")
    ]
    told = found(replace(SOUND_LOTS, purchases={}, user={**(SOUND_LOTS.user or {}), "debt": 0}))
    assert told == [
        (
            "I13",
            "by the ledger 8 credits came in and 4 were taken back, for which there is no purchase",
        )
    ]


def test_a_purchase_may_have_moved_to_another_account_than_its_entries() -> None:
    bought = Account("ann", {"credits": 8, "ledgerSequence": 1}, {"p-purchase": BOUGHT})
    paid = {"userId": "bob", "status": "paid", "credits": 8, "lotId": "p"}
    owner = Account("bob", {"credits": 0}, purchases={"p": paid})
    for pair in ((bought, owner), (owner, bought)):
        followed = Purchases()
        for account in pair:
            assert list(findings(account, now(), purchases=followed)) == []
        assert list(of_purchases(followed)) == []
    eve = replace(bought, user_id="eve")
    unpaid = "by the ledger 8 credits came in and 0 were taken back, for which there is no purchase"
    twice = "it is paid and buys 8 credits, but by the ledger 8 and 8 came in"
    for accounts, message in (((bought, owner, eve), unpaid), ((bought, eve, owner), twice)):
        followed = Purchases()
        for account in accounts:
            assert list(findings(account, now(), purchases=followed)) == []
        assert [each.message for each in of_purchases(followed)] == [message]


def test_a_purchase_may_come_back_to_where_it_was_bought() -> None:
    """What the other account had to give back, and got again, adds up to nothing."""
    paid = {"userId": "ann", "status": "paid", "credits": 8, "lotId": "p"}
    bought = Account(
        "ann", {"credits": 8, "ledgerSequence": 1}, {"p-purchase": BOUGHT}, {}, {"p": paid}
    )
    taken = BOUGHT | {"type": "clawback", "delta": -8, "balanceAfter": 0}
    given = BOUGHT | {"type": "reinstatement", "delta": 8, "balanceAfter": 8, "sequence": 2}
    entries = {"p-clawback-1": taken, "p-reinstatement-2": given}
    between = Account("bob", {"credits": 8, "ledgerSequence": 2}, entries)
    for pair in ((bought, between), (between, bought)):
        followed = Purchases()
        for account in pair:
            assert list(findings(account, now(), purchases=followed)) == []
        assert list(of_purchases(followed)) == []


def test_money_that_has_bought_nothing_and_parked_refunds_are_told() -> None:
    purchase = {"status": "unmatched", "reason": "no_product", "amount": 990, "currency": "usd"}
    assert unmatched(purchase) == "it is unmatched: no_product; 990 usd bought nothing"
    assert unmatched(purchase | {"status": "paid"}) is None
    nothing: Fields = {"refundedAmount": 0, "refunds": {}, "disputes": {}}
    assert parked({"parked": nothing}) is parked({}) is None
    assert parked({"parked": nothing | {"refunds": {"re_1": {}}}}) is not None
