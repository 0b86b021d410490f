"""How much an anomaly matters: the gravest rule that applies, never a sum."""

from __future__ import annotations

from collections.abc import Iterable

from imagegen.report.anomalies.anomaly import Anomaly

SEVERITIES = ("critical", "high", "medium", "low", "info")  # gravest first


def gravest(severities: Iterable[str]) -> str:
    return min(severities, key=SEVERITIES.index)


def of_count(anomaly: Anomaly, unit: float) -> str:
    """Of a day or week of requests, credits or new users; `unit` credits are worth a request."""
    ratio = anomaly.ratio or 0.0
    if anomaly.direction == "up":
        return _first([(ratio >= 10, "critical"), (ratio >= 3, "high"), (ratio >= 1.75, "medium")])
    stopped = anomaly.actual == 0 and (anomaly.expected or 0) >= 20 * unit
    return _first([(stopped, "critical"), (ratio <= 0.3, "high"), (ratio <= 0.6, "medium")])


def of_failure_rate(anomaly: Anomaly) -> str:
    """Of a failure rate: by how many percentage points it rose, and whether half of all fail."""
    rise = round(anomaly.actual - (anomaly.expected or 0.0), 9)  # 15 % less 5 % is 10 points
    half = anomaly.actual >= 0.5 and (anomaly.n or 0) >= 30
    return _first([(half, "critical"), (rise >= 0.2, "high"), (rise >= 0.1, "medium")])


def of_user(share_of_all: float, times_own_record: float) -> str:
    """Of one user's spending, by its part of everybody's credits and the user's own record."""
    return _first(
        [
            (share_of_all >= 0.5, "critical"),
            (share_of_all >= 0.2 or times_own_record >= 10, "high"),
            (times_own_record >= 3, "medium"),
        ]
    )


def _first(cases: list[tuple[bool, str]]) -> str:
    return next((severity for holds, severity in cases if holds), "low")
