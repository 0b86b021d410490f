"""Failure rates: what rises, whose story it is, and what only echoes it."""

from __future__ import annotations

import pytest
from support.made_weeks import Failing, dates, last, lived, made_week, steady

from imagegen.report.anomalies import severity
from imagegen.report.anomalies.anomaly import Anomaly

WHOLE_WEEK = range(7)


def test_an_overall_rise_is_one_event_and_its_values_are_echoes() -> None:
    said = last(lived([*steady(8), made_week(8, failing={(None, 3): 0.4})]))
    assert [(each.metric, each.dimension, each.date) for each in said] == [
        ("failureRate", None, dates(8)[3])
    ]
    event = said[0]
    assert event.actual == pytest.approx(0.4, abs=0.01)
    assert event.expected == pytest.approx(0.05, abs=0.01)
    assert event.ci95[0] < event.actual < event.ci95[1]
    assert event.sample.k == pytest.approx(0.4 * event.sample.n, abs=2)


def test_a_value_that_fails_is_named_beside_the_overall_rise() -> None:
    failing: Failing = {("sketch", d): 0.5 for d in WHOLE_WEEK}
    said = last(lived([*steady(8), made_week(8, failing=failing)]))
    named = {each.dimension and each.dimension.value: each for each in said}
    assert set(named) == {None, "sketch"}
    assert "Driven by style “sketch”" in named[None].message
    assert named["sketch"].scope == "week"


def test_a_rare_value_that_fails_for_a_day_is_found_in_a_small_app() -> None:
    weeks = steady(8, requests=30)
    said = last(lived([*weeks, made_week(8, requests=30, failing={("watercolor", 1): 0.8})]))
    values = [each.dimension and each.dimension.value for each in said]
    assert "watercolor" in values


@pytest.mark.parametrize("rate", [0.06, 0.09])
def test_a_rise_of_less_than_five_points_is_not_worth_a_word(rate: float) -> None:
    failing: Failing = {(None, d): rate for d in WHOLE_WEEK}
    assert last(lived([*steady(8), made_week(8, failing=failing)])) == []


def test_fewer_failures_are_no_anomaly() -> None:
    failing: Failing = {(None, d): 0.0 for d in WHOLE_WEEK}
    assert last(lived([*steady(8), made_week(8, failing=failing)])) == []


def test_a_lasting_rise_goes_on_until_it_is_the_new_normal() -> None:
    failing: Failing = {(None, d): 0.3 for d in WHOLE_WEEK}
    said = lived([*steady(8), *(made_week(w, failing=failing) for w in range(8, 14))])
    statuses = [[each.status for each in each.anomalies] for each in said[8:]]
    assert statuses == [["new"], ["ongoing"], ["ongoing"], ["new_level"], [], []]


@pytest.mark.parametrize(
    ("rate", "n", "grade"),
    [
        (0.5, 30, "critical"),
        (0.5, 29, "high"),
        (0.25, 99, "high"),
        (0.15, 99, "medium"),
        (0.12, 99, "low"),
    ],
)
def test_severity_of_rates(rate: float, n: int, grade: str) -> None:
    event = Anomaly(
        week="2026-W10", metric="failureRate", scope="week", date=None, direction="up",
        actual=rate, expected=0.05, n=n, p_value=None, method="beta_binomial",
    )  # fmt: skip
    assert severity.of_failure_rate(event) == grade
