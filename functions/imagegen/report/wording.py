"""An anomaly in one or two sentences, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imagegen.report.event import Event

NOUNS = {"requests": "Generations", "credits": "Credits charged", "newUsers": "New users"}
DRIVER_LIFT = 0.2  # a value drives a change when its share of it is this far above its usual share


def message(event: Event) -> str:
    """For example: Generations on 2026-02-11: 1,236, 3.0× the expected 412 (normal 269–587)."""
    parts = [f"{_what(event)} {_when(event)}: {_how_much(event)}.", *_also(event)]
    driver = next((c for c in event.contributions if c.share - c.usual_share >= DRIVER_LIFT), None)
    if driver:
        share = min(driver.share, 1.0)
        parts.append(f"Driven by {driver.name} “{driver.value}” ({share:.0%} of the change).")
    if event.status == "ongoing":
        parts.append("It was already so last week.")
    if event.status == "new_level":
        parts.append("The second week running: from now on this is taken as the new normal.")
        if event.metric == "failureRate":
            parts[-1] = "It has lasted for weeks: from now on this is taken as the new normal."
    return " ".join(parts)


def _what(event: Event) -> str:
    of = f" of {event.dimension[0]} “{event.dimension[1]}”" if event.dimension else ""
    if event.metric == "userCredits" and event.dimension:
        return f"User “{event.dimension[1]}” spent"
    if event.metric in {"failureRate", "successRate"}:
        return ("Failures" if event.metric == "failureRate" else "Success rate") + of
    return NOUNS[event.metric] + of


def _when(event: Event) -> str:
    return f"on {event.date}" if event.date else f"in week {event.week}"


def _how_much(event: Event) -> str:
    """The number, how it compares, and what is normal."""
    text = _number(event, event.actual)
    if event.metric == "userCredits":
        text += " credits"
    if event.metric == "failureRate" and event.n is not None:
        text += f" of {event.n:,} ended requests"
    if event.expected is not None:
        text += f", {_comparison(event)}"
    if event.range:
        low, high = (_number(event, each) for each in event.range)
        text += f" (normal {low}–{high})" if low != "0" else f" (normal up to {high})"
    return text


def _comparison(event: Event) -> str:
    expected = _number(event, event.expected or 0)
    against = {"userCredits": "own record of"}.get(event.metric, "expected")
    if event.method == "guard" and event.metric != "userCredits":
        against = "usual" if event.metric == "newUsers" else "last week's"
    if event.metric == "failureRate":
        return f"{against} {expected}"
    article = "" if against.startswith(("own", "last")) else "the "
    times = _times(event.ratio) if event.ratio and event.ratio >= 0.1 else "against"
    return f"{times} {article}{against} {expected}"


def _also(event: Event) -> list[str]:
    """The merged metrics, and the other days of a run of flagged days."""
    parts = [
        f"{NOUNS[each.metric]} moved with it ({_times(each.ratio)})."
        for each in event.merged
        if each.ratio is not None
    ]
    others = [day.date for day in event.days if day.date and day.date != event.date]
    if event.scope == "day" and others:
        parts.append(f"Also on {', '.join(others)}.")
    return parts


def _times(ratio: float) -> str:
    return f"{ratio:.2f}×" if ratio < 1.95 else f"{ratio:.1f}×"


def _number(event: Event, value: float) -> str:
    if event.metric in {"failureRate", "successRate"}:
        return f"{value:.1%}" if value < 0.1 else f"{value:.0%}"
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"
