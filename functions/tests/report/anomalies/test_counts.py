"""Counts: spikes and drops of days and weeks, what they are merged with, and new levels."""

from __future__ import annotations

import pytest
from support.made_weeks import dates, last, lived, made_week, steady

from imagegen.report.anomalies import counts, severity
from imagegen.report.anomalies.anomaly import Anomaly


def test_a_steady_app_has_no_anomalies() -> None:
    assert [each for said in lived(steady(12)) for each in said.anomalies] == []


@pytest.mark.parametrize(("times", "direction"), [(2.0, "up"), (0.4, "down"), (0.0, "down")])
def test_an_unusual_day_is_named_with_what_was_expected(times: float, direction: str) -> None:
    said = last(lived([*steady(8), made_week(8, times={2: times})]))
    assert [(each.metric, each.direction) for each in said] == [("requests", direction)]
    event = said[0]
    assert (event.scope, event.date) == ("day", dates(8)[2])
    assert event.ratio == pytest.approx(times, rel=0.15, abs=0.02)
    low, high = event.range
    assert low < event.expected < high
    assert event.p_value < 0.001
    assert event.sample.history_days == 56


def test_a_day_with_fewer_requests_is_tested_less_strictly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weeks = [*steady(8, requests=24), made_week(8, requests=24, times={2: 0.4})]
    assert [(each.metric, each.direction) for each in last(lived(weeks))] == [("requests", "down")]
    monkeypatch.setattr(counts, "COUNT_WEIGHTS", {})
    assert last(lived(weeks)) == []


@pytest.mark.parametrize("times", [1.1, 0.92])
def test_a_day_or_week_within_what_is_usual_is_none(times: float) -> None:
    assert last(lived([*steady(8), made_week(8, times={2: times})])) == []
    assert last(lived([*steady(8), made_week(8, times=times)])) == []


@pytest.mark.parametrize(("times", "direction"), [(1.6, "up"), (0.5, "down")])
def test_an_unusual_week_is_one_event_with_its_days(times: float, direction: str) -> None:
    said = last(lived([*steady(8), made_week(8, times=times)]))
    assert [(each.metric, each.scope, each.direction) for each in said] == [
        ("requests", "week", direction)
    ]
    assert [each.metric for each in said[0].merged] == ["credits"]
    assert {each.date for each in said[0].days} <= set(dates(8))


def test_a_small_change_of_a_small_app_is_not_worth_a_word() -> None:
    weeks = steady(8, requests=6)
    assert last(lived([*weeks, made_week(8, requests=6, times={2: 2.0})])) == []


def test_credits_that_rise_without_requests_are_an_event_of_their_own() -> None:
    said = last(lived([*steady(8), made_week(8, price={2: 5.0})]))
    assert [(each.metric, each.method) for each in said] == [("credits", "credits_per_request")]
    assert said[0].ratio == pytest.approx(2.5, rel=0.05)
    assert said[0].date == dates(8)[2]


def test_credits_that_rise_with_requests_are_merged_into_them() -> None:
    said = last(lived([*steady(8), made_week(8, times={2: 3.0})]))
    assert [each.metric for each in said] == ["requests"]
    assert "Credits charged moved with it" in said[0].message


def test_the_message_names_the_value_that_drives_the_change() -> None:
    said = last(lived([*steady(8), made_week(8, times={2: 3.0}, only="sketch")]))
    assert said[0].contributions[0].value == "sketch"
    assert said[0].contributions[0].share == pytest.approx(1, abs=0.1)
    assert "Driven by style “sketch”" in said[0].message
    assert said[0].message.startswith(f"Generations on {dates(8)[2]}: ")


def test_a_uniform_change_names_no_driver() -> None:
    said = last(lived([*steady(8), made_week(8, times={2: 3.0})]))
    assert "Driven by" not in said[0].message


def test_a_surge_of_new_users() -> None:
    said = last(lived([*steady(8), made_week(8, new_users={3: 70})]))
    assert [(each.metric, each.date) for each in said] == [("newUsers", dates(8)[3])]


def test_new_users_that_were_not_counted_until_lately_can_be_judged() -> None:
    weeks = [*steady(6, new_users=0), made_week(6, new_users=30), made_week(7, new_users=30)]
    assert [each.tests.counts > 0 for each in lived(weeks)[3:]] == [True] * 5


def test_a_flagged_day_does_not_change_what_is_expected_later() -> None:
    calm = lived(steady(10))[-1].bands["requests"]
    excited = lived([*steady(8), made_week(8, times={2: 10.0}), made_week(9)])
    assert excited[-1].anomalies == []
    for day, band in excited[-1].bands["requests"].items():
        assert band.expected == pytest.approx(calm[day].expected, rel=0.02)


def test_a_shift_that_lasts_two_weeks_is_the_new_level() -> None:
    shifted = [made_week(w, times=2.0) for w in range(8, 13)]
    said = lived([*steady(8), *shifted])
    assert [each.status for each in said[8].anomalies] == ["new"]
    assert [each.status for each in said[9].anomalies] == ["new_level"]
    assert [each.anomalies for each in said[10:]] == [[], [], []]
    middle = said[10].bands["requests"][dates(10)[1]].expected
    assert middle == pytest.approx(600, rel=0.1)


def test_after_a_new_level_going_back_is_an_anomaly() -> None:
    weeks = [*steady(8), *(made_week(w, times=2.0) for w in range(8, 12)), made_week(12)]
    assert [(each.metric, each.direction) for each in last(lived(weeks))] == [("requests", "down")]


def test_two_single_days_in_a_row_of_weeks_are_no_new_level() -> None:
    spikes = [made_week(w, times={2: 3.0}) for w in (8, 9)]
    said = lived([*steady(8), *spikes])
    assert [each.status for each in said[9].anomalies] == ["new"]


@pytest.mark.parametrize(
    ("direction", "actual", "expected", "grade"),
    [
        ("up", 1000, 100, "critical"),
        ("up", 300, 100, "high"),
        ("up", 175, 100, "medium"),
        ("up", 150, 100, "low"),
        ("down", 0, 20, "critical"),
        ("down", 0, 19, "high"),
        ("down", 30, 100, "high"),
        ("down", 60, 100, "medium"),
        ("down", 65, 100, "low"),
    ],
)
def test_severity_of_counts(direction: str, actual: float, expected: float, grade: str) -> None:
    event = Anomaly(
        week="2026-W10", metric="requests", scope="week", date=None, direction=direction,  # type: ignore[arg-type]
        actual=actual, expected=expected, p_value=None, method="negative_binomial",
    )  # fmt: skip
    assert severity.of_count(event, 1.0) == grade
