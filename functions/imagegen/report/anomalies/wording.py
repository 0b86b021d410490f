"""An anomaly in one or two sentences, for people."""

from __future__ import annotations

from imagegen.report.anomalies.anomaly import Anomaly
from imagegen.report.anomalies.thresholds import DRIVER_LIFT

NOUNS = {"requests": "Generations", "credits": "Credits charged", "newUsers": "New users"}


def message(anomaly: Anomaly) -> str:
    """For example: Generations on 2026-02-11: 1,236, 3.0× the expected 412 (normal 269–587)."""
    parts = [f"{_what(anomaly)} {_when(anomaly)}: {_how_much(anomaly)}.", *_also(anomaly)]
    driver = next(
        (c for c in anomaly.contributions if c.share - c.usual_share >= DRIVER_LIFT), None
    )
    if driver:
        share = min(driver.share, 1.0)
        parts.append(f"Driven by {driver.name} “{driver.value}” ({share:.0%} of the change).")
    if anomaly.status == "ongoing":
        parts.append("It was already so last week.")
    if anomaly.status == "new_level":
        parts.append("The second week running: from now on this is taken as the new normal.")
        if anomaly.metric == "failureRate":
            parts[-1] = "It has lasted for weeks: from now on this is taken as the new normal."
    return " ".join(parts)


def _what(anomaly: Anomaly) -> str:
    of = f" of {anomaly.dimension[0]} “{anomaly.dimension[1]}”" if anomaly.dimension else ""
    if anomaly.metric == "userCredits" and anomaly.dimension:
        return f"User “{anomaly.dimension[1]}” spent"
    if anomaly.metric in {"failureRate", "successRate"}:
        return ("Failures" if anomaly.metric == "failureRate" else "Success rate") + of
    return NOUNS[anomaly.metric] + of


def _when(anomaly: Anomaly) -> str:
    return f"on {anomaly.date}" if anomaly.date else f"in week {anomaly.week}"


def _how_much(anomaly: Anomaly) -> str:
    """The number, how it compares, and what is normal."""
    text = _number(anomaly, anomaly.actual)
    if anomaly.metric == "userCredits":
        text += " credits"
    if anomaly.metric == "failureRate" and anomaly.n is not None:
        text += f" of {anomaly.n:,} ended requests"
    if anomaly.expected is not None:
        text += f", {_comparison(anomaly)}"
    if anomaly.range:
        low, high = (_number(anomaly, each) for each in anomaly.range)
        text += f" (normal {low}–{high})" if low != "0" else f" (normal up to {high})"
    return text


def _comparison(anomaly: Anomaly) -> str:
    expected = _number(anomaly, anomaly.expected or 0)
    against = {"userCredits": "own record of"}.get(anomaly.metric, "expected")
    if anomaly.method == "guard" and anomaly.metric != "userCredits":
        against = "usual" if anomaly.metric == "newUsers" else "last week's"
    if anomaly.metric == "failureRate":
        return f"{against} {expected}"
    article = "" if against.startswith(("own", "last")) else "the "
    times = _times(anomaly.ratio) if anomaly.ratio and anomaly.ratio >= 0.1 else "against"
    return f"{times} {article}{against} {expected}"


def _also(anomaly: Anomaly) -> list[str]:
    """The merged metrics, and the other days of a run of flagged days."""
    parts = [
        f"{NOUNS[each.metric]} moved with it ({_times(each.ratio)})."
        for each in anomaly.merged
        if each.ratio is not None
    ]
    others = [day.date for day in anomaly.days if day.date and day.date != anomaly.date]
    if anomaly.scope == "day" and others:
        parts.append(f"Also on {', '.join(others)}.")
    return parts


def _times(ratio: float) -> str:
    return f"{ratio:.2f}×" if ratio < 1.95 else f"{ratio:.1f}×"


def _number(anomaly: Anomaly, value: float) -> str:
    if anomaly.metric in {"failureRate", "successRate"}:
        return f"{value:.1%}" if value < 0.1 else f"{value:.0%}"
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"
