"""What is behind a changed count: the values that make it up, and changes that are the same one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from imagegen.report.event import Contribution, Event
from imagegen.report.numbers import Numbers, WeekNumbers
from imagegen.report.past import Past
from imagegen.report.thresholds import Thresholds


def with_contributions(event: Event, week: WeekNumbers, past: Past, t: Thresholds) -> Event:
    """The event with the values that make up much of its change, the most telling first.

    A value's part of normal days is its usual share; what it has beyond that part of the
    expectation is its share of the change.
    """
    change = event.actual - (event.expected or 0.0)
    if event.metric == "newUsers" or event.expected is None or not change:
        return event
    known = set(past.days) - past.masked.get((event.metric, None), set())
    everything = sum(_amount(event, each.daily, known) for each in past.weeks)
    found = []
    for name, values in week.values.items():
        for value, days in values.items():
            earlier = (each.values.get(name, {}).get(value, {}) for each in past.weeks)
            usual = sum(_amount(event, each, known) for each in earlier)
            usual_share = usual / everything if everything else 0.0
            now = _amount(event, days, days.keys() if event.date is None else [event.date])
            share = (now - event.expected * usual_share) / change
            if share >= t.contribution:
                found.append(Contribution(name, value, share, usual_share))
    return replace(event, contributions=most_telling(found))


def most_telling(found: Iterable[Contribution]) -> tuple[Contribution, ...]:
    """Those first whose share of the change is furthest above their usual share."""
    return tuple(sorted(found, key=lambda c: (c.usual_share - c.share, c.name, c.value)))


def merged(events: Iterable[Event], t: Thresholds) -> list[Event]:
    """A change of credits that is only the change of requests becomes a part of that event."""
    kept: dict[tuple[str, str], Event] = {}
    for event in events:
        cause = kept.get(("requests", event.direction))
        if event.metric == "credits" and cause and _same_change(event, cause, t):
            kept["requests", event.direction] = replace(cause, merged=(event,))
        else:
            kept[event.metric, event.direction] = event
    return list(kept.values())


def _same_change(credits: Event, requests: Event, t: Thresholds) -> bool:
    ours, theirs = credits.ratio or 0.0, requests.ratio or 0.0
    return abs(ours - theirs) <= t.merge_tolerance * max(theirs, 0.2)


def _amount(event: Event, by_day: Mapping[str, Numbers], days: Iterable[str]) -> int:
    """Credits, or requests, of the days that there are."""
    numbers = (by_day[day] for day in days if day in by_day)
    if event.metric == "credits":
        return sum(each.credits_charged for each in numbers)
    return sum(each.requests for each in numbers)
