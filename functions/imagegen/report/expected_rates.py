"""What share of requests should fail: a beta distribution from a subject's unmasked history.

A rate wanders from day to day, more than chance alone would have it. How much is measured as
Laney's p' chart does: σ_z, the sigma of the daily z-values by their mean moving range.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from imagegen.report.numbers import Numbers, WeekNumbers
from imagegen.report.past import Past
from imagegen.report.thresholds import Thresholds

Dimension = tuple[str, str] | None  # None: overall
SIGMA_SLACK = 1.1
MOVING_RANGE_TO_SIGMA = 1.128  # the mean range of two normal values, in σ
MIN_DAYS = 8  # that a moving range is trusted with
UNKNOWN_DISPERSION = 0.01  # with fewer: cautious
WEEK_SHARE_OF_DISPERSION = 0.25  # days are partly independent of each other


@dataclass(frozen=True)
class Rate:
    """A failure rate to expect, and how firmly: Beta(mean·size, (1 - mean)·size)."""

    mean: float
    day_size: float
    week_size: float
    history_days: int


def overall_rate(past: Past, t: Thresholds) -> Rate | None:
    """Of all requests; None while none has ended."""
    days = _history(None, past)
    n = sum(n for n, _ in days)
    return _rate(days, sum(k for _, k in days) / n, t) if n else None


def value_rate(dimension: Dimension, overall: Rate, past: Past, t: Thresholds) -> Rate:
    """Of one value's requests, drawn towards the overall rate by `rate_prior` requests."""
    return _rate(_history(dimension, past), overall.mean, t)


def days_of(week: WeekNumbers, dimension: Dimension) -> Mapping[str, Numbers]:
    """The numbers by ISO date of everything, or of one value."""
    if dimension is None:
        return week.daily
    return week.values.get(dimension[0], {}).get(dimension[1], {})


def _history(dimension: Dimension, past: Past) -> list[tuple[int, int]]:
    """(ended, failed) of every unmasked day with any; a new level starts it anew."""
    subjects = [("failureRate", None), ("failureRate", dimension)]
    start = max(past.levels.get(each, "") for each in subjects)
    masked = set().union(*(past.masked.get(each, set()) for each in subjects))
    return [
        (n.completed + n.failed, n.failed)
        for week in past.weeks
        for day, n in sorted(days_of(week, dimension).items())
        if n.completed + n.failed and day >= start and day not in masked
    ]


def _rate(days: Sequence[tuple[int, int]], prior: float, t: Thresholds) -> Rate:
    weight = sum(n for n, _ in days) + t.rate_prior
    mean = (sum(k for _, k in days) + t.rate_prior * prior) / weight
    mean = min(0.99, max(0.001, mean))
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
    if len(used) < MIN_DAYS:
        return max(UNKNOWN_DISPERSION, t.min_rate_dispersion)
    scores = [(k / n - mean) / math.sqrt(mean * (1 - mean) / n) for n, k in used]
    ranges = sorted(abs(a - b) for a, b in pairwise(scores))
    kept = ranges[: len(ranges) - math.ceil(len(ranges) / 20)]
    sigma = SIGMA_SLACK * fmean(kept) / MOVING_RANGE_TO_SIGMA
    mean_n = fmean(n for n, _ in used)
    return min(0.5, max(t.min_rate_dispersion, (sigma**2 - 1) / (mean_n - 1)))
