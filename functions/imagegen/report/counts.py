"""Counts that are too high or too low: requests, credits and new users, by day and by week.

Every count is compared with a negative binomial around its expectation (`baseline`); what
Benjamini–Hochberg keeps has to pass plain gates as well, so that a report names only changes an
operator would act on. Credits are counted in units of a usual request's credits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from imagegen.report import explaining, prices, severity
from imagegen.report.baseline import Baseline, Day, baseline
from imagegen.report.distributions import (
    benjamini_hochberg,
    negative_binomial_above,
    negative_binomial_below,
    negative_binomial_range,
    poisson_interval,
)
from imagegen.report.event import Direction, Event
from imagegen.report.numbers import WeekNumbers
from imagegen.report.past import Past, monday, summed
from imagegen.report.thresholds import Thresholds

DIRECTIONS: tuple[Direction, ...] = ("up", "down")
SURE_UP, SURE_DOWN = 3.0, 0.3  # ratios so extreme that no precedent excuses them


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
    down_ratio: float


@dataclass
class Counted:
    """What the count rules found; `bands`: metric -> day -> expected, low, high."""

    events: list[Event] = field(default_factory=list)
    bands: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    tests: int = 0


def find(week: WeekNumbers, past: Past, t: Thresholds) -> Counted:
    """Unusual days and weeks, one event per metric and direction."""
    every = _series(week, past, t)
    tests = 2 * sum(len(each.actual) + 1 for each in every)
    suspects = [event for each in every for event in _suspects(week, each, t)]
    cut = benjamini_hochberg([_p(event) for event in suspects], t.count_fdr, max(1, tests))
    events = []
    for each in every:
        for way in DIRECTIONS:
            ours = [e for e in suspects if e.metric == each.metric and e.direction == way]
            flagged = [event for event in ours if _p(event) <= cut]
            if flagged:
                events.append(_story(flagged, each, t))
    priced = prices.find(week, past, t)
    surer = {event.subject for event in priced.events}
    events = [event for event in events if event.subject not in surer] + priced.events
    explained = [explaining.with_contributions(event, week, past, t) for event in events]
    dated = [_with_status(event, past) for event in explained]
    bands = {each.metric: _band(each) for each in every}
    return Counted(explaining.merged(dated, t), bands, tests + priced.tests)


def _series(week: WeekNumbers, past: Past, t: Thresholds) -> list[Series]:
    """The metrics whose history supports an expectation."""
    known = {day: n for each in past.weeks for day, n in each.daily.items()}
    total = summed(known.values())
    price = total.credits_charged / total.requests if total.credits_charged else 1.0
    new_users = {day: n for each in [*past.weeks, week] for day, n in each.new_users.items()}
    known |= week.daily
    counts: dict[str, tuple[float, Callable[[str], float]]] = {
        "requests": (1.0, lambda day: known[day].requests),
        "credits": (price, lambda day: known[day].credits_charged),
        "newUsers": (1.0, lambda day: new_users.get(day, 0)),
    }
    every = []
    for metric, (unit, count) in counts.items():
        masked, once = past.masked.get((metric, None), ()), past.once.get((metric, None), ())
        days = [Day(day, count(day) / unit, day in masked, day in once) for day in past.days]
        expected = baseline(days, past.levels.get((metric, None)), t)
        if expected:
            actual = {day: count(day) / unit for day in sorted(week.daily)}
            every.append(Series(metric, unit, actual, expected))
    return every


def _suspects(week: WeekNumbers, series: Series, t: Thresholds) -> Iterator[Event]:
    """The days and the week that pass the gates, with their p-values.

    A test that fails a gate is never reported: its p-value counts as 1 and is not computed.
    """
    for period in _periods(series, t):
        for way in DIRECTIONS:
            if _passes(period, way, t):
                yield _event(week, series, way, period)


def _periods(series: Series, t: Thresholds) -> Iterator[Period]:
    base = series.expected
    for day, count in series.actual.items():
        yield Period(
            date=day,
            count=count,
            mean=base.day_mean(day),
            dispersion=base.day_dispersion,
            past_ratios=base.day_ratios,
            up_ratio=t.day_up_ratio,
            down_ratio=t.day_down_ratio,
        )
    yield Period(
        date=None,
        count=sum(series.actual.values()),
        mean=base.week_mean,
        dispersion=base.week_dispersion,
        past_ratios=base.week_ratios,
        up_ratio=t.week_up_ratio,
        down_ratio=t.week_down_ratio,
    )


def _passes(period: Period, way: Direction, t: Thresholds) -> bool:
    """Large enough to matter, and beyond the second most extreme ratio of the history."""
    ratio, past = period.count / period.mean, period.past_ratios
    if way == "up":
        seen = len(past) >= 2 and ratio <= min(SURE_UP, past[-2])
        return ratio >= period.up_ratio and period.count - period.mean >= t.up_excess and not seen
    seen = len(past) >= 2 and ratio >= max(SURE_DOWN, past[1])
    return ratio <= period.down_ratio and period.mean >= t.down_expected and not seen


def _event(week: WeekNumbers, series: Series, way: Direction, period: Period) -> Event:
    tail = negative_binomial_above if way == "up" else negative_binomial_below
    unit = series.unit
    return Event(
        week=week.week,
        metric=series.metric,
        scope="day" if period.date else "week",
        date=period.date,
        direction=way,
        actual=round(period.count * unit),
        expected=period.mean * unit,
        range=_scaled(negative_binomial_range(period.mean, period.dispersion), unit),
        p_value=tail(period.count, period.mean, period.dispersion),
        ci95=_scaled(poisson_interval(period.count), unit),
        n=round(period.count * unit),
        history_days=series.expected.history_days,
        method="negative_binomial",
    )


def _story(flagged: Sequence[Event], series: Series, t: Thresholds) -> Event:
    """One event of the flagged tests of a metric and direction.

    It is the week's when the week stays unusual without its flagged days; else it is the story of
    the most unlikely day.
    """
    days = tuple(event for event in flagged if event.scope == "day")
    head = flagged[-1]  # the week, if it is flagged: `_periods` names it last
    if head.scope == "day" or (days and not _rest_is_unusual(head, days, series, t)):
        head = min(days, key=_p)
    grade = severity.gravest(severity.of_count(each, series.unit) for each in [head, *days])
    return replace(head, days=days, severity=grade)


def _rest_is_unusual(head: Event, days: Sequence[Event], series: Series, t: Thresholds) -> bool:
    rest = series.actual.keys() - {day.date for day in days}
    actual = sum(series.actual[day] for day in sorted(rest))
    mean = sum(series.expected.day_mean(day) for day in sorted(rest))
    if head.direction == "up":
        return not rest or actual >= t.week_up_ratio * mean
    return not rest or actual <= t.week_down_ratio * mean


def _with_status(event: Event, past: Past) -> Event:
    """A week after a lasting change is a new level; what goes on from Sunday to Monday, ongoing."""
    before = past.last_flags.get(event.subject)
    if before is None:
        return event
    if before.lasting and event.scope == "week":
        return replace(event, status="new_level")
    start = monday(event.week)
    reached_sunday = str(start - timedelta(days=1)) in before.days
    from_monday = event.scope == "week" or any(day.date == str(start) for day in event.days)
    return replace(event, status="ongoing" if reached_sunday and from_monday else "new")


def _band(series: Series) -> dict[str, dict[str, float]]:
    """Expectation and 95 % range of every day of the week, in the metric's own unit."""
    band = {}
    for day in series.actual:
        mean = series.expected.day_mean(day)
        low, high = negative_binomial_range(mean, series.expected.day_dispersion)
        edges = {"expected": mean, "low": low, "high": high}
        band[day] = {name: round(value * series.unit, 1) for name, value in edges.items()}
    return band


def _scaled(interval: tuple[float, float], unit: float) -> tuple[float, float]:
    return (interval[0] * unit, interval[1] * unit)


def _p(event: Event) -> float:
    return 1.0 if event.p_value is None else event.p_value
