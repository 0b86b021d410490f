"""What happened in the week, from its tallies: the parts of a report that judge nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from imagegen.report.anomalies.statistics import wilson_interval
from imagegen.report.checks import finding, unreadable
from imagegen.report.document import Finding, Row, TopUser, Totals
from imagegen.report.numbers import (
    DIMENSIONS,
    NO_VALUE,
    Numbers,
    Tally,
    UserNumbers,
    summed,
)
from imagegen.report.weeks import Week

TOP_USERS = 10
# A catalogue has fewer; this keeps any report far below Firestore's 1 MiB and 40,000 index entries.
MOST_VALUES = 40
OTHER_VALUES = "(other)"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

ValuesByDay = Mapping[str, Mapping[str, Mapping[str, Numbers]]]


def values_by_day(days: Mapping[str, Tally]) -> dict[str, dict[str, dict[str, Numbers]]]:
    """By dimension, value and ISO date; the rarest of too many values are merged into one."""
    found: dict[str, dict[str, dict[str, Numbers]]] = {}
    for dimension in DIMENSIONS:
        requests: dict[str, int] = {}
        for tally in days.values():
            for value, numbers in tally.values[dimension].items():
                requests[value] = requests.get(value, 0) + numbers.requests
        ranked = sorted(requests, key=lambda each: (-requests[each], each))
        named = set(ranked if len(ranked) <= MOST_VALUES else ranked[: MOST_VALUES - 1])
        by_value = found[dimension] = {value: {} for value in sorted(named)}
        for date, tally in sorted(days.items()):
            for value, numbers in tally.values[dimension].items():
                by_date = by_value.setdefault(value if value in named else OTHER_VALUES, {})
                by_date.setdefault(date, Numbers()).add(numbers)
    return found


def totals(
    days: Iterable[Tally], users: Mapping[str, UserNumbers], new_users: Mapping[str, int | None]
) -> Totals:
    """The week's; `newUsers` is None where those of a day could not be counted."""
    counted = [number for number in new_users.values() if number is not None]
    all_new_users = sum(counted) if len(counted) == len(new_users) else None
    return _totals(summed(tally.numbers for tally in days), len(users), all_new_users)


def by_day(days: Mapping[str, Tally], new_users: Mapping[str, int | None]) -> dict[str, Totals]:
    return {
        date: _totals(tally.numbers, len(tally.users), new_users[date])
        for date, tally in sorted(days.items())
    }


def _totals(numbers: Numbers, active_users: int, new_users: int | None) -> Totals:
    ended = numbers.completed + numbers.failed
    interval = list(wilson_interval(numbers.completed, ended)) if ended else None
    return Totals.of(
        numbers, success_rate_interval=interval, active_users=active_users, new_users=new_users
    )


def by_value(values: ValuesByDay) -> dict[str, dict[str, Row]]:
    """By dimension and value."""
    return {
        dimension: {value: Row.of(summed(dates.values())) for value, dates in found.items()}
        for dimension, found in values.items()
    }


def top_users(users: Mapping[str, UserNumbers]) -> list[TopUser]:
    """The users who spent most, after refunds."""
    ranked = sorted(users, key=lambda each: (-users[each].credits, -users[each].requests, each))
    return [
        TopUser(user_id=each, requests=users[each].requests, credits=users[each].credits)
        for each in ranked[:TOP_USERS]
    ]


def data_as_of(week: Week, days: Mapping[str, Tally]) -> datetime:
    """The newest change of a request that the numbers contain; the week's end when that is later.

    It is not the time of reading, so that the same data give the same report.
    """
    newest = EPOCH + timedelta(microseconds=max(tally.changed_at for tally in days.values()))
    return max(week.end, newest)


def findings(days: Mapping[str, Tally], values: ValuesByDay) -> list[Finding]:
    """Requests that could not be read whole, and values that were merged."""
    found = []
    count = sum(tally.unreadable for tally in days.values())
    if count:
        what = (
            "requests lack a field or hold one that makes no sense, and count as in flight, as "
            f"“{NO_VALUE}” or without credits"
        )
        ids = [each for tally in days.values() for each in tally.unreadable_ids]
        paths = [f"generationRequests/{each}" for each in ids]
        found.append(unreadable("requests", what, paths, count))
    for dimension, by_name in values.items():
        if OTHER_VALUES in by_name:
            message = f"More than {MOST_VALUES} values of {dimension}: the rarest count as one."
            found.append(finding(dimension, "values_merged", message))
    return found
