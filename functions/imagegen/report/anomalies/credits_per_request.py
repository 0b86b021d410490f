"""Credits that rose or fell although requests did not: what a request costs on average.

Credits follow requests, so `counts` sees them change only as far as demand is steady. The average
price is steadier than demand: it changes with the mix of sizes and with the catalogue.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from imagegen.report.anomalies import severity
from imagegen.report.anomalies.anomaly import Anomaly, Direction, p_value
from imagegen.report.anomalies.history import History, WeekNumbers
from imagegen.report.anomalies.statistics import (
    MAD_TO_SIGMA,
    TAILS,
    benjamini_hochberg,
    quantile,
    t_sf,
)
from imagegen.report.anomalies.thresholds import (
    MIN_LEVEL_DAYS,
    MIN_PRICE_SCATTER,
    PRICE_DAYS_IN_WEEK,
    PRICE_DF,
    Thresholds,
)
from imagegen.report.numbers import Numbers, summed

WAYS: tuple[Direction, ...] = ("up", "down")


@dataclass(frozen=True)
class Price:
    """Credits per request, and the relative scatter of a single request's price."""

    mean: float
    scatter: float
    usual_requests: float  # of a day; more of them do not make the mean any more certain
    history_days: int

    def sigma(self, requests: float, days: int) -> float:
        """Relative standard deviation of the average price of a day's, or a week's, requests."""
        worth = 1 if days == 1 else PRICE_DAYS_IN_WEEK
        return self.scatter / math.sqrt(min(requests, self.usual_requests * worth))


@dataclass
class ByPrice:
    """What this rule found."""

    anomalies: list[Anomaly] = field(default_factory=list)
    tests: int = 0


def find(week: WeekNumbers, history: History, t: Thresholds) -> ByPrice:
    """Days, or the week, whose requests cost far more or less than usual."""
    price = _price(history, t)
    if price is None:
        return ByPrice()
    total = summed(week.daily.values())
    periods: list[tuple[str | None, Numbers]] = [*sorted(week.daily.items()), (None, total)]
    suspects = [
        _anomaly(week, day, numbers, way, price)
        for day, numbers in periods
        for way in WAYS
        if _passes(numbers, price, way, 1 if day else 7, t)
    ]
    tests = len(periods) * len(WAYS)
    cut = benjamini_hochberg([p_value(e) for e in suspects], t.count_fdr, tests)
    kept = [e for e in suspects if p_value(e) <= cut]
    anomalies = []
    for way in WAYS:
        flagged = [e for e in kept if e.direction == way]
        if flagged:
            anomalies.append(_combined(flagged, week, price, t))
    return ByPrice(anomalies, tests)


def _price(history: History, t: Thresholds) -> Price | None:
    """The average price of the newest unmasked days, and the scatter, robust, of all of them."""
    start = history.levels.get(("credits", None), "")
    known = {day: n for each in history.weeks for day, n in each.daily.items()}
    days = [
        known[day]
        for day in history.days
        if known[day].requests and day >= start and not history.is_masked("credits", None, day)
    ]
    if len(days) < (MIN_LEVEL_DAYS if start else t.min_history_days):
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
    return Price(mean, max(MIN_PRICE_SCATTER, sigma * inflation), usual, len(days))


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


def _anomaly(
    week: WeekNumbers, day: str | None, numbers: Numbers, way: Direction, price: Price
) -> Anomaly:
    expected = price.mean * numbers.requests
    sigma = price.sigma(numbers.requests, 1 if day else 7)
    score = (numbers.credits_charged / expected - 1) / sigma
    return Anomaly(
        week=week.week,
        metric="credits",
        scope="day" if day else "week",
        date=day,
        direction=way,
        actual=numbers.credits_charged,
        expected=expected,
        range=(max(0.0, expected * (1 - 1.96 * sigma)), expected * (1 + 1.96 * sigma)),
        p_value=t_sf(abs(score), PRICE_DF),
        n=numbers.requests,
        history_days=price.history_days,
        method="credits_per_request",
    )


def _combined(
    flagged: Sequence[Anomaly], week: WeekNumbers, price: Price, t: Thresholds
) -> Anomaly:
    """One anomaly: the week's if the week is unusual without its flagged days, too."""
    days = tuple(anomaly for anomaly in flagged if anomaly.scope == "day")
    head = flagged[-1]  # the week, if it is flagged
    rest = summed(week.daily[day] for day in week.daily.keys() - {anomaly.date for anomaly in days})
    if head.scope == "day" or (days and not _passes(rest, price, head.direction, 7, t)):
        head = min(days, key=p_value)
    grade = severity.gravest(severity.of_count(each, price.mean) for each in [head, *days])
    return replace(head, days=days, severity=grade)
