"""The report as it is stored: what a week's tallies say, under the names docs/reports.md explains.

Values of dimensions are keys of maps and may hold spaces and dots, so a report is always written
with its top-level fields whole, never through a field path.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from imagegen.report.checks import finding
from imagegen.report.distributions import wilson
from imagegen.report.earlier import compact
from imagegen.report.numbers import DIMENSIONS, NO_VALUE, SAMPLES, Numbers, Tally, UserNumbers
from imagegen.report.weeks import Week

TOP_USERS = 10
# A catalogue has fewer; this keeps any report far below Firestore's 1 MiB and 40,000 index entries.
MOST_VALUES = 40
OTHER_VALUES = "(other)"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

ValuesByDay = Mapping[str, Mapping[str, Mapping[str, Numbers]]]


def total_of(tallies: Iterable[Tally]) -> Numbers:
    total = Numbers()
    for tally in tallies:
        total.add(tally.numbers)
    return total


def values_by_day(days: Mapping[str, Tally]) -> dict[str, dict[str, dict[str, Numbers]]]:
    """dimension -> value -> ISO date -> numbers; the rarest of too many values become one."""
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


def facts(
    week: Week,
    days: Mapping[str, Tally],
    users: Mapping[str, UserNumbers],
    values: ValuesByDay,
    new_users: Mapping[str, int | None],
) -> dict[str, Any]:
    """What happened in the week; nothing of it is a judgement."""
    counted = [number for number in new_users.values() if number is not None]
    all_new_users = sum(counted) if len(counted) == len(new_users) else None
    return {
        "isoWeek": week.name,
        "timeZone": week.zone,
        "periodStart": week.start,
        "periodEnd": week.end,
        "dataAsOf": _data_as_of(week, days),
        "totals": _totals(total_of(days.values()), len(users), all_new_users),
        "byDay": {
            date: _totals(tally.numbers, len(tally.users), new_users[date])
            for date, tally in sorted(days.items())
        },
        **_by_value(values),
        "dailyValues": compact(values),
        "topUsers": _top_users(users),
    }


def _numbers(numbers: Numbers) -> dict[str, Any]:
    return {
        "requests": numbers.requests,
        "completed": numbers.completed,
        "failed": numbers.failed,
        "canceled": numbers.canceled,
        "inFlight": numbers.in_flight,
        "successRate": numbers.success_rate,
        "creditsCharged": numbers.credits_charged,
        "creditsRefunded": numbers.credits_refunded,
        "creditsNet": numbers.credits_net,
    }


def _totals(numbers: Numbers, active_users: int, new_users: int | None) -> dict[str, Any]:
    """Of the week or a day; `newUsers` is None where they could not be counted."""
    ended = numbers.completed + numbers.failed
    interval = list(wilson(numbers.completed, ended)) if ended else None
    return {
        **_numbers(numbers),
        "successRateInterval": interval,
        "activeUsers": active_users,
        "newUsers": new_users,
    }


def _by_value(values: ValuesByDay) -> dict[str, Any]:
    """`byModel`, `byStyle`, `byColor` and `bySize`."""
    tables: dict[str, Any] = {}
    for dimension, found in values.items():
        table = tables[f"by{dimension.capitalize()}"] = {}
        for value, dates in found.items():
            total = Numbers()
            for numbers in dates.values():
                total.add(numbers)
            table[value] = _numbers(total)
    return tables


def _top_users(users: Mapping[str, UserNumbers]) -> list[dict[str, Any]]:
    """The users who spent most, after refunds."""
    ranked = sorted(users, key=lambda each: (-users[each].credits, -users[each].requests, each))
    return [
        {"userId": each, "requests": users[each].requests, "credits": users[each].credits}
        for each in ranked[:TOP_USERS]
    ]


def _data_as_of(week: Week, days: Mapping[str, Tally]) -> datetime:
    """The newest change of a request that the numbers contain; the week's end when that is later.

    Not the time of reading: the same data give the same report.
    """
    newest = EPOCH + timedelta(microseconds=max(tally.changed_at for tally in days.values()))
    return max(week.end, newest)


def fold_findings(days: Mapping[str, Tally], values: ValuesByDay) -> list[dict[str, Any]]:
    """What the fold itself noticed: documents it could not make sense of, values left out."""
    found = []
    unreadable = sum(tally.unreadable for tally in days.values())
    if unreadable:
        ids = sorted(each for tally in days.values() for each in tally.unreadable_ids)
        found.append(
            finding(
                "requests",
                "unreadable",
                f"{unreadable:,} requests lack a field or hold one that makes no sense; they count "
                f"as in flight, as “{NO_VALUE}” or without credits.",
                actual={"count": unreadable},
                generationRequestIds=ids[:SAMPLES],
            )
        )
    for dimension, by_name in values.items():
        if OTHER_VALUES in by_name:
            message = f"More than {MOST_VALUES} values of {dimension}: the rarest count as one."
            found.append(finding(dimension, "values_merged", message))
    return found
