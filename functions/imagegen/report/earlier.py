"""The reports before this one: what they hold of their weeks, and how this week compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from statistics import median
from typing import Any

from imagegen import db
from imagegen.errors import BackendUnavailable
from imagegen.report import weeks
from imagegen.report.numbers import DIMENSIONS, Numbers, WeekNumbers
from imagegen.report.source import Source
from imagegen.report.weeks import Week

SCHEMA_VERSION = 1  # a report of another one is no history
WEEKS = 12  # reports read; the rules take their daily numbers from the last 8
COMPARED_WEEKS = 4
COMPARED = (
    "requests", "completed", "failed", "canceled", "successRate", "creditsCharged",
    "creditsRefunded", "creditsNet", "activeUsers", "newUsers",
)  # fmt: skip
# What is read of an earlier report, and of an earlier run of this one.
FIELDS = (
    "isoWeek", "schemaVersion", "totals", "byDay", "dailyValues", "anomalies", "memory",
    "userHistory",
)  # fmt: skip

Report = Mapping[str, Any]


@dataclass(frozen=True)
class Earlier:
    """What was stored before this run."""

    weeks: list[str]  # the names of the weeks before, oldest first
    reports: Mapping[str, Report]  # by ISO week, as far as there are any
    revision: Report | None  # this week's report as an earlier run left it

    @property
    def last(self) -> Report | None:
        return self.reports.get(self.weeks[-1])

    def as_week_numbers(self) -> list[WeekNumbers]:
        return [week_numbers(self.reports[each]) for each in self.weeks if each in self.reports]


def read(week: Week, source: Source) -> Earlier:
    """The reports before, and an earlier one of the same week, in one read.

    Raises BackendUnavailable.
    """
    names = weeks.before(week, WEEKS)
    try:
        documents = source.documents([f"reports/{name}" for name in [*names, week.name]], FIELDS)
    except db.RETRYABLE_READ as error:
        raise BackendUnavailable from error
    found = {
        document.id: document.fields
        for document in documents
        if document.fields and document.fields.get("schemaVersion") == SCHEMA_VERSION
    }
    revision = found.pop(week.name, None)
    return Earlier(names, found, revision)


def compact(values: Mapping[str, Mapping[str, Mapping[str, Numbers]]]) -> dict[str, Any]:
    """`WeekNumbers.values` for a document: seven whole numbers for each value and day."""
    return {
        dimension: {
            value: {date: list(astuple(numbers)) for date, numbers in days.items()}
            for value, days in by_value.items()
        }
        for dimension, by_value in values.items()
    }


def week_numbers(report: Report) -> WeekNumbers:
    """An earlier report as the anomaly rules see it."""
    by_day = report["byDay"]
    return WeekNumbers(
        week=report["isoWeek"],
        daily={date: _numbers(by_day[date]) for date in sorted(by_day)},
        values={
            dimension: {
                value: {date: Numbers(*numbers) for date, numbers in days.items()}
                for value, days in report["dailyValues"].get(dimension, {}).items()
            }
            for dimension in DIMENSIONS
        },
        new_users={
            date: by_day[date]["newUsers"]
            for date in sorted(by_day)
            if by_day[date]["newUsers"] is not None
        },
        anomalies=tuple(report["anomalies"]),
        memory=report["memory"],
    )


def _numbers(day: Mapping[str, Any]) -> Numbers:
    return Numbers(
        requests=day["requests"],
        completed=day["completed"],
        failed=day["failed"],
        canceled=day["canceled"],
        in_flight=day["inFlight"],
        credits_charged=day["creditsCharged"],
        credits_refunded=day["creditsRefunded"],
    )


def deltas(totals: Mapping[str, Any], earlier: Earlier) -> dict[str, Any]:
    """For each headline number: last week's, the median of the last four, and the changes.

    A change is relative (0.25: a quarter more), of a rate the difference; None without a number to
    compare with.
    """
    return {
        name: {
            **_delta("lastWeek", name, totals[name], _known(name, earlier, 1)),
            **_delta("fourWeekMedian", name, totals[name], _known(name, earlier, COMPARED_WEEKS)),
        }
        for name in COMPARED
    }


def _known(name: str, earlier: Earlier, number: int) -> list[float]:
    reports = [earlier.reports[each] for each in earlier.weeks[-number:] if each in earlier.reports]
    found = [each["totals"].get(name) for each in reports]
    return [each for each in found if each is not None]


def _delta(key: str, name: str, now: float | None, earlier: Sequence[float]) -> dict[str, Any]:
    base = median(earlier) if earlier else None
    change = None
    if now is not None and base is not None:
        if name == "successRate":
            change = round(now - base, 6)
        elif base:
            change = round(now / base - 1, 6)
    return {key: base, f"{key}Change": change}
