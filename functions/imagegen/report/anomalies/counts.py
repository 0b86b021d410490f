"""Counts that are too high or too low: requests, credits and new users, by day and by week.

Every count is compared with a negative binomial around its expectation (`baseline`). What
Benjamini–Hochberg keeps has to be large as well, so that a report names only changes that an
operator would act on. The p-values are weighted (Genovese, Roeder and Wasserman, Biometrika 93,
2006): what matters more is tested less strictly. Credits are counted in units of a usual request's
credits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from imagegen.report.anomalies import attribution, credits_per_request, severity
from imagegen.report.anomalies.anomaly import Anomaly, Direction, p_value
from imagegen.report.anomalies.baseline import Baseline, Day, baseline
from imagegen.report.anomalies.history import History, WeekNumbers, monday
from imagegen.report.anomalies.statistics import (
    benjamini_hochberg,
    nbinom_cdf,
    nbinom_interval,
    nbinom_sf,
    poisson_interval,
)
from imagegen.report.anomalies.thresholds import (
    CERTAIN_DOWN_RATIO,
    CERTAIN_UP_RATIO,
    COUNT_WEIGHTS,
    Thresholds,
)
from imagegen.report.numbers import summed
from imagegen.report.stored_model import Number, StoredModel

DIRECTIONS: tuple[Direction, ...] = ("up", "down")


@dataclass(frozen=True)
class Series:
    """One metric: `unit` credits are worth one request; `actual` is this week's, in units."""

    metric: str
    unit: float
    actual: Mapping[str, float]  # by ISO date
    expected: Baseline


@dataclass(frozen=True)
class Period:
    """A day, or (date None) the week, with what is expected of it and what is worth reporting."""

    date: str | None
    count: float
    mean: float
    dispersion: float
    past_ratios: tuple[float, ...]  # ascending
    up_ratio: float
    up_excess: float
    down_ratio: float


class Band(StoredModel):
    """What is expected of a day, and its 95 % range: charts draw it behind the actual numbers."""

    expected: Number = 0
    low: Number = 0
    high: Number = 0


@dataclass
class Counted:
    """What the rules of counts found."""

    anomalies: list[Anomaly] = field(default_factory=list)
    bands: dict[str, dict[str, Band]] = field(default_factory=dict)  # by metric and ISO date
    tests: int = 0


def find(week: WeekNumbers, history: History, t: Thresholds) -> Counted:
    """Unusual days and weeks, one anomaly per metric and direction."""
    every = _series(week, history, t)
    tests = 2 * sum(len(each.actual) + 1 for each in every)
    suspects = [anomaly for each in every for anomaly in _suspects(week, each, t)]
    cut = benjamini_hochberg([_weighted(each) for each in suspects], t.count_fdr, max(1, tests))
    anomalies = []
    for each in every:
        for way in DIRECTIONS:
            ours = [e for e in suspects if e.metric == each.metric and e.direction == way]
            flagged = [anomaly for anomaly in ours if _weighted(anomaly) <= cut]
            if flagged:
                anomalies.append(_combined(flagged, each, t))
    by_price = credits_per_request.find(week, history, t)
    more_certain = {anomaly.subject for anomaly in by_price.anomalies}
    anomalies = [anomaly for anomaly in anomalies if anomaly.subject not in more_certain]
    attributed = [
        attribution.with_count_contributions(anomaly, week, history, t)
        for anomaly in [*anomalies, *by_price.anomalies]
    ]
    dated = [_with_status(anomaly, history) for anomaly in attributed]
    bands = {each.metric: _band(each) for each in every}
    return Counted(attribution.merged(dated, t), bands, tests + by_price.tests)


def _series(week: WeekNumbers, history: History, t: Thresholds) -> list[Series]:
    """The metrics whose history supports an expectation."""
    known = {day: n for each in history.weeks for day, n in each.daily.items()}
    total = summed(known.values())
    price = total.credits_charged / total.requests if total.credits_charged else 1.0
    new_users = {day: n for each in [*history.weeks, week] for day, n in each.new_users.items()}
    known |= week.daily
    counts: dict[str, tuple[float, Callable[[str], float]]] = {
        "requests": (1.0, lambda day: known[day].requests),
        "credits": (price, lambda day: known[day].credits_charged),
        "newUsers": (1.0, lambda day: new_users.get(day, 0)),
    }
    every = []
    for metric, (unit, count) in counts.items():
        masked, once = history.masked.get((metric, None), ()), history.once.get((metric, None), ())
        days = [Day(day, count(day) / unit, day in masked, day in once) for day in history.days]
        expected = baseline(days, history.levels.get((metric, None)), t)
        if expected:
            actual = {day: count(day) / unit for day in sorted(week.daily)}
            every.append(Series(metric, unit, actual, expected))
    return every


def _suspects(week: WeekNumbers, series: Series, t: Thresholds) -> Iterator[Anomaly]:
    """The days and the week that are large enough to report, with their p-values.

    What is not large enough is never reported: its p-value counts as 1 and is not computed.
    """
    for period in _periods(series, t):
        for way in DIRECTIONS:
            if _passes(period, way, t):
                yield _anomaly(week, series, way, period)


def _periods(series: Series, t: Thresholds) -> Iterator[Period]:
    base = series.expected
    up_excess = t.new_users_excess if series.metric == "newUsers" else t.up_excess
    for day, count in series.actual.items():
        yield Period(
            date=day,
            count=count,
            mean=base.day_mean(day),
            dispersion=base.day_dispersion,
            past_ratios=base.day_ratios,
            up_ratio=t.day_up_ratio,
            up_excess=up_excess,
            down_ratio=t.day_down_ratio,
        )
    yield Period(
        date=None,
        count=sum(series.actual.values()),
        mean=base.week_mean,
        dispersion=base.week_dispersion,
        past_ratios=base.week_ratios,
        up_ratio=t.week_up_ratio,
        up_excess=up_excess,
        down_ratio=t.week_down_ratio,
    )


def _passes(period: Period, way: Direction, t: Thresholds) -> bool:
    """Large enough to matter, and beyond the second most extreme ratio of the history."""
    ratio, past = period.count / period.mean, period.past_ratios
    if way == "up":
        seen = len(past) >= 2 and ratio <= min(CERTAIN_UP_RATIO, past[-2])
        return (
            ratio >= period.up_ratio and period.count - period.mean >= period.up_excess and not seen
        )
    seen = len(past) >= 2 and ratio >= max(CERTAIN_DOWN_RATIO, past[1])
    return ratio <= period.down_ratio and period.mean >= t.down_expected and not seen


def _weighted(anomaly: Anomaly) -> float:
    weight = COUNT_WEIGHTS.get((anomaly.metric, anomaly.scope, anomaly.direction), 1.0)
    return p_value(anomaly) / weight


def _anomaly(week: WeekNumbers, series: Series, way: Direction, period: Period) -> Anomaly:
    unit, count = series.unit, period.count
    if way == "up":  # P(Y ≥ count)
        probability = nbinom_sf(count - 1, period.mean, period.dispersion)
    else:
        probability = nbinom_cdf(count, period.mean, period.dispersion)
    return Anomaly(
        week=week.week,
        metric=series.metric,
        scope="day" if period.date else "week",
        date=period.date,
        direction=way,
        actual=round(count * unit),
        expected=period.mean * unit,
        range=_scaled(nbinom_interval(period.mean, period.dispersion), unit),
        p_value=probability,
        ci95=_scaled(poisson_interval(count), unit),
        n=round(count * unit),
        history_days=series.expected.history_days,
        method="negative_binomial",
    )


def _combined(flagged: Sequence[Anomaly], series: Series, t: Thresholds) -> Anomaly:
    """One anomaly of the flagged tests of a metric and direction.

    It is the week's if the week is unusual without its flagged days, too; else that of the most
    unlikely day.
    """
    days = tuple(anomaly for anomaly in flagged if anomaly.scope == "day")
    head = flagged[-1]  # the week, if it is flagged: `_periods` names it last
    if head.scope == "day" or (days and not _rest_is_unusual(head, days, series, t)):
        head = min(days, key=p_value)
    grade = severity.gravest(severity.of_count(each, series.unit) for each in [head, *days])
    return replace(head, days=days, severity=grade)


def _rest_is_unusual(head: Anomaly, days: Sequence[Anomaly], series: Series, t: Thresholds) -> bool:
    rest = series.actual.keys() - {day.date for day in days}
    actual = sum(series.actual[day] for day in sorted(rest))
    mean = sum(series.expected.day_mean(day) for day in sorted(rest))
    if head.direction == "up":
        return not rest or actual >= t.week_up_ratio * mean
    return not rest or actual <= t.week_down_ratio * mean


def _with_status(anomaly: Anomaly, history: History) -> Anomaly:
    """A second week of a lasting change is a new level; one from Sunday to Monday is ongoing."""
    before = history.last_flags.get(anomaly.subject)
    if before is None:
        return anomaly
    if before.lasting and anomaly.scope == "week":
        return replace(anomaly, status="new_level")
    start = monday(anomaly.week)
    reached_sunday = str(start - timedelta(days=1)) in before.days
    from_monday = anomaly.scope == "week" or any(day.date == str(start) for day in anomaly.days)
    return replace(anomaly, status="ongoing" if reached_sunday and from_monday else "new")


def _band(series: Series) -> dict[str, Band]:
    """For every day of the week, in the metric's own unit."""
    band = {}
    for day in series.actual:
        mean = series.expected.day_mean(day)
        low, high = nbinom_interval(mean, series.expected.day_dispersion)
        edges = [round(value * series.unit, 1) for value in (mean, low, high)]
        band[day] = Band(expected=edges[0], low=edges[1], high=edges[2])
    return band


def _scaled(interval: tuple[float, float], unit: float) -> tuple[float, float]:
    return (interval[0] * unit, interval[1] * unit)
