"""The findings as a whole: the same for the same numbers, in any order, and for any week."""

from __future__ import annotations

import json
import random
from dataclasses import replace

from support.made_weeks import DEFAULTS, NOBODY, dates, lived, made_week, steady, stored

from imagegen.report.anomalies.find import Findings, find
from imagegen.report.anomalies.history import WeekNumbers
from imagegen.report.numbers import Numbers, UserNumbers

FIELDS = {
    "id", "week", "metric", "scope", "date", "direction", "dimension", "actual", "expected",
    "range", "ratio", "pValue", "ci95", "sample", "contributions", "days", "merged", "severity",
    "method", "status", "message",
}  # fmt: skip
USERS = {f"u{i}": UserNumbers(i % 7, i % 40, i % 11, "2026-03-02") for i in range(200)}
EVENTFUL = made_week(8, times={2: 3.0}, failing={("sketch", 4): 0.6}, new_users={1: 90})


def before(n: int = 8) -> list[WeekNumbers]:
    weeks = steady(n)
    return [stored(week, said) for week, said in zip(weeks, lived(weeks), strict=True)]


def judged(week: WeekNumbers = EVENTFUL) -> Findings:
    return find(week, before(), USERS, DEFAULTS)


def test_an_anomaly_has_every_field_and_fits_into_json() -> None:
    found = judged()
    assert {each.metric for each in found.anomalies} == {"requests", "failureRate", "newUsers"}
    anomalies = [each.to_firestore() for each in found.anomalies]
    assert all(set(each) == FIELDS for each in anomalies)
    bands = [band.to_firestore() for days in found.bands.values() for band in days.values()]
    memory, tests = found.memory.to_firestore(), found.tests.to_firestore()
    everything = [anomalies, bands, memory, tests, found.thresholds]
    assert json.loads(json.dumps(everything, allow_nan=False)) == everything


def test_the_gravest_come_first() -> None:
    ranks = ["critical", "high", "medium", "low", "info"]
    given = [ranks.index(each.severity) for each in judged().anomalies]
    assert given == sorted(given)


def test_a_second_run_is_identical() -> None:
    assert judged() == judged()


def test_the_order_of_users_and_values_does_not_matter() -> None:
    shuffled = list(USERS.items())
    random.Random(1).shuffle(shuffled)
    values = {
        name: {
            value: dict(reversed(list(days.items())))
            for value, days in reversed(list(styles.items()))
        }
        for name, styles in EVENTFUL.values.items()
    }
    daily = dict(reversed(list(EVENTFUL.daily.items())))
    week = replace(EVENTFUL, values=values, daily=daily)
    assert find(week, before(), dict(shuffled), DEFAULTS) == judged()


def test_an_id_stays_when_late_requests_change_the_numbers() -> None:
    more = made_week(8, times={2: 3.1}, failing={("sketch", 4): 0.65}, new_users={1: 95})
    ids = [{each.id for each in found.anomalies} for found in (judged(), judged(more))]
    assert ids[0] == ids[1]
    assert len(ids[0]) == len(judged().anomalies)


def test_an_empty_week_after_none_is_silent() -> None:
    empty = WeekNumbers("2026-W10", {day: Numbers() for day in dates(8)}, {}, {})
    found = find(empty, [], NOBODY, DEFAULTS)
    assert found.anomalies == []
    assert found.insufficient_history


def test_empty_weeks_are_silent_for_ever() -> None:
    weeks = [replace(week, values={}, new_users={}) for week in steady(10, requests=0)]
    assert [each.anomalies for each in lived(weeks)] == [[]] * 10


def test_an_empty_week_after_busy_ones_is_critical() -> None:
    found = find(made_week(8, times=0.0), before(), NOBODY, DEFAULTS)
    assert [(each.metric, each.severity) for each in found.anomalies] == [("requests", "critical")]


def test_no_count_is_tested_before_fourteen_days_of_history() -> None:
    said = lived(steady(3))
    assert [each.insufficient_history for each in said] == [True, True, False]
    assert [each.tests.counts > 0 for each in said] == [False, False, True]


def test_days_before_the_first_request_are_no_history() -> None:
    unborn = [replace(made_week(w, requests=0), values={}) for w in range(6)]
    said = lived([*unborn, made_week(6), made_week(7), made_week(8)])
    assert [each.insufficient_history for each in said[6:]] == [True, True, False]


def test_a_missing_report_is_no_week_without_demand() -> None:
    weeks = steady(9)
    said = lived([*weeks[:5], *weeks[6:]])
    assert said[-1].anomalies == []


def test_memory_stays_small() -> None:
    noisy = [made_week(w, times={w % 7: 3.0}) for w in range(8, 20)]
    said = lived([*steady(8), *noisy])
    assert max(len(json.dumps(each.memory.to_firestore())) for each in said) < 4000
