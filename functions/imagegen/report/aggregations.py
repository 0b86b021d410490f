"""What Firestore itself counts and sums over the week: the report's second opinion, and new users.

Aggregations cannot group and take five sums at most, so they check the fold but cannot replace it.
What cannot be read is None: it becomes a finding, never a zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from google.api_core import exceptions
from google.cloud.firestore_v1.base_query import FieldFilter

from imagegen import db, logger
from imagegen.report.weeks import Week

RPC_TIMEOUT_SECONDS = 60.0
REFUNDED = ["failed", "canceled"]
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Sum:
    """The number of documents that match, and the credits in them."""

    count: int
    credits: int


@dataclass(frozen=True)
class Measured:
    """What the aggregations say; None where one could not be read."""

    sums: Mapping[str, Sum | None]
    late: tuple[Sum, Sum] | None  # requests of earlier weeks that ended in this one; the refunded
    new_users: Mapping[str, int | None]  # by ISO date

    @property
    def known_new_users(self) -> dict[str, int]:
        return {date: number for date, number in self.new_users.items() if number is not None}


def start(week: Week, read_time: datetime, executor: Executor) -> Callable[[], Measured]:
    """Send every aggregation; the result waits for them."""
    sums = {name: executor.submit(_sum, query, read_time) for name, query in _queries(week).items()}
    late = executor.submit(_late_sums, week, read_time)
    new_users = {
        day.date: executor.submit(
            _count, _within(db.client().collection("users"), "createdAt", day), read_time
        )
        for day in week.days
    }
    return lambda: Measured(
        sums={name: _outcome(name, future) for name, future in sums.items()},
        late=_outcome("lateSettlements", late),
        new_users={date: _outcome("newUsers", future) for date, future in new_users.items()},
    )


def _queries(week: Week) -> dict[str, Any]:
    requests = db.client().collection("generationRequests")
    entries = _within(db.client().collection_group("transactions"), "timestamp", week)
    created = _within(requests, "createdAt", week)
    return {
        "requests": created,
        "completed": created.where(filter=FieldFilter("status", "==", "completed")),
        "ledgerDeductions": entries.where(filter=FieldFilter("type", "==", "deduction")),
        "ledgerRefunds": entries.where(filter=FieldFilter("type", "==", "refund")),
    }


def _late_sums(week: Week, read_time: datetime) -> tuple[Sum, Sum]:
    requests = db.client().collection("generationRequests")
    late = _within(requests, "completedAt", week).where(
        filter=FieldFilter("createdAt", "<", week.start)
    )
    ended = _sum(late, read_time)
    if ended.count == 0:
        return ended, ended
    return ended, _sum(late.where(filter=FieldFilter("status", "in", REFUNDED)), read_time)


def _within(query: Any, field: str, stretch: Any) -> Any:
    query = query.where(filter=FieldFilter(field, ">=", stretch.start))
    return query.where(filter=FieldFilter(field, "<", stretch.end))


def _sum(query: Any, read_time: datetime) -> Sum:
    both = query.count(alias="count").sum("credits", alias="credits")
    (results,) = both.get(read_time=read_time, timeout=RPC_TIMEOUT_SECONDS)
    by_alias = {each.alias: each.value for each in results}
    return Sum(int(by_alias["count"]), int(by_alias["credits"]))


def _count(query: Any, read_time: datetime) -> int:
    ((result,),) = query.count(alias="count").get(read_time=read_time, timeout=RPC_TIMEOUT_SECONDS)
    return int(result.value)


def _outcome(name: str, future: Future[Answer]) -> Answer | None:
    try:
        return future.result()
    except exceptions.GoogleAPIError as error:
        logger.error("report check unavailable", check=name, error=str(error))
        return None
