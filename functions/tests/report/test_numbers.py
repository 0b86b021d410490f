"""The fold: any split, any order, one result."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from imagegen.report.numbers import (
    DIMENSIONS,
    SAMPLES,
    Numbers,
    Request,
    Tally,
    UserNumbers,
    users_of_week,
)

STATUSES = ("pending", "processing", "completed", "failed", "canceled")
requests = st.builds(
    Request,
    id=st.text("abc", min_size=1, max_size=4),
    user_id=st.sampled_from(["ada", "bob", "", "x.y z/"]),
    values=st.tuples(*[st.sampled_from(["a", "b.c", "d e"])] * len(DIMENSIONS)),
    status=st.sampled_from([*STATUSES, "strange"]),
    credits=st.integers(0, 5),
    changed_at=st.integers(0, 10),
    refunded_in_week=st.booleans(),
    readable=st.booleans(),
)


def fold(*parts: Request) -> Tally:
    tally = Tally()
    for each in parts:
        tally.count(each)
    return tally


def of(status: str, credits: int = 1, user_id: str = "ada") -> Request:
    return Request("r", user_id, ("m", "s", "c", "z"), status, credits, 0)


@given(st.lists(requests, max_size=30).flatmap(lambda all_: st.tuples(
    st.just(all_), st.permutations(all_), st.lists(st.integers(0, 30), max_size=4)
)))  # fmt: skip
def test_any_split_in_any_order_gives_the_same_tally(
    case: tuple[list[Request], list[Request], list[int]],
) -> None:
    in_order, shuffled, cuts = case
    edges = [0, *sorted(min(cut, len(shuffled)) for cut in cuts), len(shuffled)]
    parts = [fold(*shuffled[left:right]) for left, right in pairwise(edges)]
    merged = Tally()
    for each in reversed(parts):
        merged.merge(each)
    assert merged == fold(*in_order)


@given(st.lists(requests, max_size=30))
def test_every_table_adds_up_to_the_total(all_: list[Request]) -> None:
    tally = fold(*all_)
    for by_value in tally.values.values():
        total = Numbers()
        for numbers in by_value.values():
            total.add(numbers)
        assert total == tally.numbers
    total = tally.numbers
    assert total.requests == len(all_)
    assert total.requests == total.completed + total.failed + total.canceled + total.in_flight
    assert total.credits_charged == sum(each.credits for each in all_)
    named = [each for each in all_ if each.user_id]
    spent = sum(each.credits for each in named if each.status not in ("failed", "canceled"))
    assert sum(credits for _, credits in tally.users.values()) == spent


def test_merging_leaves_the_other_tally_alone() -> None:
    one, other = fold(of("failed")), fold(of("completed"))
    one.merge(other)
    one.count(of("completed"))
    assert other == fold(of("completed"))


def test_open_and_canceled_requests_are_outside_the_success_rate() -> None:
    statuses = ("completed", "completed", "completed", "failed", "pending", "canceled")
    numbers = fold(*[of(each) for each in statuses]).numbers
    assert numbers.success_rate == 0.75
    assert fold(of("pending"), of("canceled")).numbers.success_rate is None


def test_failed_and_canceled_requests_are_refunded() -> None:
    numbers = fold(of("completed", 4), of("failed", 3), of("canceled", 1), of("processing", 4))
    assert numbers.numbers.credits_charged == 12
    assert numbers.numbers.credits_refunded == 4
    assert numbers.numbers.credits_net == 8


def test_a_few_unreadable_requests_are_named_and_all_are_counted() -> None:
    bad = [of("completed")._replace(id=f"r{i}", readable=False) for i in range(9, -1, -1)]
    tally = fold(*bad)
    assert (tally.unreadable, tally.unreadable_ids) == (10, ["r0", "r1", "r2", "r3", "r4"])
    assert len(tally.unreadable_ids) == SAMPLES


def test_a_tally_grows_with_users_and_values_not_with_requests() -> None:
    tally = fold(*[of("completed", user_id=f"user{i % 7}") for i in range(1000)])
    assert len(tally.users) == 7
    assert [len(values) for values in tally.values.values()] == [1, 1, 1, 1]


def test_a_users_week_is_the_sum_of_its_days_and_knows_the_busiest() -> None:
    days = {
        "2026-03-04": fold(of("completed", 4), of("completed", 4), of("failed", 4)),
        "2026-03-02": fold(of("completed", 3), of("completed", 1, "bob")),
        "2026-03-03": fold(of("completed", 8)),
    }
    assert users_of_week(days) == {
        # The earlier of two equally busy days.
        "ada": UserNumbers(requests=5, credits=19, busiest_day_credits=8, busiest_day="2026-03-03"),
        "bob": UserNumbers(requests=1, credits=1, busiest_day_credits=1, busiest_day="2026-03-02"),
    }
