"""All anomalies of a week, judged by the weeks before it: pure and deterministic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagegen.report.anomalies import counts, fallback, rates, users
from imagegen.report.anomalies.anomaly import Anomaly
from imagegen.report.anomalies.counts import Band
from imagegen.report.anomalies.history import WeekNumbers, history_before
from imagegen.report.anomalies.memory import Memory
from imagegen.report.anomalies.record import AnomalyRecord
from imagegen.report.anomalies.severity import SEVERITIES
from imagegen.report.anomalies.thresholds import Thresholds
from imagegen.report.anomalies.users import EarlierWeeks
from imagegen.report.numbers import UserNumbers
from imagegen.report.stored_model import StoredModel


class Tests(StoredModel):
    """How many tests of each kind were made."""

    counts: int = 0
    overall_rates: int = 0
    value_rates: int = 0
    users: int = 0


@dataclass(frozen=True)
class Findings:
    """What `find` found."""

    anomalies: list[AnomalyRecord]  # gravest first
    bands: dict[str, dict[str, Band]]  # by metric and ISO date
    memory: Memory  # later reports get it back as WeekNumbers.memory
    insufficient_history: bool  # too few days for the tests of counts
    tests: Tests
    thresholds: dict[str, Any]  # as used


def find(
    week: WeekNumbers,
    earlier: Sequence[WeekNumbers],
    active_users: Mapping[str, UserNumbers],
    thresholds: Thresholds,
    earlier_weeks: EarlierWeeks | None = None,
) -> Findings:
    """The anomalies of `week`, given the reports before it (oldest first, the last 12).

    What `active_users` spent in earlier weeks is part of their numbers, or is asked of
    `earlier_weeks`, once, for the few top spenders only.
    """
    history = history_before(week, earlier, thresholds.history_days)
    counted = counts.find(week, history, thresholds)
    rated = rates.find(week, history, thresholds)
    spenders = users.find(week, earlier, active_users, thresholds, earlier_weeks)
    judged = [*counted.anomalies, *rated.anomalies]
    found = [*judged, *spenders.anomalies]
    if thresholds.keep_guards or len(earlier) < thresholds.guard_reports:
        known = {each.subject for each in found}
        guards = fallback.find(week, earlier, active_users, thresholds)
        found += [each for each in guards if each.subject not in known]
    parts = [part for each in judged for part in (each, *each.merged)]
    return Findings(
        anomalies=[AnomalyRecord.of(each) for each in sorted(found, key=_gravest_first)],
        bands=counted.bands,
        memory=Memory(
            flags=[history.flag(part, sorted(week.daily)) for part in parts],
            levels=[history.level(part) for part in parts if part.status == "new_level"],
            user_scores=spenders.scores,
        ),
        insufficient_history=len(history.days) < thresholds.min_history_days,
        tests=Tests(
            counts=counted.tests,
            overall_rates=rated.overall_tests,
            value_rates=rated.value_tests,
            users=spenders.tests,
        ),
        thresholds=thresholds.as_json(),
    )


def _gravest_first(anomaly: Anomaly) -> tuple[Any, ...]:
    return (SEVERITIES.index(anomaly.severity), -(anomaly.ratio or 0), anomaly.id)
