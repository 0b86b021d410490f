"""Counts that are too high or too low: requests, credits and new users, by day and by week.

Every count is compared with a negative binomial around its expectation (`baseline`); what
Benjamini–Hochberg keeps has to pass plain gates as well, so that a report names only changes an
operator would act on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from imagegen.report import severity
from imagegen.report.baseline import Baseline, Day, baseline
from imagegen.report.distributions import (
    benjamini_hochberg,
    negative_binomial_above,
    negative_binomial_below,
    negative_binomial_range,
    poisson_interval,
)
from imagegen.report.event import Contribution, Direction, Event
from imagegen.report.metrics import Numbers, WeekNumbers
from imagegen.report.past import Past, summed
from imagegen.report.thresholds import Thresholds

DIRECTIONS: tuple[Direction, ...] = ("up", "down")


@dataclass(frozen=True)
class Series:
    """One metric, in units of about one request: `unit` credits are worth one."""

    metric: str
    unit: float
    actual: Mapping[str, float]  # this week's days
    expected: Baseline


@dataclass
class Counted:
    """What the count rules found; `bands`: metric -> day -> expected, low, high."""

    events: list[Event] = field(default_factory=list)
    bands: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    tests: int = 0


def find(week: WeekNumbers, past: Past, t: Thresholds) -> Counted:
    """Unusual days and weeks, one event per metric and direction."""
    every = [each for each in _series(week, past, t) if each]
    counted = Counted(bands={each.metric: _band(each) for each in every})
    counted.tests = 2 * sum(len(each.actual) + 1 for each in every)
    suspects = [
        event for each in every for way in DIRECTIONS for event in _suspects(week, each, way, t)
    ]
    cut = benjamini_hochberg(
        [event.p_value or 0.0 for event in suspects], t.count_fdr, max(1, counted.tests)
    )
    kept = [event for event in suspects if (event.p_value or 0.0) <= cut]
    for each in every:
        for way in DIRECTIONS:
            flagged = [e for e in kept if e.metric == each.metric and e.direction == way]
            if flagged:
                event = _story(flagged, each, t)
                counted.events.append(_explained(event, week, past, t))
    counted.events = _merged([_with_status(event, past) for event in counted.events], t)
    return counted


def _series(week: WeekNumbers, past: Past, t: Thresholds) -> list[Series | None]:
    """The three metrics, each with the expectations its history supports."""
    known = {day: n for each in past.weeks for day, n in each.daily.items()}
    total = summed(known.values())
    price = total.credits_charged / total.requests if total.credits_charged else 1.0
    new_users = {day: n for each in past.weeks for day, n in each.new_users.items()}

    def series(metric: str, unit: float, count: Callable[[str], float]) -> Series | None:
        days = [Day(day, count(day) / unit, past.is_masked(metric, None, day)) for day in past.days]
        expected = baseline(days, past.levels.get((metric, None)), t)
        actual = {day: count(day) / unit for day in sorted(week.daily)}
        return Series(metric, unit, actual, expected) if expected else None

    known |= week.daily
    new_users |= week.new_users
    return [
        series("requests", 1.0, lambda day: known[day].requests),
        series("credits", price, lambda day: known[day].credits_charged),
        series("newUsers", 1.0, lambda day: new_users.get(day, 0)),
    ]


def _suspects(week: WeekNumbers, series: Series, way: Direction, t: Thresholds) -> list[Event]:
    """The days and the week that pass the gates, with their p-values.

    A test that fails a gate could never be reported, so its p-value is left at 1.
    """
    base = series.expected
    suspects = []
    for day, count in series.actual.items():
        mean, past_ratios = base.day_mean(day), base.day_ratios
        if _passes(count, mean, past_ratios, way, t.day_up_ratio, t):
            suspects.append(_event(week, series, way, day, count, mean, base.day_dispersion))
    count, mean = sum(series.actual.values()), base.week_mean
    if _passes(count, mean, base.week_ratios, way, t.week_up_ratio, t):
        suspects.append(_event(week, series, way, None, count, mean, base.week_dispersion))
    return suspects


def _passes(
    count: float,
    mean: float,
    past_ratios: Sequence[float],
    way: Direction,
    up_ratio: float,
    t: Thresholds,
) -> bool:
    """Large enough to matter, and beyond the second most extreme ratio of the history."""
    ratio = count / mean
    if way == "up":
        seen = len(past_ratios) >= 2 and ratio <= past_ratios[-2]
        return ratio >= up_ratio and count - mean >= t.up_excess and not seen
    seen = len(past_ratios) >= 2 and ratio >= past_ratios[1]
    return ratio <= t.down_ratio and mean >= t.down_expected and not seen


def _event(
    week: WeekNumbers,
    series: Series,
    way: Direction,
    day: str | None,
    count: float,
    mean: float,
    dispersion: float,
) -> Event:
    tail = negative_binomial_above if way == "up" else negative_binomial_below
    unit = series.unit
    low, high = negative_binomial_range(mean, dispersion)
    sure_low, sure_high = poisson_interval(count)
    return Event(
        week=week.week,
        metric=series.metric,
        scope="day" if day else "week",
        date=day,
        direction=way,
        actual=round(count * unit),
        expected=mean * unit,
        range=(low * unit, high * unit),
        p_value=tail(count, mean, dispersion),
        ci95=(sure_low * unit, sure_high * unit),
        n=round(count * unit),
        history_days=series.expected.history_days,
        method="negative_binomial",
    )


def _story(flagged: list[Event], series: Series, t: Thresholds) -> Event:
    """One event of the flagged tests of a metric and direction.

    It is the week's when the week stays unusual without its flagged days; else it is the story of
    the most unlikely day.
    """
    days = sorted((e for e in flagged if e.scope == "day"), key=lambda e: e.date or "")
    head = next((e for e in flagged if e.scope == "week"), None)
    if head is None or (days and not _rest_is_unusual(head, days, series, t)):
        head = min(days, key=lambda e: (e.p_value or 0.0, e.date))
    grade = severity.gravest(severity.of_count(each, series.unit) for each in [head, *days])
    return replace(head, days=tuple(days), severity=grade)


def _rest_is_unusual(head: Event, days: list[Event], series: Series, t: Thresholds) -> bool:
    out = {day.date for day in days}
    rest = [day for day in series.actual if day not in out]
    actual = sum(series.actual[day] for day in rest)
    mean = sum(series.expected.day_mean(day) for day in rest)
    if not rest:
        return True
    limit = t.week_up_ratio if head.direction == "up" else t.down_ratio
    return actual >= limit * mean if head.direction == "up" else actual <= limit * mean


def _explained(event: Event, week: WeekNumbers, past: Past, t: Thresholds) -> Event:
    """The values that make up much of the change, the largest first."""
    if event.metric == "newUsers" or event.expected is None:
        return event
    change = event.actual - event.expected
    found = []
    known = {day for day in past.days if not past.is_masked(event.metric, None, day)}
    usual_total = sum(
        _amount(n, event) for w in past.weeks for d, n in w.daily.items() if d in known
    )
    for name, values in week.values.items():
        for value, days in values.items():
            now = sum(_amount(days[d], event) for d in days if event.date in {None, d})
            usual = sum(
                _amount(n, event)
                for w in past.weeks
                for d, n in w.values.get(name, {}).get(value, {}).items()
                if d in known
            )
            usual_share = usual / usual_total if usual_total else 0.0
            share = (now - event.expected * usual_share) / change if change else 0.0
            if share >= t.contribution:
                found.append(Contribution(name, value, share, usual_share))
    found.sort(key=lambda c: (c.usual_share - c.share, c.name, c.value))
    return replace(event, contributions=tuple(found))


def _amount(numbers: Numbers, event: Event) -> int:
    return numbers.credits_charged if event.metric == "credits" else numbers.requests


def _merged(events: list[Event], t: Thresholds) -> list[Event]:
    """A change of credits that is the change of requests becomes a part of it."""
    kept: list[Event] = []
    for event in events:
        for i, other in enumerate(kept):
            if _same_change(event, other, t):
                kept[i] = replace(other, merged=(*other.merged, event))
                break
        else:
            kept.append(event)
    return kept


def _same_change(event: Event, other: Event, t: Thresholds) -> bool:
    if event.metric != "credits" or other.metric != "requests":
        return False
    if event.direction != other.direction:
        return False
    ours, theirs = event.ratio or 0.0, other.ratio or 0.0
    return abs(ours - theirs) <= t.merge_tolerance * max(theirs, 0.2)


def _with_status(event: Event, past: Past) -> Event:
    """Lasting for the second week: a new level. Else ongoing when last week was flagged too."""
    before = past.last_flags.get(event.subject)
    if before is None or not (before.lasting or event.scope == "week"):
        return event
    both = before.lasting and event.scope == "week"
    return event.with_status("new_level" if both else "ongoing")


def _band(series: Series) -> dict[str, dict[str, float]]:
    """Expectation and 95 % range of every day of the week, in the metric's own unit."""
    band = {}
    for day in series.actual:
        mean = series.expected.day_mean(day)
        low, high = negative_binomial_range(mean, series.expected.day_dispersion)
        band[day] = {
            "expected": round(mean * series.unit, 1),
            "low": round(low * series.unit, 1),
            "high": round(high * series.unit, 1),
        }
    return band
