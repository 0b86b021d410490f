"""What should be taken back follows from what is known, in whatever order it was told."""

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.purchases.reversals import (
    DISPUTE_STATUSES,
    REFUND_STATUSES,
    Dispute,
    Refund,
    Reversals,
)

AMOUNT, CREDITS = 1000, 100


def refund(
    amount: int | None, status: str = "succeeded", at: int = 1, refund_id: str = "re_1"
) -> Reversals:
    return Reversals(refunds={refund_id: Refund(amount, status, at)})


def dispute(
    status: str, at: int = 1, *, amount: int = AMOUNT, withdrawn: bool = False
) -> Reversals:
    return Reversals(disputes={"dp_1": Dispute(amount, status, at, withdrawn)})


def charge(refunded_amount: int) -> Reversals:
    return Reversals(refunded_amount=refunded_amount)


def clawback(*told: Reversals) -> int:
    return reduce(Reversals.merged, told, Reversals()).clawback(CREDITS, AMOUNT)


facts = st.one_of(
    st.builds(charge, st.integers(0, AMOUNT)),
    st.builds(
        refund,
        st.one_of(st.none(), st.integers(0, AMOUNT)),
        st.sampled_from(REFUND_STATUSES),
        st.integers(0, 3),
        st.sampled_from(["re_1", "re_2"]),
    ),
    st.builds(
        lambda status, at, amount, withdrawn: dispute(
            status, at, amount=amount, withdrawn=withdrawn
        ),
        st.sampled_from(DISPUTE_STATUSES),
        st.integers(0, 3),
        st.integers(0, AMOUNT),
        st.booleans(),
    ),
)


@given(st.lists(facts, max_size=6), st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(told: list[Reversals], random: object) -> None:
    again = told + told
    random.shuffle(again)  # type: ignore[attr-defined]
    assert reduce(Reversals.merged, again, Reversals()) == reduce(
        Reversals.merged, told, Reversals()
    )


@given(st.lists(facts, max_size=6), st.integers(1, 10**6), st.integers(0, 10**6))
def test_no_more_is_taken_than_was_bought(told: list[Reversals], credits: int, amount: int) -> None:
    known = reduce(Reversals.merged, told, Reversals())
    assert 0 <= known.clawback(credits, amount) <= credits


@given(st.lists(facts, max_size=6))
def test_what_is_stored_is_read_back_the_same(told: list[Reversals]) -> None:
    known = reduce(Reversals.merged, told, Reversals())
    assert Reversals.of(known.stored()) == known


@pytest.mark.parametrize("stored", [{}, {"refundedAmount": 0, "refunds": {"re_1": 7}}, {"x": 1}])
def test_malformed_knowledge_is_an_error(stored: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not what is known"):
        Reversals.of(stored)


def test_nothing_known_takes_nothing() -> None:
    assert clawback() == 0


def test_a_refund_takes_its_share_and_leaves_parts_of_a_credit() -> None:
    assert clawback(refund(500)) == 50
    assert clawback(refund(999)) == 99
    assert clawback(refund(1000)) == 100
    assert clawback(refund(None)) == 100


def test_a_cumulative_sum_and_its_refunds_are_the_same_money() -> None:
    assert clawback(charge(500), refund(500)) == 50
    assert clawback(charge(300), charge(500), charge(300)) == 50
    assert clawback(charge(700), refund(300), refund(400, refund_id="re_2")) == 70


def test_a_refund_that_is_told_before_its_charge_counts_at_once() -> None:
    assert clawback(charge(300), refund(300), refund(400, refund_id="re_2")) == 70


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_refund_that_failed_gives_back_what_it_took(status: str) -> None:
    assert clawback(charge(500), refund(500), refund(500, status, at=2)) == 0
    again = (charge(500), refund(500, status, at=2), refund(500, at=3, refund_id="re_2"))
    assert clawback(*again) == 50


@pytest.mark.parametrize("status", ["pending", "requires_action", "succeeded"])
def test_a_refund_counts_as_soon_as_it_is_made(status: str) -> None:
    assert clawback(refund(500, status)) == 50


@pytest.mark.parametrize(
    ("status", "taken"),
    [
        ("needs_response", 100),
        ("under_review", 100),
        ("lost", 100),
        ("appeal_needs_response", 100),
        ("appeal_under_review", 100),
        ("won", 0),
        ("prevented", 0),
        ("warning_needs_response", 0),
        ("warning_under_review", 0),
        ("warning_closed", 0),
    ],
)
def test_a_dispute_counts_while_its_money_is_gone(status: str, taken: int) -> None:
    assert clawback(dispute(status)) == taken


def test_an_inquiry_counts_once_its_funds_are_withdrawn() -> None:
    assert clawback(dispute("warning_under_review", withdrawn=True)) == 100
    assert clawback(dispute("warning_closed", withdrawn=True)) == 0
    assert clawback(dispute("won", withdrawn=True)) == 0


def test_a_dispute_that_was_won_gives_everything_back_whatever_comes_late() -> None:
    assert clawback(dispute("won", at=9), dispute("needs_response", at=1)) == 0
    assert clawback(dispute("won", at=9), dispute("under_review", at=9)) == 0


def test_a_refund_after_a_dispute_that_was_won_counts() -> None:
    assert clawback(dispute("needs_response"), dispute("won", at=2), refund(1000, at=3)) == 100
    assert clawback(dispute("needs_response"), dispute("won", at=2), refund(400, at=3)) == 40


def test_a_dispute_of_part_and_a_refund_of_part_add_up_to_no_more_than_all() -> None:
    assert clawback(refund(300), dispute("lost", amount=300)) == 60
    assert clawback(refund(600), dispute("lost")) == 100


def test_a_dispute_that_an_appeal_turns_over_gives_back() -> None:
    told = (dispute("lost", at=1), dispute("appeal_under_review", at=2), dispute("won", at=3))
    assert clawback(*told) == 0


def test_what_cost_nothing_is_taken_whole_or_not_at_all() -> None:
    assert Reversals().clawback(CREDITS, 0) == 0
    assert refund(None).clawback(CREDITS, 0) == CREDITS
    assert refund(None, "failed").clawback(CREDITS, 0) == 0
