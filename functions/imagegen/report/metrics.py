"""The numbers of a week, folded request by request: pure, order-free and mergeable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

DIMENSIONS = ("model", "style", "color", "size")


@dataclass(slots=True)
class Numbers:
    """What happened to a set of generation requests; credits are whole credits."""

    requests: int = 0
    completed: int = 0
    failed: int = 0
    canceled: int = 0
    in_flight: int = 0
    credits_charged: int = 0
    credits_refunded: int = 0

    @property
    def credits_net(self) -> int:
        return self.credits_charged - self.credits_refunded

    @property
    def success_rate(self) -> float | None:
        """completed / (completed + failed), or None when there are none of either."""
        ended = self.completed + self.failed
        return self.completed / ended if ended else None

    def add(self, other: Numbers) -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@dataclass(frozen=True)
class UserNumbers:
    """One user's week: net credits spent, over the week and on the busiest day."""

    requests: int
    credits: int
    busiest_day_credits: int
    busiest_day: str | None = None  # ISO date
    # Net credits of earlier active weeks (`usage.weeks` of the user document), newest last.
    earlier_weeks: tuple[tuple[int, int], ...] = ()  # (credits, busiest day's credits)


@dataclass(frozen=True)
class WeekNumbers:
    """One ISO week as the anomaly rules see it: this week's tally, or an earlier stored report."""

    week: str  # "2026-W47"
    daily: Mapping[str, Numbers]  # by ISO date, the week's seven days in order
    # dimension -> value -> ISO date -> numbers; a day without requests may be absent
    values: Mapping[str, Mapping[str, Mapping[str, Numbers]]]
    new_users: Mapping[str, int]  # by ISO date
    anomalies: tuple[Mapping[str, Any], ...] = ()  # as stored; empty for the week under test
    # What that report stored for the rules of later weeks: `Findings.memory`.
    memory: Mapping[str, Any] = field(default_factory=dict)
