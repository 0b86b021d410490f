"""What share of requests is expected to fail: a beta distribution from the unmasked history.

A rate varies from day to day by more than chance. How much more is measured as Laney's p' chart
does: σ_z, the sigma of the daily z-values, from their mean moving range.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from imagegen.report.anomalies.anomaly import Dimension
from imagegen.report.anomalies.history import History, WeekNumbers
from imagegen.report.anomalies.statistics import MOVING_RANGE_TO_SIGMA
from imagegen.report.anomalies.thresholds import (
    MAX_RATE,
    MAX_RATE_DISPERSION,
    MIN_RATE,
    RATE_MIN_DAYS,
    RATE_RANGES_DROPPED,
    RATE_SIGMA_FACTOR,
    UNKNOWN_RATE_DISPERSION,
    WEEK_SHARE_OF_DISPERSION,
    Thresholds,
)
from imagegen.report.numbers import Numbers


@dataclass(frozen=True)
class Rate:
    """An expected failure rate and its certainty: Beta(mean·size, (1 - mean)·size)."""

    mean: float
    day_size: float
    week_size: float
    history_days: int


def overall_rate(history: History, t: Thresholds) -> Rate | None:
    """Of all requests; None when none of the history has ended."""
    days = _days(None, history)
    n = sum(n for n, _ in days)
    return _rate(days, sum(k for _, k in days) / n, t) if n else None


def value_rate(dimension: Dimension | None, overall: Rate, history: History, t: Thresholds) -> Rate:
    """Of one value's requests, starting from `rate_prior` requests at the overall rate."""
    return _rate(_days(dimension, history), overall.mean, t)


def days_of(week: WeekNumbers, dimension: Dimension | None) -> Mapping[str, Numbers]:
    """The numbers by ISO date of everything, or of one value."""
    if dimension is None:
        return week.daily
    return week.values.get(dimension[0], {}).get(dimension[1], {})


def _days(dimension: Dimension | None, history: History) -> list[tuple[int, int]]:
    """(ended, failed) of every unmasked day on which requests ended, from the last new level on."""
    subjects = [("failureRate", None), ("failureRate", dimension)]
    start = max(history.levels.get(each, "") for each in subjects)
    masked = set().union(*(history.masked.get(each, set()) for each in subjects))
    return [
        (n.completed + n.failed, n.failed)
        for week in history.weeks
        for day, n in sorted(days_of(week, dimension).items())
        if n.completed + n.failed and day >= start and day not in masked
    ]


def _rate(days: Sequence[tuple[int, int]], prior: float, t: Thresholds) -> Rate:
    weight = sum(n for n, _ in days) + t.rate_prior
    mean = (sum(k for _, k in days) + t.rate_prior * prior) / weight
    mean = min(MAX_RATE, max(MIN_RATE, mean))
    rho = _dispersion(days, mean, t)
    return Rate(
        mean=mean,
        day_size=1 / (1 / weight + rho),
        week_size=1 / (1 / weight + WEEK_SHARE_OF_DISPERSION * rho),
        history_days=len(days),
    )


def _dispersion(days: Sequence[tuple[int, int]], mean: float, t: Thresholds) -> float:
    """ρ = (σ_z² - 1)/(n̄ - 1), the correlation within a day; the largest 5 % of ranges dropped."""
    used = [(n, k) for n, k in days if n > 1]
    if len(used) < RATE_MIN_DAYS:
        return max(UNKNOWN_RATE_DISPERSION, t.min_rate_dispersion)
    scores = [(k / n - mean) / math.sqrt(mean * (1 - mean) / n) for n, k in used]
    ranges = sorted(abs(a - b) for a, b in pairwise(scores))
    kept = ranges[: len(ranges) - math.ceil(len(ranges) / RATE_RANGES_DROPPED)]
    sigma = RATE_SIGMA_FACTOR * fmean(kept) / MOVING_RANGE_TO_SIGMA
    mean_n = fmean(n for n, _ in used)
    return min(MAX_RATE_DISPERSION, max(t.min_rate_dispersion, (sigma**2 - 1) / (mean_n - 1)))
