"""Plain ratios against last week: they stand in until there is history enough for statistics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median

from imagegen.report.event import Direction, Event
from imagegen.report.numbers import Numbers, UserNumbers, WeekNumbers
from imagegen.report.past import follows, summed
from imagegen.report.thresholds import Thresholds

MOST_USERS = 10  # named in one report


def find(
    week: WeekNumbers,
    history: Sequence[WeekNumbers],
    users: Iterable[tuple[str, UserNumbers]],
    t: Thresholds,
) -> list[Event]:
    """Every ratio that is out of bounds, as events of severity info and method "guard"."""
    last = history[-1] if history and follows(week.week, history[-1].week) else None
    return [
        *_volumes(week, last, t),
        *_overall_rates(week, last, t),
        *_value_rates(week, last, t),
        *_users(week, users, t),
        *_new_users(week, history, t),
    ]


def _volumes(week: WeekNumbers, last: WeekNumbers | None, t: Thresholds) -> Iterator[Event]:
    """Requests far above or below last week's; credits far above."""
    if last is None:
        return
    now, before = summed(week.daily.values()), summed(last.daily.values())
    if now.requests >= max(t.guard_min_requests, t.guard_up_ratio * before.requests + 1):
        yield _event(week, "requests", "up", now.requests, before.requests)
    if before.requests >= t.guard_min_requests and (
        now.requests < t.guard_down_ratio * before.requests
    ):
        yield _event(week, "requests", "down", now.requests, before.requests)
    if (
        now.credits_charged >= t.guard_min_requests
        and now.credits_charged > t.guard_credits_ratio * before.credits_charged
    ):
        yield _event(week, "credits", "up", now.credits_charged, before.credits_charged)


def _overall_rates(week: WeekNumbers, last: WeekNumbers | None, t: Thresholds) -> Iterator[Event]:
    """A high failure rate; a success rate under half of last week's."""
    now = summed(week.daily.values())
    before = summed(last.daily.values()) if last else Numbers()
    ended = now.completed + now.failed
    if ended < t.guard_min_ended:
        return
    rate = now.failed / ended
    if rate > t.guard_failure_rate:
        yield _event(week, "failureRate", "up", rate, _failure_rate(before), ended=now)
    if before.completed + before.failed >= t.guard_min_ended and before.success_rate is not None:
        success = now.completed / ended
        if success < t.guard_success_ratio * before.success_rate:
            yield _event(week, "successRate", "down", success, before.success_rate, ended=now)


def _value_rates(week: WeekNumbers, last: WeekNumbers | None, t: Thresholds) -> Iterator[Event]:
    """A value that fails often and twice as often as last week (or, if new, as everything)."""
    overall = _failure_rate(summed(week.daily.values())) or 0.0
    for dimension, values in week.values.items():
        for value, days in values.items():
            now = summed(days.values())
            rate = _failure_rate(now) or 0.0
            if now.completed + now.failed < t.guard_min_ended or rate <= t.guard_value_failure_rate:
                continue
            stored: Mapping[str, Numbers] = {}
            if last is not None:
                stored = last.values.get(dimension, {}).get(value, {})
            before = _failure_rate(summed(stored.values()))
            if rate >= t.guard_value_ratio * (overall if before is None else before):
                yield _event(
                    week, "failureRate", "up", rate, before, ended=now, dimension=(dimension, value)
                )


def _users(
    week: WeekNumbers, users: Iterable[tuple[str, UserNumbers]], t: Thresholds
) -> Iterator[Event]:
    """Users whose busiest day was very busy; the busiest of them."""
    busy = [
        (-each.busiest_day_credits, user_id, each)
        for user_id, each in users
        if each.busiest_day_credits > t.guard_user_day_credits
    ]
    for _, user_id, each in sorted(busy, key=lambda item: item[:2])[:MOST_USERS]:
        yield Event(
            week=week.week,
            metric="userCredits",
            scope="day",
            date=each.busiest_day,
            direction="up",
            actual=each.busiest_day_credits,
            expected=None,
            range=(0, t.guard_user_day_credits),
            dimension=("user", user_id),
            n=each.requests,
            method="guard",
        )


def _new_users(week: WeekNumbers, history: Sequence[WeekNumbers], t: Thresholds) -> Iterator[Event]:
    """Days with many more new users than the median day of this week and those before it."""
    usual = median([n for each in [*history, week] for n in each.new_users.values()] or [0])
    for date, n in week.new_users.items():
        if n > t.guard_new_users and n > t.guard_new_users_ratio * usual:
            yield _event(week, "newUsers", "up", n, usual, date=date)


def _event(
    week: WeekNumbers,
    metric: str,
    direction: Direction,
    actual: float,
    expected: float | None,
    *,
    ended: Numbers | None = None,
    dimension: tuple[str, str] | None = None,
    date: str | None = None,
) -> Event:
    return Event(
        week=week.week,
        metric=metric,
        scope="day" if date else "week",
        date=date,
        direction=direction,
        actual=actual,
        expected=expected,
        dimension=dimension,
        n=ended.completed + ended.failed if ended else None,
        k=ended.failed if ended else None,
        method="guard",
    )


def _failure_rate(numbers: Numbers) -> float | None:
    rate = numbers.success_rate
    return None if rate is None else 1 - rate
