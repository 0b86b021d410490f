"""What was out of the ordinary in a week, judged by the weeks before it: pure and deterministic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from imagegen.report import counts, guards, rates
from imagegen.report import users as spending
from imagegen.report.event import Event
from imagegen.report.numbers import UserNumbers, WeekNumbers
from imagegen.report.past import flag, level, recall
from imagegen.report.severity import SEVERITIES
from imagegen.report.thresholds import Thresholds
from imagegen.report.users import EarlierWeeks


@dataclass(frozen=True)
class Findings:
    """What `find` found; all of it is ready for JSON and Firestore."""

    anomalies: list[dict[str, Any]]  # gravest first
    # metric -> ISO date -> {expected, low, high}: what charts draw behind the actual numbers
    bands: dict[str, dict[str, dict[str, float]]]
    memory: dict[str, Any]  # later reports get it back as WeekNumbers.memory
    insufficient_history: bool  # too few days for the count tests
    tests: dict[str, int]  # how many of each kind were run
    thresholds: dict[str, Any]  # as used


def find(
    week: WeekNumbers,
    history: Sequence[WeekNumbers],
    users: Iterable[tuple[str, UserNumbers]],
    thresholds: Thresholds,
    earlier_weeks: EarlierWeeks | None = None,
) -> Findings:
    """The anomalies of `week`, given the reports before it (oldest first, the last 12).

    `users` are the week's active users, in any order. What they spent in earlier weeks stands in
    their numbers, or is asked of `earlier_weeks`, once, for the few top spenders only.
    """
    everyone = dict(users)
    past = recall(week, history, thresholds.history_days)
    counted = counts.find(week, past, thresholds)
    rated = rates.find(week, past, thresholds)
    spent = spending.find(week, history, everyone.items(), thresholds, earlier_weeks)
    judged = [*counted.events, *rated.events]
    events = [*judged, *spent.events]
    if thresholds.keep_guards or len(history) < thresholds.guard_reports:
        known = {each.subject for each in events}
        stand_ins = guards.find(week, history, everyone.items(), thresholds)
        events += [each for each in stand_ins if each.subject not in known]
    flags = [
        flag(part, sorted(week.daily), past) for each in judged for part in (each, *each.merged)
    ]
    levels = [
        level(part, past)
        for each in judged
        for part in (each, *each.merged)
        if part.status == "new_level"
    ]
    return Findings(
        anomalies=[each.as_json() for each in sorted(events, key=_gravest_first)],
        bands=counted.bands,
        memory={
            "flags": [each.as_json() for each in flags],
            "levels": levels,
            "userScores": spent.scores,
        },
        insufficient_history=len(past.days) < thresholds.min_history_days,
        tests={
            "counts": counted.tests,
            "overallRates": rated.overall_tests,
            "valueRates": rated.value_tests,
            "users": spent.tests,
        },
        thresholds=thresholds.as_json(),
    )


def _gravest_first(event: Event) -> tuple[Any, ...]:
    return (SEVERITIES.index(event.severity), -(event.ratio or 0), event.id)
