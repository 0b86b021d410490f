"""One anomaly, as the rules make it and as a report stores it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

from imagegen.report import wording

Scope = Literal["day", "week"]
Direction = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Contribution:
    """A value (or user) and its share of the change; `usual_share` is its part of normal days."""

    name: str
    value: str
    share: float
    usual_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something out of the ordinary: a count, a rate or one user's spending.

    Counts are whole numbers, rates are shares of 1, user spending is net credits. `ci95` says how
    well `actual` is known (Wilson for rates, Poisson for counts); `range` is what 95 of 100 normal
    days or weeks stay within.
    """

    week: str
    metric: str  # requests, credits, newUsers, failureRate, successRate, userCredits
    scope: Scope
    date: str | None  # the day, for scope "day"
    direction: Direction
    actual: float
    expected: float | None
    method: str
    severity: str = "info"
    dimension: tuple[str, str] | None = None
    range: tuple[float, float] | None = None
    p_value: float | None = None
    ci95: tuple[float, float] | None = None
    n: int | None = None  # requests that ended, for rates; requests, for users
    k: int | None = None  # of which failed
    history_days: int = 0
    contributions: tuple[Contribution, ...] = ()
    days: tuple[Event, ...] = ()  # the flagged days behind it
    merged: tuple[Event, ...] = ()  # the same change seen in another metric
    status: str = "new"  # new, ongoing, new_level

    @property
    def subject(self) -> tuple[str, tuple[str, str] | None, str]:
        """What two events of different weeks or methods have in common when they are one story."""
        return (self.metric, self.dimension, self.direction)

    @property
    def ratio(self) -> float | None:
        """actual / expected; None where nothing, or zero, was expected."""
        return self.actual / self.expected if self.expected else None

    @property
    def id(self) -> str:
        """The same for the same finding in every re-run of the report."""
        parts = [self.week, self.metric, *(self.dimension or ("", "")), self.scope]
        text = "\n".join([*parts, self.date or "", self.direction])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def as_json(self) -> dict[str, Any]:
        """The document fields; numbers are rounded, so that a re-run is identical everywhere."""
        return {
            "id": self.id,
            "week": self.week,
            "metric": self.metric,
            "scope": self.scope,
            "date": self.date,
            "direction": self.direction,
            "dimension": self.dimension and {"name": self.dimension[0], "value": self.dimension[1]},
            "actual": rounded(self.actual),
            "expected": rounded(self.expected),
            "range": self.range and [rounded(each) for each in self.range],
            "ratio": rounded(self.ratio),
            "pValue": rounded(self.p_value),
            "ci95": self.ci95 and [rounded(each) for each in self.ci95],
            "sample": {"n": self.n, "k": self.k, "historyDays": self.history_days},
            "contributions": [
                {
                    "name": each.name,
                    "value": each.value,
                    "share": rounded(each.share),
                    "usualShare": rounded(each.usual_share),
                }
                for each in self.contributions
            ],
            "days": [_detail(each) for each in self.days],
            "merged": [_detail(each) for each in self.merged],
            "severity": self.severity,
            "method": self.method,
            "status": self.status,
            "message": wording.message(self),
        }


def rounded(number: float | None) -> float | int | None:
    """Four significant digits for what is small, one decimal for counts; whole stays whole."""
    if number is None or number == int(number):
        return None if number is None else int(number)
    return round(number, 1) if abs(number) >= 100 else float(f"{number:.4g}")


def _detail(event: Event) -> dict[str, Any]:
    return {
        "metric": event.metric,
        "date": event.date,
        "actual": rounded(event.actual),
        "expected": rounded(event.expected),
        "range": event.range and [rounded(each) for each in event.range],
        "ratio": rounded(event.ratio),
        "pValue": rounded(event.p_value),
    }
