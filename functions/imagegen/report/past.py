"""What the stored reports say about the time before a week: its days, less those flagged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from imagegen.report.event import Event
from imagegen.report.numbers import Numbers, WeekNumbers

Subject = tuple[str, tuple[str, str] | None]  # metric, dimension


@dataclass(frozen=True)
class Flag:
    """One event of an earlier week, as later weeks need it."""

    metric: str
    dimension: tuple[str, str] | None
    direction: str
    days: tuple[str, ...]  # left out of the expectations of later weeks
    lasting: bool  # it filled the week, or ran over several of its days
    weeks: int  # running, this one included

    def as_json(self) -> dict[str, Any]:
        dimension = self.dimension and {"name": self.dimension[0], "value": self.dimension[1]}
        return {
            "metric": self.metric,
            "dimension": dimension,
            "direction": self.direction,
            "days": list(self.days),
            "lasting": self.lasting,
            "weeks": self.weeks,
        }

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> Flag:
        dimension = stored["dimension"]
        return cls(
            metric=stored["metric"],
            dimension=(dimension["name"], dimension["value"]) if dimension else None,
            direction=stored["direction"],
            days=tuple(stored["days"]),
            lasting=stored["lasting"],
            weeks=stored["weeks"],
        )


@dataclass
class Past:
    """The reports within reach of a week, their masked days and the levels that began in them."""

    weeks: list[WeekNumbers]
    masked: dict[Subject, set[str]] = field(default_factory=dict)
    once: dict[Subject, set[str]] = field(default_factory=dict)  # single flagged days
    levels: dict[Subject, str] = field(default_factory=dict)  # ISO date a new level began
    last_flags: dict[tuple[str, tuple[str, str] | None, str], Flag] = field(default_factory=dict)

    @property
    def days(self) -> list[str]:
        """Every day from the first with a request, oldest first: an app's life before does not
        count as days without demand."""
        days = [(day, n.requests) for week in self.weeks for day, n in sorted(week.daily.items())]
        first = next((i for i, (_, requests) in enumerate(days) if requests), len(days))
        return [day for day, _ in days[first:]]

    def is_masked(self, metric: str, dimension: tuple[str, str] | None, day: str) -> bool:
        return day in self.masked.get((metric, dimension), ())


def recall(week: WeekNumbers, history: Sequence[WeekNumbers], days: int) -> Past:
    """The last `days` days before `week`; a new level undoes the masks from its beginning on."""
    past = Past(recent(week, history, days))
    for each in past.weeks:
        for level in each.memory.get("levels", ()):
            subject = _subject(level)
            past.levels[subject] = level["from"]
            kept = {day for day in past.masked.get(subject, ()) if day < level["from"]}
            past.masked[subject] = kept
        flags = [Flag.of_json(stored) for stored in each.memory.get("flags", ())]
        for flag in flags:
            past.masked.setdefault((flag.metric, flag.dimension), set()).update(flag.days)
            if not flag.lasting:
                past.once.setdefault((flag.metric, flag.dimension), set()).update(flag.days)
            if follows(week.week, each.week):
                past.last_flags[(flag.metric, flag.dimension, flag.direction)] = flag
    return past


def flag(event: Event, week_days: Sequence[str], past: Past) -> Flag:
    """What later weeks need to know of `event`; a new level masks nothing."""
    days = tuple(sorted({day.date for day in event.days if day.date}))
    if event.scope == "week":
        days = tuple(week_days)
    before = past.last_flags.get(event.subject)
    return Flag(
        metric=event.metric,
        dimension=event.dimension,
        direction=event.direction,
        days=() if event.status == "new_level" else days,
        lasting=event.scope == "week" or len(days) > 1,
        weeks=before.weeks + 1 if before else 1,
    )


def level(event: Event, past: Past) -> dict[str, Any]:
    """Where the new level that `event` reports began: with the first flag of its run."""
    before = past.last_flags[event.subject]
    start = min(before.days, default=str(monday(event.week)))
    dimension = event.dimension and {"name": event.dimension[0], "value": event.dimension[1]}
    return {"metric": event.metric, "dimension": dimension, "from": start}


def monday(week: str) -> date:
    """The first day of an ISO week, e.g. 2026-W47."""
    return date.fromisocalendar(int(week[:4]), int(week[6:]), 1)


def follows(week: str, other: str) -> bool:
    """Whether `week` is the one right after `other`."""
    return monday(week) - monday(other) == timedelta(days=7)


def recent(week: WeekNumbers, history: Sequence[WeekNumbers], days: int) -> list[WeekNumbers]:
    """The earlier reports that cover the last `days` days before `week`, oldest first."""
    end = monday(week.week)
    start = end - timedelta(days=days)
    kept = [each for each in history if start <= monday(each.week) < end]
    return sorted(kept, key=lambda each: monday(each.week))


def summed(parts: Iterable[Numbers]) -> Numbers:
    total = Numbers()
    for each in parts:
        total.add(each)
    return total


def _subject(stored: Mapping[str, Any]) -> Subject:
    dimension = stored["dimension"]
    return (
        stored["metric"],
        (dimension["name"], dimension["value"]) if dimension else None,
    )
