"""Credits that rose or fell although requests did not: what a generation costs on average.

Credits follow requests, so `counts` sees them change only as far as demand is steady. The average
price is steadier than demand: it moves with the mix of sizes, and with a change in the catalogue.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from imagegen.report import severity
from imagegen.report.baseline import MAD_TO_SIGMA, TAILS, quantile
from imagegen.report.distributions import benjamini_hochberg, student_above
from imagegen.report.event import Direction, Event
from imagegen.report.numbers import Numbers, WeekNumbers
from imagegen.report.past import Past, summed
from imagegen.report.thresholds import Thresholds

FREEDOM = 10  # of Student's t: mixes of sizes have somewhat heavy tails
DAYS_IN_A_WEEK = 3  # independent ones: a mix drifts
TESTS = 2 * 8
WAYS: tuple[Direction, ...] = ("up", "down")


@dataclass(frozen=True)
class Price:
    """Credits per request, and the relative scatter of a single request's price."""

    mean: float
    scatter: float
    usual_requests: float  # of a day; more of them do not make the mean any steadier
    history_days: int

    def sigma(self, requests: float, days: int) -> float:
        """Relative standard deviation of the average price of a day's, or a week's, requests."""
        worth = 1 if days == 1 else DAYS_IN_A_WEEK
        return self.scatter / math.sqrt(min(requests, self.usual_requests * worth))


@dataclass
class Priced:
    """What the price rule found."""

    events: list[Event] = field(default_factory=list)
    tests: int = 0


def find(week: WeekNumbers, past: Past, t: Thresholds) -> Priced:
    """Days, or the week, whose requests cost far more or less than usual."""
    price = _price(past, t)
    if price is None:
        return Priced()
    total = summed(week.daily.values())
    periods: list[tuple[str | None, Numbers]] = [*sorted(week.daily.items()), (None, total)]
    suspects = [
        _event(week, day, numbers, way, price)
        for day, numbers in periods
        for way in WAYS
        if _passes(numbers, price, way, 1 if day else 7, t)
    ]
    cut = benjamini_hochberg([e.p_value or 0.0 for e in suspects], t.count_fdr, TESTS)
    kept = [e for e in suspects if (e.p_value or 0.0) <= cut]
    events = []
    for way in WAYS:
        flagged = [e for e in kept if e.direction == way]
        if flagged:
            events.append(_story(flagged, week, price, t))
    return Priced(events, TESTS)


def _price(past: Past, t: Thresholds) -> Price | None:
    """The newest unmasked days' average price; the scatter is robust, from all of them."""
    start = past.levels.get(("credits", None), "")
    known = {day: n for each in past.weeks for day, n in each.daily.items()}
    days = [
        known[day]
        for day in past.days
        if known[day].requests and day >= start and not past.is_masked("credits", None, day)
    ]
    if len(days) < (7 if start else t.min_history_days):
        return None
    newest = summed(days[-t.level_days :])
    mean = newest.credits_charged / newest.requests
    if mean <= 0:
        return None
    usual = median(n.requests for n in days)
    errors = sorted(
        abs(n.credits_charged / n.requests / mean - 1) * math.sqrt(min(n.requests, usual))
        for n in days
    )
    (share, z), *_ = TAILS
    sigma = max(MAD_TO_SIGMA * median(errors), quantile(errors, share) / z)
    inflation = math.sqrt(len(days) / (len(days) - 2))
    return Price(mean, max(0.05, sigma * inflation), usual, len(days))


def _passes(numbers: Numbers, price: Price, way: str, days: int, t: Thresholds) -> bool:
    if numbers.requests == 0:
        return False
    ratio = numbers.credits_charged / (price.mean * numbers.requests)
    excess = numbers.credits_charged / price.mean - numbers.requests
    if way == "up":
        return ratio >= (t.day_up_ratio if days == 1 else t.week_up_ratio) and (
            excess >= t.up_excess
        )
    return (
        ratio <= (t.day_down_ratio if days == 1 else t.week_down_ratio)
        and numbers.requests >= t.down_expected
    )


def _event(
    week: WeekNumbers, day: str | None, numbers: Numbers, way: Direction, price: Price
) -> Event:
    expected = price.mean * numbers.requests
    sigma = price.sigma(numbers.requests, 1 if day else 7)
    score = (numbers.credits_charged / expected - 1) / sigma
    return Event(
        week=week.week,
        metric="credits",
        scope="day" if day else "week",
        date=day,
        direction=way,
        actual=numbers.credits_charged,
        expected=expected,
        range=(max(0.0, expected * (1 - 1.96 * sigma)), expected * (1 + 1.96 * sigma)),
        p_value=student_above(abs(score), FREEDOM),
        n=numbers.requests,
        history_days=price.history_days,
        method="credits_per_request",
    )


def _story(flagged: Sequence[Event], week: WeekNumbers, price: Price, t: Thresholds) -> Event:
    """One event: the week's when the week stays unusual without its flagged days."""
    days = tuple(event for event in flagged if event.scope == "day")
    head = flagged[-1]  # the week, if it is flagged
    rest = summed(week.daily[day] for day in week.daily.keys() - {event.date for event in days})
    if head.scope == "day" or (days and not _passes(rest, price, head.direction, 7, t)):
        head = min(days, key=lambda event: event.p_value or 0.0)
    grade = severity.gravest(severity.of_count(each, price.mean) for each in [head, *days])
    return replace(head, days=days, severity=grade)
