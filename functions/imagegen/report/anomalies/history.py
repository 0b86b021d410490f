"""What the rules know of the weeks before: their numbers, less the days that were flagged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from imagegen.report.anomalies.anomaly import Anomaly, Dimension, Subject
from imagegen.report.anomalies.memory import Flag, Level, Memory
from imagegen.report.numbers import Numbers

Series = tuple[str, Dimension | None]  # metric, dimension


@dataclass(frozen=True)
class WeekNumbers:
    """One ISO week as the rules see it: the week under test, or an earlier stored report."""

    week: str  # "2026-W47"
    daily: Mapping[str, Numbers]  # by ISO date, the week's seven days in order
    # dimension -> value -> ISO date -> numbers; a day without requests may be absent
    values: Mapping[str, Mapping[str, Mapping[str, Numbers]]]
    new_users: Mapping[str, int]  # by ISO date
    # What that report stored for later weeks; empty for the week under test.
    memory: Memory = field(default_factory=Memory)


@dataclass
class History:
    """The weeks that expectations rest on, their masked days and the new levels in them."""

    weeks: list[WeekNumbers]
    masked: dict[Series, set[str]] = field(default_factory=dict)
    once: dict[Series, set[str]] = field(default_factory=dict)  # single flagged days
    levels: dict[Series, str] = field(default_factory=dict)  # ISO date a new level began
    last_flags: dict[Subject, Flag] = field(default_factory=dict)  # of the week before

    @property
    def days(self) -> list[str]:
        """Every day from the first with a request, oldest first.

        The time before an app has users is not a time without demand.
        """
        days = [(day, n.requests) for week in self.weeks for day, n in sorted(week.daily.items())]
        first = next((i for i, (_, requests) in enumerate(days) if requests), len(days))
        return [day for day, _ in days[first:]]

    def is_masked(self, metric: str, dimension: Dimension | None, day: str) -> bool:
        return day in self.masked.get((metric, dimension), ())

    def flag(self, anomaly: Anomaly, week_days: Sequence[str]) -> Flag:
        """What later weeks need to know of `anomaly`; a new level masks nothing."""
        days = sorted({day.date for day in anomaly.days if day.date})
        if anomaly.scope == "week":
            days = list(week_days)
        before = self.last_flags.get(anomaly.subject)
        return Flag(
            metric=anomaly.metric,
            dimension=anomaly.dimension,
            direction=anomaly.direction,
            days=[] if anomaly.status == "new_level" else days,
            lasting=anomaly.scope == "week" or len(days) > 1,
            weeks=before.weeks + 1 if before else 1,
        )

    def level(self, anomaly: Anomaly) -> Level:
        """The new level that `anomaly` reports; it began with the first flag of its run."""
        before = self.last_flags[anomaly.subject]
        start = min(before.days, default=str(monday(anomaly.week)))
        return Level(metric=anomaly.metric, dimension=anomaly.dimension, start=start)


def history_before(week: WeekNumbers, earlier: Sequence[WeekNumbers], days: int) -> History:
    """The last `days` days before `week`; a new level undoes the masks from its beginning on."""
    history = History(_recent(week, earlier, days))
    for each in history.weeks:
        for level in each.memory.levels:
            series = (level.metric, level.dimension)
            history.levels[series] = level.start
            kept = {day for day in history.masked.get(series, ()) if day < level.start}
            history.masked[series] = kept
        for flag in each.memory.flags:
            series = (flag.metric, flag.dimension)
            history.masked.setdefault(series, set()).update(flag.days)
            if not flag.lasting:
                history.once.setdefault(series, set()).update(flag.days)
            if follows(week.week, each.week):
                subject = Subject(flag.metric, flag.dimension, flag.direction)
                history.last_flags[subject] = flag
    return history


def _recent(week: WeekNumbers, earlier: Sequence[WeekNumbers], days: int) -> list[WeekNumbers]:
    """The earlier reports that cover the last `days` days before `week`, oldest first."""
    end = monday(week.week)
    start = end - timedelta(days=days)
    kept = [each for each in earlier if start <= monday(each.week) < end]
    return sorted(kept, key=lambda each: monday(each.week))


def monday(week: str) -> date:
    """The first day of an ISO week, e.g. 2026-W47."""
    return date.fromisocalendar(int(week[:4]), int(week[6:]), 1)


def follows(week: str, other: str) -> bool:
    """Whether `week` is the one right after `other`."""
    return monday(week) - monday(other) == timedelta(days=7)
