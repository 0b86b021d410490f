"""What Firestore itself counts and sums over the week: a second opinion on the report's numbers.

Aggregations cannot group and take five sums at most, so they check the numbers but cannot replace
them. New users are counted here alone. What cannot be read is None and becomes a finding, never a
zero: a sum that is not a whole number cannot be read either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import TypeVar

from google.api_core.exceptions import GoogleAPIError

from imagegen import logger
from imagegen.firestore.store import Query
from imagegen.report import requests
from imagegen.report.numbers import REFUNDED
from imagegen.report.source import Source
from imagegen.report.weeks import Day, Week

REQUESTS, ENTRIES, USERS = "generationRequests", "transactions", "users"
Answer = TypeVar("Answer")
Condition = tuple[str, str, object]


@dataclass(frozen=True)
class Sum:
    """The number of documents that match, and the credits in them."""

    count: int
    credits: int


@dataclass(frozen=True)
class Late:
    """Requests of earlier weeks that ended in this one, and those of them that were refunded."""

    ended: Sum
    refunded: Sum


@dataclass(frozen=True)
class Measured:
    """What the aggregations say; None where one could not be read."""

    sums: Mapping[str, Sum | None]
    late: Late | None
    new_users: Mapping[str, int | None]  # by ISO date
    undated: Sequence[str] | None = ()  # paths of requests that belong to no week

    @property
    def known_new_users(self) -> dict[str, int]:
        return {date: number for date, number in self.new_users.items() if number is not None}


def start(week: Week, source: Source, executor: Executor) -> Callable[[], Measured]:
    """Send every aggregation; the result waits for them."""
    sums = {name: executor.submit(sum_of, query, source) for name, query in _queries(week).items()}
    late = executor.submit(_late, week, source)
    undated = executor.submit(requests.undated, source)
    new_users = {
        day.date: executor.submit(source.aggregate, Query(USERS, _within("createdAt", day)))
        for day in week.days
    }

    def measured() -> Measured:
        counted = {date: outcome("newUsers", future) for date, future in new_users.items()}
        return Measured(
            sums={name: outcome(name, future) for name, future in sums.items()},
            late=outcome("lateSettlements", late),
            undated=outcome("createdAt", undated),
            new_users={date: each["count"] if each else None for date, each in counted.items()},
        )

    return measured


def _queries(week: Week) -> dict[str, Query]:
    created, entered = _within("createdAt", week), _within("timestamp", week)
    return {
        "requests": Query(REQUESTS, created),
        "completed": Query(REQUESTS, [*created, ("status", "==", "completed")]),
        "ledgerDeductions": _entries([*entered, ("type", "==", "deduction")]),
        "ledgerRefunds": _entries([*entered, ("type", "==", "refund")]),
        "purchases": _entries([*entered, ("type", "==", "purchase")]),
    }


def _entries(where: list[Condition]) -> Query:
    """Ledger entries of all users."""
    return Query(ENTRIES, where, in_group=True)


def _late(week: Week, source: Source) -> Late:
    late = [*_within("completedAt", week), ("createdAt", "<", week.start)]
    ended = sum_of(Query(REQUESTS, late), source)
    if ended.count == 0:
        return Late(ended, ended)
    refunded = [*late, ("status", "in", sorted(REFUNDED))]
    return Late(ended, sum_of(Query(REQUESTS, refunded), source))


def _within(field: str, period: Week | Day) -> list[Condition]:
    return [(field, ">=", period.start), (field, "<", period.end)]


def sum_of(query: Query, source: Source) -> Sum:
    """The number of documents that match, and their credits."""
    found = source.aggregate(query, ["credits"])
    return Sum(found["count"], found["credits"])


def outcome(name: str, future: Future[Answer]) -> Answer | None:
    """What was read, or None and a line in the log when it could not be."""
    try:
        return future.result()
    except (GoogleAPIError, ValueError) as error:
        logger.error("report check unavailable", check=name, error=str(error))
        return None
