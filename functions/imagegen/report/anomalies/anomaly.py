"""One anomaly, as the rules make it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal, NamedTuple

Scope = Literal["day", "week"]
Direction = Literal["up", "down"]


class Dimension(NamedTuple):
    """One value of a dimension, such as style “anime”; or one user."""

    name: str
    value: str


class Subject(NamedTuple):
    """What anomalies of different weeks or methods have in common when they are about the same."""

    metric: str
    dimension: Dimension | None
    direction: Direction


@dataclass(frozen=True, slots=True)
class Contribution:
    """A value (or user) and its share of the change; `usual_share` is its part of normal days."""

    name: str
    value: str
    share: float
    usual_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
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
    p_value: float | None  # None: the method makes no test
    method: str
    severity: str = "info"
    dimension: Dimension | None = None
    range: tuple[float, float] | None = None
    ci95: tuple[float, float] | None = None
    n: int | None = None  # requests that ended, for rates; requests, for users
    k: int | None = None  # of which failed
    history_days: int = 0
    contributions: tuple[Contribution, ...] = ()
    days: tuple[Anomaly, ...] = ()  # the flagged days behind it
    merged: tuple[Anomaly, ...] = ()  # the same change seen in another metric
    status: str = "new"  # new, ongoing, new_level

    @property
    def subject(self) -> Subject:
        return Subject(self.metric, self.dimension, self.direction)

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


def p_value(anomaly: Anomaly) -> float:
    """Of an anomaly that a test found. Raises ValueError where there was no test."""
    if anomaly.p_value is None:
        raise ValueError(f"{anomaly.method} makes no test")
    return anomaly.p_value
