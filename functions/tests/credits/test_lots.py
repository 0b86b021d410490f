"""The arithmetic of lots: order, split and restore, expiry and merging change no sum."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.credits import lots
from imagegen.credits.lots import PRIORITIES, Kind, Lot, Lots

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
GRACE = timedelta(days=7)


def a_lot(lot_id: str, credits: int = 5, kind: Kind = Kind.TRIAL, **changes: Any) -> Lot:
    lot = Lot(lot_id, kind, credits, None, PRIORITIES[kind], NOON)
    return replace(lot, **changes)


def in_days(days: float) -> datetime:
    return NOON + timedelta(days=days)


expiries = st.one_of(st.none(), st.integers(-3, 30).map(in_days))
some_lots = st.lists(
    st.builds(
        Lot,
        id=st.uuids().map(str),
        kind=st.sampled_from(Kind),
        credits=st.integers(1, 40),
        expires_at=expiries,
        priority=st.sampled_from((10, 20, 20, 50)),
        granted_at=st.integers(0, 3).map(in_days),
        purchase_id=st.none(),
    ),
    max_size=12,
).map(lots.ordered)
many_lots = st.lists(
    st.builds(a_lot, st.uuids().map(str), st.integers(1, 9), st.sampled_from(Kind)), max_size=90
).flatmap(
    lambda drawn: st.lists(expiries, min_size=len(drawn), max_size=len(drawn)).map(
        lambda ends: lots.ordered(
            replace(lot, expires_at=end) for lot, end in zip(drawn, ends, strict=True)
        )
    )
)


def by_id(held: Lots) -> dict[str, Lot]:
    return {lot.id: lot for lot in held}


def test_lots_are_spent_by_priority_then_expiry_then_age_then_id() -> None:
    expected = (
        a_lot("allowance", kind=Kind.ALLOWANCE),
        a_lot("b", expires_at=in_days(1)),
        a_lot("a", expires_at=in_days(2)),
        a_lot("d", granted_at=in_days(-1)),
        a_lot("c"),
        a_lot("e"),
        a_lot("purchase", kind=Kind.PURCHASE),
        a_lot("opening", kind=Kind.OPENING),
    )
    assert lots.ordered(reversed(expected)) == expected


@given(some_lots)
def test_the_order_does_not_depend_on_how_lots_are_stored(held: Lots) -> None:
    read = [lots.read(lot_id, fields) for lot_id, fields in lots.stored(held).items()]
    assert lots.ordered(reversed(read)) == held


@given(some_lots, st.data())
def test_a_split_takes_exactly_its_price_from_the_first_lots(held: Lots, data: Any) -> None:
    price = data.draw(st.integers(0, lots.total(held)))
    left, parts = lots.take(held, price)
    assert lots.total(parts) == price
    assert lots.total(left) == lots.total(held) - price
    # All but the last lot that was touched are used up.
    assert [part.id for part in parts] == [lot.id for lot in held[: len(parts)]]
    assert not {part.id for part in parts[:-1]} & {lot.id for lot in left}


def test_more_than_there_is_cannot_be_taken() -> None:
    with pytest.raises(ValueError, match="1 of 6 credits"):
        lots.take((a_lot("a", 5),), 6)


@given(some_lots, st.data())
def test_restore_is_the_inverse_of_a_split(held: Lots, data: Any) -> None:
    current = tuple(lot for lot in held if not lot.is_expired(NOON))
    left, parts = lots.take(current, data.draw(st.integers(0, lots.total(current))))
    kept = lots.read_parts(lots.stored_parts(parts))
    assert lots.restore(left, kept, NOON, GRACE, "r") == (current, parts)


@given(some_lots, st.integers(0, 40), st.data())
def test_a_part_whose_lot_has_expired_comes_back_as_its_kind_for_the_time_of_grace(
    held: Lots, days: int, data: Any
) -> None:
    left, parts = lots.take(held, data.draw(st.integers(0, lots.total(held))))
    later = in_days(days)
    left, _ = lots.lapse(left, later, rollover=0, until=in_days(99))
    restored, placed = lots.restore(left, parts, later, GRACE, "r-refund")
    assert lots.total(restored) == lots.total(left) + lots.total(parts)
    assert not any(lot.is_expired(later) for lot in restored)
    assert [(p.kind, p.credits) for p in placed] == [(p.kind, p.credits) for p in parts]
    for part, put in zip(parts, placed, strict=True):
        if part.is_expired(later):
            assert put.id.startswith("r-refund-")
            assert put.expires_at == later + GRACE
        else:
            assert by_id(restored)[part.id].expires_at == part.expires_at


def test_a_part_of_a_lot_that_was_extended_lasts_as_long_as_the_lot() -> None:
    part = a_lot("a", 2, expires_at=in_days(-1))
    extended = a_lot("a", 5, expires_at=in_days(30))
    restored, _ = lots.restore((extended,), (part,), NOON, GRACE, "r")
    assert restored == (replace(extended, credits=7),)


@given(some_lots, st.integers(0, 300))
def test_the_balance_decides_what_is_held(stored: Lots, balance: int) -> None:
    held = lots.held(stored, balance)
    assert lots.total(held) == balance
    surplus = balance - lots.total(stored)
    if surplus > 0:
        assert by_id(held).keys() - by_id(stored).keys() == {lots.OPENING_LOT}
        assert held[-1].credits == surplus or held[-1].priority > PRIORITIES[Kind.OPENING]
    else:
        assert held == lots.take(stored, -surplus)[0]


@given(some_lots, st.integers(-5, 35), st.integers(0, 60))
def test_expired_lots_end_but_for_the_allowance_that_rolls_over(
    held: Lots, days: int, rollover: int
) -> None:
    moment, until = in_days(days), in_days(days + 20)
    left, expired = lots.lapse(held, moment, rollover=rollover, until=until)
    assert lots.total(left) + lots.total(expired) == lots.total(held)
    assert not any(lot.is_expired(moment) for lot in left)
    due = [lot for lot in held if lot.is_expired(moment)]
    of_allowance = lots.total(lot for lot in due if lot.kind is Kind.ALLOWANCE)
    assert lots.total(expired) == lots.total(due) - min(rollover, of_allowance)
    assert lots.lapse(left, moment, rollover=0, until=until) == (left, ())


def test_a_lot_is_expired_from_the_very_instant_on() -> None:
    lot = a_lot("a", expires_at=NOON)
    assert lot.is_expired(NOON)
    assert not lot.is_expired(NOON - timedelta(microseconds=1))
    assert not a_lot("b").is_expired(NOON)


@given(many_lots)
def test_merging_changes_no_sum_and_shortens_no_life(held: Lots) -> None:
    merged = lots.merged(held)
    assert sum(not lot.is_paid for lot in merged) <= lots.MAX_FREE_LOTS
    assert merged == lots.ordered(merged)
    for kind in Kind:
        before = [lot for lot in held if lot.kind is kind]
        after = [lot for lot in merged if lot.kind is kind]
        assert lots.total(before) == lots.total(after)
        for moment in (in_days(day) for day in range(-4, 32)):
            assert unexpired(after, moment) >= unexpired(before, moment)
    assert [lot for lot in merged if lot.is_paid] == [lot for lot in held if lot.is_paid]


def unexpired(some: list[Lot], moment: datetime) -> int:
    return lots.total(lot for lot in some if not lot.is_expired(moment))


def test_lots_of_equal_expiry_merge_first_and_then_the_nearest() -> None:
    grants = [
        a_lot(f"{number:02}", 1, Kind.GRANT, expires_at=in_days(number**2))
        for number in range(1, 50)
    ]
    equal = a_lot("equal", 3, Kind.GRANT, expires_at=in_days(16))
    trial = a_lot("trial", 1, expires_at=in_days(16))
    merged = by_id(lots.merged(lots.ordered((*grants, equal, trial))))
    assert "04" not in merged
    assert merged["equal"].credits == 4
    merged = by_id(lots.merged(lots.ordered((*grants, trial, a_lot("other", kind=Kind.GRANT)))))
    assert "01" not in merged
    assert (merged["02"].credits, merged["02"].expires_at) == (2, in_days(4))


def test_a_part_of_a_lot_that_was_merged_comes_back_as_its_own() -> None:
    part = a_lot("merged", 2, expires_at=in_days(1))
    other = a_lot("later", 5, expires_at=in_days(2))
    assert lots.restore((other,), (part,), NOON, GRACE, "r")[0] == (part, other)


def test_paid_lots_are_never_merged() -> None:
    paid = [a_lot(f"p{n}", kind=Kind.PROMOTIONAL, purchase_id=f"p{n}") for n in range(80)]
    assert len(lots.merged(lots.ordered(paid))) == 80
    assert all(one.id < other.id for one, other in pairwise(lots.merged(lots.ordered(paid))))


@pytest.mark.parametrize(
    "change",
    [
        {"remaining": -1},
        {"remaining": 1.5},
        {"kind": "gift"},
        {"kind": None},
        {"expiresAt": "soon"},
        {"priority": "high"},
        {"grantedAt": None},
        {"purchaseId": 7},
    ],
)
def test_a_malformed_lot_is_refused(change: dict[str, Any]) -> None:
    sound = lots.stored([a_lot("a")])["a"]
    assert lots.read("a", sound | {"remaining": 5.0}) == a_lot("a")
    with pytest.raises(ValueError, match=r"not|valid|below"):
        lots.read("a", sound | change)


@pytest.mark.parametrize("value", [None, "x", {}, [1], [{}], [{"lot": "a"}]])
def test_malformed_parts_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"not|valid|below"):
        lots.read_parts(value)
