"""The report against itself: the fold, Firestore's own aggregations and the ledger must agree.

Everything is read as of one moment, so requests that settle while the report runs change nothing.
What is compared, count and credits each:

- the fold's requests, and the completed ones among them, with aggregations over the same range;
- the fold's charges with the ledger's deductions: both are written with one timestamp;
- the ledger's refunds of the week with the requests that were refunded in it, the fold's and those
  of earlier weeks: a refund carries the `completedAt` of its request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from firebase_functions import logger
from google.api_core import exceptions
from google.cloud.firestore_v1.base_query import FieldFilter

from imagegen import db
from imagegen.report.metrics import Tally
from imagegen.report.weeks import Week

RPC_TIMEOUT_SECONDS = 60.0
REFUNDED = ["failed", "canceled"]
# check -> what is compared, in words: the report's side first
SIDES = {
    "requests": ("requests in the report", "requests counted by Firestore"),
    "completed": ("completed requests in the report", "completed ones counted by Firestore"),
    "ledgerDeductions": ("requests in the report", "deductions in the ledger"),
    "ledgerRefunds": ("requests refunded in the week", "refunds in the ledger"),
}
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


def finding(check: str, problem: str, message: str, **details: Any) -> dict[str, Any]:
    """One line of a report's `dataQuality`; what is `info` needs nobody's attention."""
    severity = "warning" if problem in {"mismatch", "unavailable", "unreadable"} else "info"
    return {
        "type": "data_quality",
        "check": check,
        "problem": problem,
        "severity": severity,
        "message": message,
        **details,
    }


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


def findings(days: Iterable[Tally], measured: Measured) -> list[dict[str, Any]]:
    """Where two sources disagree or one is missing, in a fixed order."""
    total = Tally()
    for day in days:
        total.merge(day)
    numbers, sums = total.numbers, measured.sums
    charged = Sum(numbers.requests, numbers.credits_charged)
    completed = Sum(numbers.completed, total.credits_completed)
    return [
        *_compared("requests", charged, sums["requests"]),
        *_compared("completed", completed, sums["completed"]),
        *_compared("ledgerDeductions", charged, sums["ledgerDeductions"]),
        *_compared("ledgerRefunds", _refunded_in_week(total, measured), sums["ledgerRefunds"]),
        *_late(measured),
        *[
            finding(
                "newUsers", "unavailable", f"New users of {date} could not be counted.", date=date
            )
            for date, number in measured.new_users.items()
            if number is None
        ],
    ]


def _refunded_in_week(total: Tally, measured: Measured) -> Sum | None:
    if measured.late is None:
        return None
    _, late = measured.late
    return Sum(total.refunds_in_week + late.count, total.credits_refunded_in_week + late.credits)


def _compared(check: str, ours: Sum | None, theirs: Sum | None) -> list[dict[str, Any]]:
    left, right = SIDES[check]
    if ours is None or theirs is None:
        unread = right if theirs is None else left
        return [finding(check, "unavailable", f"Not checked: the {unread} could not be read.")]
    if ours == theirs:
        return []
    return [
        finding(
            check,
            "mismatch",
            f"{ours.count:,} {left} ({ours.credits:,} credits), "
            f"but {theirs.count:,} {right} ({theirs.credits:,} credits).",
            expected={"count": ours.count, "credits": ours.credits},
            actual={"count": theirs.count, "credits": theirs.credits},
        )
    ]


def _late(measured: Measured) -> list[dict[str, Any]]:
    """Requests of earlier weeks that ended in this one: those weeks' reports may not know it."""
    check = "lateSettlements"
    if measured.late is None:
        return [finding(check, "unavailable", "Late settlements could not be counted.")]
    ended, refunded = measured.late
    if ended.count == 0:
        return []
    message = (
        f"{ended.count:,} requests of earlier weeks ended in this one, {refunded.count:,} of them "
        f"refunded ({refunded.credits:,} credits); a report made before that counts them as in "
        "flight until it is run again."
    )
    details = {
        "count": ended.count,
        "credits": ended.credits,
        "refunds": refunded.count,
        "creditsRefunded": refunded.credits,
    }
    return [finding(check, "late", message, actual=details)]
