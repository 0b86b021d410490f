"""What was out of the ordinary in a week, judged by the weeks before it: pure and deterministic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imagegen.report import guards
from imagegen.report.event import Event
from imagegen.report.metrics import UserNumbers, WeekNumbers
from imagegen.report.thresholds import Thresholds

SEVERITIES = ("critical", "high", "medium", "low", "info")


@dataclass(frozen=True)
class Findings:
    """What `find` found; every field but the flag is ready for JSON and Firestore."""

    anomalies: list[dict[str, Any]]  # gravest first
    # metric -> ISO date -> {expected, low, high}: what charts draw behind the actual numbers
    bands: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    memory: dict[str, Any] = field(default_factory=dict)  # comes back as WeekNumbers.memory
    insufficient_history: bool = False  # too few days for the count tests
    tests: dict[str, Any] = field(default_factory=dict)  # how many were run, of each kind
    thresholds: dict[str, Any] = field(default_factory=dict)  # as used


def find(
    week: WeekNumbers,
    history: Sequence[WeekNumbers],
    users: Iterable[tuple[str, UserNumbers]],
    thresholds: Thresholds,
) -> Findings:
    """The anomalies of `week`, given the reports before it (oldest first, the last 12)."""
    everyone = dict(users)
    events: list[Event] = []
    if thresholds.keep_guards or len(history) < thresholds.guard_reports:
        known = {each.subject for each in events}
        stand_ins = guards.find(week, history, everyone.items(), thresholds)
        events += [each for each in stand_ins if each.subject not in known]
    return Findings(
        anomalies=[each.as_json() for each in sorted(events, key=_gravest_first)],
        thresholds=thresholds.as_json(),
    )


def _gravest_first(event: Event) -> tuple[Any, ...]:
    return (SEVERITIES.index(event.severity), -(event.ratio or 0), event.id)


def worth_announcing(anomalies: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those of medium severity and up."""
    loud = SEVERITIES[: SEVERITIES.index("medium") + 1]
    return [each for each in anomalies if each["severity"] in loud]
