"""What the stored reports say about the time before a week: its days, less those flagged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from imagegen.report.metrics import Numbers, WeekNumbers


def monday(week: str) -> date:
    """The first day of an ISO week, e.g. 2026-W47."""
    return date.fromisocalendar(int(week[:4]), int(week[6:]), 1)


def follows(week: str, other: str) -> bool:
    """Whether `week` is the one right after `other`."""
    return monday(week) - monday(other) == timedelta(days=7)


def summed(parts: Iterable[Numbers]) -> Numbers:
    total = Numbers()
    for each in parts:
        total.add(each)
    return total


def recent(week: WeekNumbers, history: Sequence[WeekNumbers], days: int) -> list[WeekNumbers]:
    """The earlier reports that cover the last `days` days before `week`, oldest first."""
    end = monday(week.week)
    start = end - timedelta(days=days)
    kept = [each for each in history if start <= monday(each.week) < end]
    return sorted(kept, key=lambda each: monday(each.week))
