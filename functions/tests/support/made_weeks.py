"""Weeks of numbers for the anomaly rules: an app with a steady, slightly uneven life."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from imagegen.report.anomalies.find import Findings, find
from imagegen.report.anomalies.history import WeekNumbers
from imagegen.report.anomalies.memory import Memory
from imagegen.report.anomalies.thresholds import Thresholds
from imagegen.report.numbers import Numbers, UserNumbers

MONDAY = date(2026, 1, 5)  # of 2026-W02
STYLES = {"anime": 0.5, "sketch": 0.3, "watercolor": 0.2}
UNEVEN = (1.0, 1.06, 0.95, 1.03, 0.98, 1.08, 0.92, 1.02, 0.97, 1.05, 0.94)
DEFAULTS = Thresholds()
NOBODY: Mapping[str, UserNumbers] = {}


Failing = Mapping[tuple[str | None, int], float]  # (style or all, weekday) -> failure rate


def dates(w: int) -> list[str]:
    return [str(MONDAY + timedelta(weeks=w, days=d)) for d in range(7)]


def made_week(
    w: int,
    *,
    requests: float = 300,
    times: Mapping[int, float] | float = 1.0,
    price: Mapping[int, float] | float = 2.0,
    failing: Failing | None = None,
    new_users: Mapping[int, int] | int = 15,
    only: str | None = None,
) -> WeekNumbers:
    """The w-th week: by weekday, times so many requests at a price, of which a share fails.

    `failing` sets failure rates of (style or None for all, weekday); `only` gives what is beyond
    the usual to one style.
    """
    daily: dict[str, Numbers] = {}
    styles: dict[str, dict[str, Numbers]] = {style: {} for style in STYLES}
    for d, day in enumerate(dates(w)):
        usual = requests * UNEVEN[(7 * w + d) % len(UNEVEN)] * (0.7 if d >= 5 else 1.0)
        factor = times if isinstance(times, int | float) else times.get(d, 1.0)
        cost = price if isinstance(price, int | float) else price.get(d, 2.0)
        total = Numbers()
        for style, share in STYLES.items():
            n = round(usual * share * (factor if only in {None, style} else 1.0))
            if only == style:
                n = round(usual * share + usual * (factor - 1))
            rate = (failing or {}).get((style, d), (failing or {}).get((None, d), 0.05))
            k = round(n * rate)
            numbers = Numbers(n, n - k, k, credits_charged=round(n * cost))
            styles[style][day] = numbers
            total.add(numbers)
        daily[day] = total
    fresh = {
        day: new_users if isinstance(new_users, int) else new_users.get(d, 15)
        for d, day in enumerate(dates(w))
    }
    iso = date.fromisoformat(dates(w)[0]).isocalendar()
    return WeekNumbers(f"{iso.year}-W{iso.week:02d}", daily, {"style": styles}, fresh)


def lived(
    weeks: Sequence[WeekNumbers],
    users: Sequence[Mapping[str, UserNumbers]] | None = None,
    thresholds: Thresholds = DEFAULTS,
) -> list[Findings]:
    """What every week's report says, each with the memory of those before it."""
    history: list[WeekNumbers] = []
    said = []
    for w, week in enumerate(weeks):
        found = find(week, history, users[w] if users else NOBODY, thresholds)
        said.append(found)
        history = [*history, stored(week, found)][-12:]
    return said


def stored(week: WeekNumbers, found: Findings) -> WeekNumbers:
    """The week as a later report gets it back."""
    memory = Memory.from_firestore(found.memory.to_firestore())
    return WeekNumbers(week.week, week.daily, week.values, week.new_users, memory)


def steady(n: int, **settings: Any) -> list[WeekNumbers]:
    return [made_week(w, **settings) for w in range(n)]


def last(said: Sequence[Findings]) -> list[Any]:
    return said[-1].anomalies
