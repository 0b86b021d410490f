"""Failure rates that rose: overall, and of each model, style, color and size.

The failures of a period are beta-binomial around the expected rate. What Benjamini–Hochberg keeps,
once of the overall tests and once of all values', has to pass plain gates as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from imagegen.report import echoes, severity
from imagegen.report.distributions import (
    benjamini_hochberg,
    beta_binomial_above,
    score_interval,
    wilson,
)
from imagegen.report.event import Event
from imagegen.report.expected_rates import Dimension, Rate, days_of, overall_rate, value_rate
from imagegen.report.numbers import Numbers, WeekNumbers
from imagegen.report.past import Past, summed
from imagegen.report.thresholds import Thresholds


@dataclass
class Rated:
    """What the rate rules found, and how many tests of each family they ran."""

    events: list[Event] = field(default_factory=list)
    overall_tests: int = 0
    value_tests: int = 0


def find(week: WeekNumbers, past: Past, t: Thresholds) -> Rated:
    """Failure rates above expectation, one event per subject: the overall one first."""
    overall = overall_rate(past, t)
    if overall is None:
        return Rated()
    rates: dict[Dimension, Rate] = {
        (name, value): value_rate((name, value), overall, past, t)
        for name, values in sorted(week.values.items())
        for value in sorted(values)
    }
    overall_tests, general = _tested(week, {None: overall}, t)
    value_tests, special = _tested(week, rates, t)
    causes = {event.date: event for event in general}
    own = [
        event
        for event in special
        if event.date not in causes or not echoes.is_echo(event, causes[event.date], overall)
    ]
    events = []
    for dimension in [None, *rates]:
        flagged = [event for event in [*general, *own] if event.dimension == dimension]
        if flagged:
            event = _with_status(_story(flagged, t), past, t)
            if dimension is None:
                event = replace(event, contributions=echoes.contributions(event, week, rates, t))
            events.append(event)
    return Rated(events, overall_tests, value_tests)


def _tested(
    week: WeekNumbers, rates: Mapping[Dimension, Rate], t: Thresholds
) -> tuple[int, list[Event]]:
    """One Benjamini–Hochberg family: the number of tests, and the rises it keeps.

    As for counts, a test that fails a gate counts as p = 1.
    """
    tests, suspects = 0, []
    for dimension, rate in rates.items():
        days = days_of(week, dimension)
        for date, numbers in [*sorted(days.items()), (None, summed(days.values()))]:
            n = numbers.completed + numbers.failed
            tests += n >= t.rate_min_ended
            if n >= t.rate_min_ended and _passes(numbers.failed, n, rate.mean, t):
                suspects.append(_event(week, dimension, date, numbers, rate))
    cut = benjamini_hochberg([_p(event) for event in suspects], t.rate_fdr, max(1, tests))
    return tests, [event for event in suspects if _p(event) <= cut]


def _passes(k: int, n: int, mean: float, t: Thresholds) -> bool:
    rise, ratio = k / n - mean, k / (n * mean)
    return k >= t.rate_min_failures and rise >= t.rate_rise and ratio >= t.rate_ratio


def _event(
    week: WeekNumbers, dimension: Dimension, date: str | None, numbers: Numbers, rate: Rate
) -> Event:
    n, k = numbers.completed + numbers.failed, numbers.failed
    size = rate.day_size if date else rate.week_size
    return Event(
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
        p_value=beta_binomial_above(k, n, rate.mean, size),
        ci95=wilson(k, n),
        n=n,
        k=k,
        history_days=rate.history_days,
        method="beta_binomial",
    )


def _story(flagged: Sequence[Event], t: Thresholds) -> Event:
    """One event of a subject's flagged tests: the week's, if its other days are unusual as well."""
    days = tuple(event for event in flagged if event.scope == "day")
    head = flagged[-1]  # the week, if it is flagged
    if head.scope == "day" or (days and not _rest_is_unusual(head, days, t)):
        head = min(days, key=_p)
    grade = severity.gravest(severity.of_failure_rate(each) for each in [head, *days])
    return replace(head, days=days, severity=grade)


def _rest_is_unusual(head: Event, days: Sequence[Event], t: Thresholds) -> bool:
    n = (head.n or 0) - sum(day.n or 0 for day in days)
    k = (head.k or 0) - sum(day.k or 0 for day in days)
    return n <= 0 or _passes(k, n, head.expected or 0.0, t)


def _with_status(event: Event, past: Past, t: Thresholds) -> Event:
    """Ongoing when one of two weeks running was flagged whole, and at last the new normal."""
    before = past.last_flags.get(event.subject)
    if before is None or not (before.lasting or event.scope == "week"):
        return event
    lasted = before.weeks + 1 >= t.rate_level_weeks and event.scope == "week"
    return replace(event, status="new_level" if lasted else "ongoing")


def _p(event: Event) -> float:
    return 1.0 if event.p_value is None else event.p_value
