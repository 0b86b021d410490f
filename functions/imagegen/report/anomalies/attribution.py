"""What is behind an anomaly: the values that make it up, and anomalies that are the same change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from imagegen.report.anomalies.anomaly import Anomaly, Contribution, Dimension, Direction
from imagegen.report.anomalies.expected_rates import Rate, days_of
from imagegen.report.anomalies.history import History, WeekNumbers
from imagegen.report.anomalies.statistics import betabinom_sf
from imagegen.report.anomalies.thresholds import (
    CERTAIN_SIZE,
    MAX_RATE,
    MERGE_MIN_RATIO,
    REST_P,
    VALUE_EXCESS_SHARE,
    VALUE_P,
    VALUE_RISE,
    Thresholds,
)
from imagegen.report.numbers import Numbers, summed


def with_count_contributions(
    anomaly: Anomaly, week: WeekNumbers, history: History, t: Thresholds
) -> Anomaly:
    """The anomaly of a count, with the values that make up much of its change.

    A value's part of normal days is its usual share; what it has beyond that part of the
    expectation is its share of the change.
    """
    change = anomaly.actual - (anomaly.expected or 0.0)
    if anomaly.metric == "newUsers" or anomaly.expected is None or not change:
        return anomaly
    known = set(history.days) - history.masked.get((anomaly.metric, None), set())
    everything = sum(_amount(anomaly, each.daily, known) for each in history.weeks)
    found = []
    for name, values in week.values.items():
        for value, days in values.items():
            earlier = (each.values.get(name, {}).get(value, {}) for each in history.weeks)
            usual = sum(_amount(anomaly, each, known) for each in earlier)
            usual_share = usual / everything if everything else 0.0
            now = _amount(anomaly, days, days.keys() if anomaly.date is None else [anomaly.date])
            share = (now - anomaly.expected * usual_share) / change
            if share >= t.contribution:
                found.append(Contribution(name, value, share, usual_share))
    return replace(anomaly, contributions=_most_telling(found))


def merged(anomalies: Iterable[Anomaly], t: Thresholds) -> list[Anomaly]:
    """A change of credits that only follows that of requests becomes a part of that anomaly."""
    kept: dict[tuple[str, Direction], Anomaly] = {}
    for anomaly in anomalies:
        cause = kept.get(("requests", anomaly.direction))
        if anomaly.metric == "credits" and cause and _same_change(anomaly, cause, t):
            kept["requests", anomaly.direction] = replace(cause, merged=(anomaly,))
        else:
            kept[anomaly.metric, anomaly.direction] = anomaly
    return list(kept.values())


def _same_change(credits: Anomaly, requests: Anomaly, t: Thresholds) -> bool:
    ours, theirs = credits.ratio or 0.0, requests.ratio or 0.0
    return abs(ours - theirs) <= t.merge_tolerance * max(theirs, MERGE_MIN_RATIO)


def _amount(anomaly: Anomaly, by_day: Mapping[str, Numbers], days: Iterable[str]) -> int:
    """Credits, or requests, of the days that there are."""
    numbers = (by_day[day] for day in days if day in by_day)
    if anomaly.metric == "credits":
        return sum(each.credits_charged for each in numbers)
    return sum(each.requests for each in numbers)


def follows_overall_rate(anomaly: Anomaly, cause: Anomaly, overall: Rate) -> bool:
    """Whether a value fails more in a period only because all requests do (`cause`).

    It does not when it fails far more than all requests do, nor when the rest fails as usual and
    the value has most of the failures beyond expectation.
    """
    n, k, n_all, k_all = anomaly.n or 0, anomaly.k or 0, cause.n or 0, cause.k or 0
    expected = anomaly.expected or 0.0
    risen, own_rise = cause.actual - overall.mean, anomaly.actual - expected
    shared = min(MAX_RATE, expected + risen)
    if own_rise >= VALUE_RISE * risen and betabinom_sf(k - 1, n, shared, CERTAIN_SIZE) <= VALUE_P:
        return False
    rest = betabinom_sf(k_all - k - 1, n_all - n, overall.mean, overall.day_size)
    return rest < REST_P or n * own_rise < VALUE_EXCESS_SHARE * n_all * risen


def with_rate_contributions(
    anomaly: Anomaly, week: WeekNumbers, rates: Mapping[Dimension, Rate], t: Thresholds
) -> Anomaly:
    """The anomaly of the overall rate, with the values that have much of its excess failures."""
    excess = (anomaly.k or 0) - (anomaly.n or 0) * (anomaly.expected or 0.0)
    if excess <= 0:
        return anomaly
    found = []
    for dimension, rate in rates.items():
        days = days_of(week, dimension)
        now = summed(n for day, n in days.items() if anomaly.date in {None, day})
        n = now.completed + now.failed
        share = (now.failed - n * rate.mean) / excess
        if share >= t.contribution:
            found.append(Contribution(*dimension, share, n / (anomaly.n or 1)))
    return replace(anomaly, contributions=_most_telling(found))


def _most_telling(found: Iterable[Contribution]) -> tuple[Contribution, ...]:
    """Those whose share of the change is furthest above their usual share come first."""
    return tuple(sorted(found, key=lambda c: (c.usual_share - c.share, c.name, c.value)))
