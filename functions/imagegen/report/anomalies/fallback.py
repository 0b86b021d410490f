"""The fallback rules: plain ratios against last week, until there is enough history for tests.

In the thresholds and in a report's `method` they are called guards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from imagegen.report.anomalies.anomaly import Anomaly, Dimension, Direction
from imagegen.report.anomalies.history import WeekNumbers, follows
from imagegen.report.anomalies.thresholds import GUARD_MAX_USERS, Thresholds
from imagegen.report.numbers import Numbers, UserNumbers, summed


def find(
    week: WeekNumbers,
    earlier: Sequence[WeekNumbers],
    active_users: Mapping[str, UserNumbers],
    t: Thresholds,
) -> list[Anomaly]:
    """Every ratio that is out of bounds, as anomalies of severity info and method "guard"."""
    last = earlier[-1] if earlier and follows(week.week, earlier[-1].week) else None
    return [
        *_volumes(week, last, t),
        *_overall_rates(week, last, t),
        *_value_rates(week, last, t),
        *_users(week, active_users, t),
        *_new_users(week, earlier, t),
    ]


def _volumes(week: WeekNumbers, last: WeekNumbers | None, t: Thresholds) -> Iterator[Anomaly]:
    """Requests far above or below last week's; credits far above."""
    if last is None:
        return
    now, before = summed(week.daily.values()), summed(last.daily.values())
    if now.requests >= max(t.guard_min_requests, t.guard_up_ratio * before.requests + 1):
        yield _anomaly(week, "requests", "up", now.requests, before.requests)
    if before.requests >= t.guard_min_requests and (
        now.requests < t.guard_down_ratio * before.requests
    ):
        yield _anomaly(week, "requests", "down", now.requests, before.requests)
    if (
        now.credits_charged >= t.guard_min_requests
        and now.credits_charged > t.guard_credits_ratio * before.credits_charged
    ):
        yield _anomaly(week, "credits", "up", now.credits_charged, before.credits_charged)


def _overall_rates(week: WeekNumbers, last: WeekNumbers | None, t: Thresholds) -> Iterator[Anomaly]:
    """A high failure rate; a success rate under half of last week's."""
    now = summed(week.daily.values())
    before = summed(last.daily.values()) if last else Numbers()
    ended = now.completed + now.failed
    if ended < t.guard_min_ended:
        return
    rate = now.failed / ended
    if rate > t.guard_failure_rate:
        yield _anomaly(week, "failureRate", "up", rate, _failure_rate(before), ended=now)
    if before.completed + before.failed >= t.guard_min_ended and before.success_rate is not None:
        success = now.completed / ended
        if success < t.guard_success_ratio * before.success_rate:
            yield _anomaly(week, "successRate", "down", success, before.success_rate, ended=now)


def _value_rates(week: WeekNumbers, last: WeekNumbers | None, t: Thresholds) -> Iterator[Anomaly]:
    """A value that fails often and twice as often as last week (or, if new, as everything)."""
    overall = _failure_rate(summed(week.daily.values())) or 0.0
    for name, values in week.values.items():
        for value, days in values.items():
            now = summed(days.values())
            rate = _failure_rate(now) or 0.0
            if now.completed + now.failed < t.guard_min_ended or rate <= t.guard_value_failure_rate:
                continue
            stored: Mapping[str, Numbers] = {}
            if last is not None:
                stored = last.values.get(name, {}).get(value, {})
            before = _failure_rate(summed(stored.values()))
            if rate >= t.guard_value_ratio * (overall if before is None else before):
                yield _anomaly(
                    week,
                    "failureRate",
                    "up",
                    rate,
                    before,
                    ended=now,
                    dimension=Dimension(name, value),
                )


def _users(
    week: WeekNumbers, active_users: Mapping[str, UserNumbers], t: Thresholds
) -> Iterator[Anomaly]:
    """Users whose busiest day was very busy; the busiest of them."""
    busy = [
        (-each.busiest_day_credits, user_id, each)
        for user_id, each in active_users.items()
        if each.busiest_day_credits > t.guard_user_day_credits
    ]
    for _, user_id, each in sorted(busy, key=lambda item: item[:2])[:GUARD_MAX_USERS]:
        yield Anomaly(
            week=week.week,
            metric="userCredits",
            scope="day",
            date=each.busiest_day,
            direction="up",
            actual=each.busiest_day_credits,
            expected=None,
            p_value=None,
            range=(0, t.guard_user_day_credits),
            dimension=Dimension("user", user_id),
            n=each.requests,
            method="guard",
        )


def _new_users(
    week: WeekNumbers, earlier: Sequence[WeekNumbers], t: Thresholds
) -> Iterator[Anomaly]:
    """Days with many more new users than the median day of this week and those before it."""
    usual = median([n for each in [*earlier, week] for n in each.new_users.values()] or [0])
    for date, n in week.new_users.items():
        if n > t.guard_new_users and n > t.guard_new_users_ratio * usual:
            yield _anomaly(week, "newUsers", "up", n, usual, date=date)


def _anomaly(
    week: WeekNumbers,
    metric: str,
    direction: Direction,
    actual: float,
    expected: float | None,
    *,
    ended: Numbers | None = None,
    dimension: Dimension | None = None,
    date: str | None = None,
) -> Anomaly:
    return Anomaly(
        week=week.week,
        metric=metric,
        scope="day" if date else "week",
        date=date,
        direction=direction,
        actual=actual,
        expected=expected,
        p_value=None,
        dimension=dimension,
        n=ended.completed + ended.failed if ended else None,
        k=ended.failed if ended else None,
        method="guard",
    )


def _failure_rate(numbers: Numbers) -> float | None:
    rate = numbers.success_rate
    return None if rate is None else 1 - rate
