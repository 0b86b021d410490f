"""The reports before this one, and how this week compares with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from pydantic.alias_generators import to_camel

from imagegen import db
from imagegen.errors import BackendUnavailable
from imagegen.report import weeks
from imagegen.report.anomalies.history import WeekNumbers
from imagegen.report.document import SCHEMA_VERSION, Delta, Totals, WeeklyReport
from imagegen.report.numbers import DIMENSIONS
from imagegen.report.source import Source
from imagegen.report.stored_model import Number
from imagegen.report.weeks import Week

WEEKS = 12  # reports read; the rules take their daily numbers from the last 8
COMPARED_WEEKS = 4
COMPARED = (
    "requests", "completed", "failed", "canceled", "success_rate", "credits_charged",
    "credits_refunded", "credits_net", "active_users", "new_users",
)  # fmt: skip
# What is read of an earlier report, and of an earlier run of this one.
FIELDS = (
    "isoWeek", "schemaVersion", "totals", "byDay", "dailyValues", "memory", "userHistory",
    "liability",
)  # fmt: skip


@dataclass(frozen=True)
class EarlierReports:
    """What was stored before this run."""

    weeks: list[str]  # the names of the weeks before, oldest first
    reports: Mapping[str, WeeklyReport]  # by ISO week, as far as there are any
    revision: WeeklyReport | None  # this week's report as an earlier run left it

    @property
    def last(self) -> WeeklyReport | None:
        return self.reports.get(self.weeks[-1])

    def newest(self, number: int) -> list[WeeklyReport]:
        """Those of the last `number` weeks, oldest first."""
        return [self.reports[each] for each in self.weeks[-number:] if each in self.reports]


def read(week: Week, source: Source) -> EarlierReports:
    """The reports before, and an earlier one of the same week, in one read.

    Raises BackendUnavailable.
    """
    names = weeks.before(week, WEEKS)
    try:
        documents = source.documents([f"reports/{name}" for name in [*names, week.name]], FIELDS)
    except db.RETRYABLE_READ as error:
        raise BackendUnavailable from error
    stored = {each.id: WeeklyReport.from_firestore(each.fields or {}) for each in documents}
    found = {
        name: report for name, report in stored.items() if report.schema_version == SCHEMA_VERSION
    }
    revision = found.pop(week.name, None)
    return EarlierReports(names, found, revision)


def week_numbers(report: WeeklyReport) -> WeekNumbers:
    """An earlier report as the anomaly rules see it."""
    by_day = sorted(report.by_day.items())
    return WeekNumbers(
        week=report.iso_week,
        daily={date: day.numbers() for date, day in by_day},
        values={dimension: report.daily_values.get(dimension, {}) for dimension in DIMENSIONS},
        new_users={date: day.new_users for date, day in by_day if day.new_users is not None},
        memory=report.memory,
    )


def deltas(totals: Totals, earlier: EarlierReports) -> dict[str, Delta]:
    """Each headline number against last week's and the median of the last four."""
    found = {}
    for name in COMPARED:
        now = getattr(totals, name)
        last_week = _median(_known(name, earlier.newest(1)))
        four_weeks = _median(_known(name, earlier.newest(COMPARED_WEEKS)))
        found[to_camel(name)] = Delta(
            last_week=last_week,
            last_week_change=_change(name, now, last_week),
            four_week_median=four_weeks,
            four_week_median_change=_change(name, now, four_weeks),
        )
    return found


def _known(name: str, reports: Sequence[WeeklyReport]) -> list[Number]:
    found = [getattr(each.totals, name) for each in reports]
    return [each for each in found if each is not None]


def _median(numbers: Sequence[Number]) -> Number | None:
    return median(numbers) if numbers else None


def _change(name: str, now: Number | None, before: Number | None) -> float | None:
    """None without a number to compare with."""
    if now is None or before is None:
        return None
    if name == "success_rate":
        return round(now - before, 6)
    return round(now / before - 1, 6) if before else None
