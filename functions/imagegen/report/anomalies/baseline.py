"""What a daily count is expected to be: a level, a factor for each weekday, and a dispersion.

All of them are robust: a few extreme days hardly move them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import fmean, median

from imagegen.report.anomalies.statistics import MAD_TO_SIGMA, TAILS, quantile
from imagegen.report.anomalies.thresholds import (
    BASELINE_PARAMETERS,
    MIN_LEVEL_DAYS,
    MIN_MEAN,
    TRIMMED_FROM_EACH_END,
    WEEK_DISPERSION_MIN_WEEKS,
    WEEKDAY_MIN_DAYS,
    WEEKDAY_PRIOR,
    Thresholds,
)


@dataclass(frozen=True)
class Day:
    """One day of history; a masked day is left out of all expectations."""

    date: str
    count: float
    masked: bool = False
    once: bool = False  # masked as a single day, not as a part of a lasting change


@dataclass(frozen=True)
class Baseline:
    """Expectations for the week after the history they were made of.

    Counts are negative binomial: variance = mean + dispersion·mean².
    """

    level: float  # of an average weekday
    factors: tuple[float, ...]  # Monday first, mean 1
    day_dispersion: float
    week_dispersion: float
    # Past actual / expected, ascending; single flagged days are among them, so that what happens
    # again and again is not reported each time.
    day_ratios: tuple[float, ...]
    week_ratios: tuple[float, ...]
    history_days: int

    def day_mean(self, day: str) -> float:
        return max(MIN_MEAN, self.level * self.factors[date.fromisoformat(day).weekday()])

    @property
    def week_mean(self) -> float:
        return max(MIN_MEAN, self.level * 7)


def baseline(days: Sequence[Day], level_from: str | None, t: Thresholds) -> Baseline | None:
    """The expectations that `days` (oldest first) support; None with too little history.

    Where a new level began on `level_from`, only the days since then make the level. The days
    before it still tell about weekdays and dispersion, measured against their own level.
    """
    kept = [day for day in days if not day.masked]
    if len(kept) < t.min_history_days:
        return None
    factors = _weekday_factors(kept)
    parts = _parts(kept, level_from)
    levels = [_level(part, factors, t) for part in parts]
    if not levels or levels[-1] <= 0:
        return None
    ratios = {
        day.date: day.count / (level * _factor(day, factors))
        for part, level in zip(parts, levels, strict=True)
        for day in part
        if level > 0
    }
    level, n = levels[-1], len(ratios)
    once = [day.count / (level * _factor(day, factors)) for day in days if day.once]
    day_dispersion = min(t.max_dispersion, max(t.min_dispersion, _excess(ratios, level)))
    weeks = _week_ratios(ratios, factors)
    return Baseline(
        level=level,
        factors=factors,
        day_dispersion=day_dispersion,
        week_dispersion=_week_dispersion(weeks, level, day_dispersion, t),
        day_ratios=tuple(sorted([*ratios.values(), *once])),
        week_ratios=tuple(sorted(weeks)),
        history_days=n,
    )


def _weekday_factors(days: Sequence[Day]) -> tuple[float, ...]:
    """(n·m + 2)/(n + 2) for each weekday, m its mean ratio to the mean of its week, normalised.

    A week's mean is that of its unmasked days, corrected for the weekdays that are missing.
    """
    factors: tuple[float, ...] = (1.0,) * 7
    for _ in range(2):
        ratios: list[list[float]] = [[] for _ in range(7)]
        for week in _by_week(days).values():
            usual = sum(day.count for day in week) / sum(_factor(day, factors) for day in week)
            if len(week) >= WEEKDAY_MIN_DAYS and usual > 0:
                for day in week:
                    ratios[_weekday(day)].append(day.count / usual)
        shrunk = [_shrunk_mean(sorted(each)) for each in ratios]
        factors = tuple(each * 7 / sum(shrunk) for each in shrunk)
    return factors


def _shrunk_mean(ratios: list[float]) -> float:
    n = len(ratios)
    kept = ratios[1:-1] if n >= 5 else ratios
    return (n * (fmean(kept) if kept else 1.0) + WEEKDAY_PRIOR) / (n + WEEKDAY_PRIOR)


def _parts(days: Sequence[Day], level_from: str | None) -> list[list[Day]]:
    """The days before a new level and those since; a part that is too short is left out."""
    since = [day for day in days if level_from and day.date >= level_from]
    before = [day for day in days if not level_from or day.date < level_from]
    return [part for part in (before, since) if len(part) >= MIN_LEVEL_DAYS]


def _level(days: Sequence[Day], factors: tuple[float, ...], t: Thresholds) -> float:
    """The 10 %-trimmed mean of count/factor over the newest days."""
    adjusted = sorted(day.count / _factor(day, factors) for day in days[-t.level_days :])
    cut = len(adjusted) // TRIMMED_FROM_EACH_END
    return fmean(adjusted[cut : len(adjusted) - cut])


def _excess(ratios: dict[str, float], level: float) -> float:
    """σ²·n/(n - 8) - 1/level: the scatter beyond Poisson's, for 8 fitted parameters.

    σ is the largest of the MAD's and two percentiles', so that outliers cannot inflate it much and
    a heavy tail cannot hide.
    """
    errors = sorted(abs(ratio - 1) for ratio in ratios.values())
    n = len(errors)
    sigma = max(MAD_TO_SIGMA * median(errors), *(quantile(errors, q) / z for q, z in TAILS))
    return sigma * sigma * n / (n - BASELINE_PARAMETERS) - 1 / level


def _week_ratios(ratios: dict[str, float], factors: tuple[float, ...]) -> list[float]:
    """Actual / expected of every past week that has all its days."""
    days = [Day(day, ratio) for day, ratio in ratios.items()]
    return [
        sum(day.count * _factor(day, factors) for day in week) / 7
        for week in _by_week(days).values()
        if len(week) == 7
    ]


def _week_dispersion(weeks: list[float], level: float, day: float, t: Thresholds) -> float:
    """Whole weeks scatter more than seven independent days would: demand drifts."""
    least = max(t.min_dispersion, day / 7)
    middle = median(weeks) if len(weeks) >= WEEK_DISPERSION_MIN_WEEKS else 0.0
    if middle == 0:  # too few weeks, or most of them without any count
        return least
    spread = MAD_TO_SIGMA * median(abs(each - middle) for each in weeks) / middle
    n = len(weeks)
    return min(t.max_dispersion, max(least, spread**2 * n / (n - 2) - 1 / (7 * level * middle)))


def _by_week(days: Sequence[Day]) -> dict[tuple[int, int], list[Day]]:
    weeks: dict[tuple[int, int], list[Day]] = {}
    for day in days:
        weeks.setdefault(date.fromisoformat(day.date).isocalendar()[:2], []).append(day)
    return weeks


def _weekday(day: Day) -> int:
    return date.fromisoformat(day.date).weekday()


def _factor(day: Day, factors: tuple[float, ...]) -> float:
    return factors[_weekday(day)]
