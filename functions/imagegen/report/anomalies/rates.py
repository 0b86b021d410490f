"""Failure rates that rose: overall, and of each model, style, color and size.

The failures of a period are beta-binomial around the expected rate. What Benjamini–Hochberg keeps,
once of the overall tests and once of all values', has to be large as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from imagegen.report.anomalies import attribution, severity
from imagegen.report.anomalies.anomaly import Anomaly, Dimension, p_value
from imagegen.report.anomalies.expected_rates import Rate, days_of, overall_rate, value_rate
from imagegen.report.anomalies.history import History, WeekNumbers
from imagegen.report.anomalies.statistics import (
    benjamini_hochberg,
    betabinom_sf,
    score_interval,
    wilson_interval,
)
from imagegen.report.anomalies.thresholds import Thresholds
from imagegen.report.numbers import Numbers, summed

Rates = Mapping[Dimension, Rate] | Mapping[None, Rate]


@dataclass
class Rated:
    """What the rules of rates found, and how many tests of each family they ran."""

    anomalies: list[Anomaly] = field(default_factory=list)
    overall_tests: int = 0
    value_tests: int = 0


def find(week: WeekNumbers, history: History, t: Thresholds) -> Rated:
    """Failure rates above expectation, one anomaly per subject, the overall one first."""
    overall = overall_rate(history, t)
    if overall is None:
        return Rated()
    rates = {
        Dimension(name, value): value_rate(Dimension(name, value), overall, history, t)
        for name, values in sorted(week.values.items())
        for value in sorted(values)
    }
    overall_tests, general = _tested(week, {None: overall}, t)
    value_tests, special = _tested(week, rates, t)
    causes = {anomaly.date: anomaly for anomaly in general}
    own = [
        anomaly
        for anomaly in special
        if anomaly.date not in causes
        or not attribution.follows_overall_rate(anomaly, causes[anomaly.date], overall)
    ]
    anomalies = []
    for dimension in [None, *rates]:
        flagged = [anomaly for anomaly in [*general, *own] if anomaly.dimension == dimension]
        if flagged:
            anomaly = _with_status(_combined(flagged, t), history, t)
            if dimension is None:
                anomaly = attribution.with_rate_contributions(anomaly, week, rates, t)
            anomalies.append(anomaly)
    return Rated(anomalies, overall_tests, value_tests)


def _tested(week: WeekNumbers, rates: Rates, t: Thresholds) -> tuple[int, list[Anomaly]]:
    """One Benjamini–Hochberg family: the number of tests, and the rises it keeps.

    As for counts, what is not large enough to report counts as p = 1.
    """
    tests, suspects = 0, []
    for dimension, rate in rates.items():
        days = days_of(week, dimension)
        for date, numbers in [*sorted(days.items()), (None, summed(days.values()))]:
            n = numbers.completed + numbers.failed
            tests += n >= t.rate_min_ended
            if n >= t.rate_min_ended and _passes(numbers.failed, n, rate.mean, t):
                suspects.append(_anomaly(week, dimension, date, numbers, rate))
    cut = benjamini_hochberg([p_value(anomaly) for anomaly in suspects], t.rate_fdr, max(1, tests))
    return tests, [anomaly for anomaly in suspects if p_value(anomaly) <= cut]


def _passes(k: int, n: int, mean: float, t: Thresholds) -> bool:
    rise, ratio = k / n - mean, k / (n * mean)
    return k >= t.rate_min_failures and rise >= t.rate_rise and ratio >= t.rate_ratio


def _anomaly(
    week: WeekNumbers, dimension: Dimension | None, date: str | None, numbers: Numbers, rate: Rate
) -> Anomaly:
    n, k = numbers.completed + numbers.failed, numbers.failed
    size = rate.day_size if date else rate.week_size
    return Anomaly(
        week=week.week,
        metric="failureRate",
        scope="day" if date else "week",
        date=date,
        direction="up",
        dimension=dimension,
        actual=k / n,
        expected=rate.mean,
        # n clustered requests tell as much as fewer independent ones.
        range=score_interval(rate.mean, n * (size + 1) / (size + n)),
        p_value=betabinom_sf(k - 1, n, rate.mean, size),
        ci95=wilson_interval(k, n),
        n=n,
        k=k,
        history_days=rate.history_days,
        method="beta_binomial",
    )


def _combined(flagged: Sequence[Anomaly], t: Thresholds) -> Anomaly:
    """One anomaly: the week's if the week is unusual without its flagged days, too."""
    days = tuple(anomaly for anomaly in flagged if anomaly.scope == "day")
    head = flagged[-1]  # the week, if it is flagged
    if head.scope == "day" or (days and not _rest_is_unusual(head, days, t)):
        head = min(days, key=p_value)
    grade = severity.gravest(severity.of_failure_rate(each) for each in [head, *days])
    return replace(head, days=days, severity=grade)


def _rest_is_unusual(head: Anomaly, days: Sequence[Anomaly], t: Thresholds) -> bool:
    n = (head.n or 0) - sum(day.n or 0 for day in days)
    k = (head.k or 0) - sum(day.k or 0 for day in days)
    return n <= 0 or _passes(k, n, head.expected or 0.0, t)


def _with_status(anomaly: Anomaly, history: History, t: Thresholds) -> Anomaly:
    """Ongoing when this week or the one before was flagged as a whole; in time, the new normal."""
    before = history.last_flags.get(anomaly.subject)
    if before is None or not (before.lasting or anomaly.scope == "week"):
        return anomaly
    lasted = before.weeks + 1 >= t.rate_level_weeks and anomaly.scope == "week"
    return replace(anomaly, status="new_level" if lasted else "ongoing")
