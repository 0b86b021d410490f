"""Plain ratios: each fires beyond its bound, and not at it."""

from __future__ import annotations

from typing import Any

import pytest
from support.made_weeks import DEFAULTS, NOBODY, Failing, lived, made_week, stored

from imagegen.report.anomalies import fallback
from imagegen.report.anomalies.find import find
from imagegen.report.anomalies.history import WeekNumbers
from imagegen.report.numbers import UserNumbers


def _events(week: WeekNumbers, *history: WeekNumbers, users: Any = NOBODY) -> list[Any]:
    return fallback.find(week, history, users, DEFAULTS)


def subjects(week: WeekNumbers, *history: WeekNumbers, users: Any = NOBODY) -> set[Any]:
    return {(event.metric, event.direction) for event in _events(week, *history, users=users)}


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (2.3, set()),
        (2.7, {("requests", "up")}),
        (3.2, {("requests", "up"), ("credits", "up")}),
        (0.5, set()),
        (0.3, {("requests", "down")}),
    ],
)
def test_volumes_against_last_week(times: float, expected: set[Any]) -> None:
    assert subjects(made_week(1, times=times), made_week(0)) == expected


def test_small_volumes_and_a_gap_in_the_reports_are_no_cause() -> None:
    assert (
        subjects(made_week(1, requests=2, times=3, price=1.0), made_week(0, requests=2, price=1.0))
        == set()
    )
    assert subjects(made_week(2, times=5), made_week(0)) == set()


@pytest.mark.parametrize(("rate", "fires"), [(0.1, False), (0.25, True)])
def test_a_high_failure_rate_overall(rate: float, fires: bool) -> None:
    failing: Failing = {(None, d): rate for d in range(7)}
    assert (("failureRate", "up") in subjects(made_week(0, failing=failing))) is fires


def test_a_value_that_fails_twice_as_often_as_last_week() -> None:
    failing: Failing = {("sketch", d): 0.3 for d in range(7)}
    events = _events(made_week(1, failing=failing), made_week(0))
    assert [event.dimension for event in events] == [("style", "sketch")]
    again = _events(made_week(2, failing=failing), made_week(1, failing=failing))
    assert again == []


def test_a_success_rate_under_half_of_last_weeks() -> None:
    failing: Failing = {(None, d): 0.6 for d in range(7)}
    events = subjects(made_week(1, failing=failing), made_week(0))
    assert ("successRate", "down") in events


def test_a_user_beyond_the_credits_of_a_day() -> None:
    users = {"calm": UserNumbers(9, 90, 50), "busy": UserNumbers(9, 90, 51, "2026-01-06")}
    events = _events(made_week(0), users=users)
    assert [(event.dimension, event.date) for event in events] == [(("user", "busy"), "2026-01-06")]


@pytest.mark.parametrize(("surge", "fires"), [(60, False), (61, True)])
def test_a_day_with_four_times_the_usual_new_users(surge: int, fires: bool) -> None:
    week = made_week(1, new_users={2: surge})
    assert (subjects(week, made_week(0)) == {("newUsers", "up")}) is fires


def test_guards_are_information_and_end_when_four_reports_exist() -> None:
    weeks = [made_week(w, failing={(None, 0): 0.9, (None, 1): 0.9}) for w in range(6)]
    methods = [{each.method for each in said.anomalies} for said in lived(weeks)]
    assert "guard" in methods[0]
    assert all("guard" not in each for each in methods[4:])
    kept = lived(weeks, thresholds=DEFAULTS.model_copy(update={"keep_guards": True}))
    infos = [a for said in kept for a in said.anomalies if a.method == "guard"]
    assert {each.severity for each in infos} == {"info"}


def test_a_guard_says_nothing_that_a_test_has_said() -> None:
    history = [made_week(0), made_week(1)]
    memories = lived(history)
    before = [stored(week, said) for week, said in zip(history, memories, strict=True)]
    said = find(made_week(2, times=4), before, NOBODY, DEFAULTS).anomalies
    requests = [each for each in said if each.metric == "requests"]
    assert [each.method for each in requests] == ["negative_binomial"]
