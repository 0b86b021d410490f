"""Failure rates that rose: overall, and of each model, style, color and size.

Failures are beta-binomial around the rate of the history: a rate wanders from day to day, and how
much is measured as Laney's p' chart does (σ_z of the daily z-values, from moving ranges).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import fmean

from imagegen.report import severity
from imagegen.report.distributions import (
    benjamini_hochberg,
    beta_binomial_above,
    score_interval,
    wilson,
)
from imagegen.report.event import Contribution, Event
from imagegen.report.metrics import Numbers, WeekNumbers
from imagegen.report.past import Past
from imagegen.report.thresholds import Thresholds

Dimension = tuple[str, str] | None  # None: overall
SIGMA_SLACK = 1.1
MOVING_RANGE_TO_SIGMA = 1.128  # the mean range of two normal values, in σ
WEEK_SHARE_OF_DISPERSION = 0.25
ECHO_P = 0.001  # how unlikely a value's failures must be, given everybody's, to be its own story
ECHO_RISE = 1.2


@dataclass(frozen=True)
class Rate:
    """A failure rate to expect and how firmly: Beta(mean·size, (1 - mean)·size)."""

    mean: float
    day_size: float
    week_size: float
    history_days: int


@dataclass
class Rated:
    """What the rate rules found; `tests` counts the overall ones and the values'."""

    events: list[Event] = field(default_factory=list)
    tests: tuple[int, int] = (0, 0)


def find(week: WeekNumbers, past: Past, t: Thresholds) -> Rated:
    """Failure rates above expectation, one event per subject."""
    overall_past = _history(None, past)
    n_all, k_all = _sums(overall_past)
    if n_all == 0:
        return Rated()
    p_all = k_all / n_all
    overall = _rate(overall_past, p_all, None, t)
    subjects: dict[Dimension, Rate] = {
        (name, value): _rate(_history((name, value), past), p_all, overall, t)
        for name, values in week.values.items()
        for value in values
    }
    overall_tests, overall_flags = _tested(week, {None: overall}, t)
    value_tests, value_flags = _tested(week, subjects, t)
    own = [each for each in value_flags if not _is_echo(each, week, overall, overall_flags, t)]
    events = []
    for dimension in [None, *subjects]:
        flagged = [e for e in [*overall_flags, *own] if e.dimension == dimension]
        if flagged:
            events.append(_story(flagged, week, overall, subjects, t))
    return Rated([_with_status(e, past, t) for e in events], (overall_tests, value_tests))


def _history(dimension: Dimension, past: Past) -> list[tuple[int, int]]:
    """(ended, failed) of every unmasked day with any; a new level starts it anew."""
    start = max(past.levels.get(("failureRate", each), "") for each in (None, dimension))
    days = []
    for week in past.weeks:
        source = _days(week, dimension)
        for day in sorted(source):
            masked = any(past.is_masked("failureRate", each, day) for each in (None, dimension))
            n = source[day].completed + source[day].failed
            if n and not masked and day >= start:
                days.append((n, source[day].failed))
    return days


def _days(week: WeekNumbers, dimension: Dimension) -> Mapping[str, Numbers]:
    if dimension is None:
        return week.daily
    return week.values.get(dimension[0], {}).get(dimension[1], {})


def _sums(days: list[tuple[int, int]]) -> tuple[int, int]:
    return sum(n for n, _ in days), sum(k for _, k in days)


def _rate(days: list[tuple[int, int]], p_all: float, like: Rate | None, t: Thresholds) -> Rate:
    """The rate of `days`, drawn towards the app's overall rate by `rate_prior` requests."""
    n, k = _sums(days)
    weight = n + t.rate_prior
    mean = min(0.99, max(0.001, (k + t.rate_prior * p_all) / weight))
    rho = _dispersion(days, mean, t)
    return Rate(
        mean=mean,
        day_size=1 / (1 / weight + rho),
        week_size=1 / (1 / weight + WEEK_SHARE_OF_DISPERSION * rho),
        history_days=len(days),
    )


def _dispersion(days: list[tuple[int, int]], mean: float, t: Thresholds) -> float:
    """ρ = (σ_z² - 1)/(n̄ - 1): the correlation within a day (Laney, 2002)."""
    used = [(n, k) for n, k in days if n > 1]
    if len(used) < 8:
        return t.min_rate_dispersion
    scores = [(k / n - mean) / math.sqrt(mean * (1 - mean) / n) for n, k in used]
    ranges = sorted(abs(a - b) for a, b in pairwise(scores))
    kept = ranges[: len(ranges) - math.ceil(len(ranges) / 20)]
    sigma = SIGMA_SLACK * fmean(kept) / MOVING_RANGE_TO_SIGMA
    mean_n = fmean(n for n, _ in used)
    return min(0.5, max(t.min_rate_dispersion, (sigma**2 - 1) / (mean_n - 1)))


def _tested(
    week: WeekNumbers, subjects: Mapping[Dimension, Rate], t: Thresholds
) -> tuple[int, list[Event]]:
    """One Benjamini–Hochberg family: the number of tests, and the rises it keeps."""
    tests, suspects = 0, []
    for dimension, rate in subjects.items():
        days = _days(week, dimension)
        ended = sum(n.completed + n.failed for n in days.values())
        failed = sum(n.failed for n in days.values())
        periods: list[tuple[str | None, int, int, float]] = [(None, ended, failed, rate.week_size)]
        periods += [
            (day, n.completed + n.failed, n.failed, rate.day_size)
            for day, n in sorted(days.items())
        ]
        for day, n, k, size in periods:
            if n < t.rate_min_ended:
                continue
            tests += 1
            if _passes(k, n, rate.mean, t):
                suspects.append(_event(week, dimension, day, k, n, size, rate))
    cut = benjamini_hochberg([e.p_value or 0.0 for e in suspects], t.rate_fdr, max(1, tests))
    return tests, [e for e in suspects if (e.p_value or 0.0) <= cut]


def _passes(k: int, n: int, mean: float, t: Thresholds) -> bool:
    rate = k / n
    return k >= t.rate_min_failures and rate - mean >= t.rate_rise and rate >= t.rate_ratio * mean


def _event(
    week: WeekNumbers,
    dimension: Dimension,
    day: str | None,
    k: int,
    n: int,
    size: float,
    rate: Rate,
) -> Event:
    return Event(
        week=week.week,
        metric="failureRate",
        scope="day" if day else "week",
        date=day,
        direction="up",
        dimension=dimension,
        actual=k / n,
        expected=rate.mean,
        range=_range(n, size, rate.mean),
        p_value=beta_binomial_above(k, n, rate.mean, size),
        ci95=wilson(k, n),
        n=n,
        k=k,
        history_days=rate.history_days,
        method="beta_binomial",
    )


def _range(n: int, size: float, mean: float) -> tuple[float, float]:
    """What about 95 of 100 normal periods stay within: `n` clustered trials are worth fewer."""
    return score_interval(mean, n * (size + 1) / (size + n))


def _is_echo(
    event: Event, week: WeekNumbers, overall: Rate, flagged: list[Event], t: Thresholds
) -> bool:
    """Whether a value fails only because everything does, on the same day or in the same week."""
    cause = next((each for each in flagged if each.date == event.date), None)
    if cause is None or event.n is None or event.k is None or event.expected is None:
        return False
    if event.actual - event.expected < ECHO_RISE * (cause.actual - overall.mean):
        return True
    shared = min(0.99, event.expected + cause.actual - overall.mean)
    return beta_binomial_above(event.k, event.n, shared, 1e6) > ECHO_P


def _story(
    flagged: list[Event],
    week: WeekNumbers,
    overall: Rate,
    subjects: Mapping[Dimension, Rate],
    t: Thresholds,
) -> Event:
    """One event of a subject's flagged tests: the week's if flagged, with its days as details."""
    days = sorted((e for e in flagged if e.scope == "day"), key=lambda e: e.date or "")
    head = next((e for e in flagged if e.scope == "week"), None)
    if head is None or (days and not _rest_is_unusual(head, days, t)):
        head = min(days, key=lambda e: (e.p_value or 0.0, e.date))
    grade = severity.gravest(severity.of_failure_rate(each) for each in [head, *days])
    event = replace(head, days=tuple(days), severity=grade)
    if event.dimension is None:
        event = replace(event, contributions=_contributions(event, week, subjects, t))
    return event


def _rest_is_unusual(head: Event, days: list[Event], t: Thresholds) -> bool:
    n = (head.n or 0) - sum(day.n or 0 for day in days)
    k = (head.k or 0) - sum(day.k or 0 for day in days)
    return n <= 0 or _passes(k, n, head.expected or 0.0, t)


def _contributions(
    event: Event, week: WeekNumbers, subjects: Mapping[Dimension, Rate], t: Thresholds
) -> tuple[Contribution, ...]:
    """The values whose failures beyond expectation make up much of all of them."""
    n_all, k_all = event.n or 0, event.k or 0
    excess = k_all - n_all * (event.expected or 0.0)
    found = []
    for dimension, rate in subjects.items():
        if dimension is None:
            continue
        days = [n for d, n in _days(week, dimension).items() if event.date in {None, d}]
        n = sum(each.completed + each.failed for each in days)
        k = sum(each.failed for each in days)
        share = (k - n * rate.mean) / excess if excess > 0 else 0.0
        if share >= t.contribution:
            found.append(Contribution(*dimension, share, n / n_all))
    found.sort(key=lambda c: (c.usual_share - c.share, c.name, c.value))
    return tuple(found)


def _with_status(event: Event, past: Past, t: Thresholds) -> Event:
    before = past.last_flags.get(event.subject)
    if before is None:
        return event
    lasted = before.weeks + 1 >= t.rate_level_weeks and event.scope == "week"
    return event.with_status("new_level" if lasted else "ongoing")
