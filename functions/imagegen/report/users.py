"""Single users who spend far beyond their own record, as far as no ordinary week's user does.

The yardstick is empirical: every report stores the largest scores of users it did not flag, and an
alarm has to exceed the median of those by a wide margin and the largest by a small one. (Tail
probabilities of fitted distributions gave 24 to 190 false alarms a year.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from imagegen.report import severity
from imagegen.report.baseline import quantile
from imagegen.report.event import Event, Scope
from imagegen.report.numbers import UserNumbers, WeekNumbers
from imagegen.report.thresholds import Thresholds

EarlierWeeks = Callable[[Sequence[str]], Mapping[str, tuple[tuple[int, int], ...]]]
"""The `usage.weeks` before this one of the users asked for: (credits, busiest day's credits)."""

OWN_WEEKS = 8
SCOPES: tuple[Scope, ...] = ("week", "day")


@dataclass
class Spenders:
    """What the user rule found; `scores` is what later reports compare with."""

    events: list[Event] = field(default_factory=list)
    scores: dict[str, dict[str, float]] = field(default_factory=dict)  # group -> scope -> largest
    tests: int = 0


@dataclass(frozen=True)
class _Score:
    user_id: str
    group: str  # "known", or "new" with fewer than 2 earlier active weeks
    scope: Scope
    credits: int
    record: int  # the user's own, of the last weeks
    damping: float
    score: float  # ln((credits + damping)/(record + damping))


def find(
    week: WeekNumbers,
    history: Sequence[WeekNumbers],
    users: Iterable[tuple[str, UserNumbers]],
    t: Thresholds,
    earlier: EarlierWeeks | None = None,
) -> Spenders:
    """The users beyond every recent record, one event each, and the scores to remember."""
    everyone = dict(users)
    candidates = _candidates(everyone, t)
    if earlier is not None:
        known = earlier(sorted(candidates))
        candidates = {
            user_id: replace(each, earlier_weeks=known.get(user_id, ()))
            for user_id, each in candidates.items()
        }
    damping = {scope: _damping(everyone.values(), scope, t) for scope in SCOPES}
    scores = [
        _score(user_id, each, scope, damping[scope])
        for user_id, each in sorted(candidates.items())
        for scope in SCOPES
    ]
    limits = _limits(history, t)
    flagged = [each for each in scores if _beyond(each, limits, t)]
    guilty = {each.user_id for each in flagged}
    total = sum(max(0, each.credits) for each in everyone.values())
    events = [
        _event(week, [s for s in flagged if s.user_id == user_id], everyone[user_id], total, limits)
        for user_id in sorted(guilty)
    ]
    rest = [each for each in scores if each.user_id not in guilty]
    return Spenders(events, _largest(rest), len(scores) if limits else 0)


def _candidates(everyone: Mapping[str, UserNumbers], t: Thresholds) -> dict[str, UserNumbers]:
    """The top spenders: only their own records need to be known."""
    chosen: dict[str, UserNumbers] = {}
    for scope in SCOPES:
        ranked = sorted(everyone.items(), key=lambda item: (-_spent(item[1], scope), item[0]))
        chosen.update(ranked[: t.user_candidates])
    return chosen


def _spent(user: UserNumbers, scope: Scope) -> int:
    return user.credits if scope == "week" else user.busiest_day_credits


def _damping(users: Iterable[UserNumbers], scope: Scope, t: Thresholds) -> float:
    """So that going from 1 credit to 10 is no sensation: what an active user may well spend."""
    spent = sorted(_spent(each, scope) for each in users)
    return max(t.user_damping, quantile(spent, 0.9) if spent else 0.0)


def _score(user_id: str, user: UserNumbers, scope: Scope, damping: float) -> _Score:
    weeks = user.earlier_weeks[-OWN_WEEKS:]
    is_new = len(weeks) < 2
    record = 0 if is_new else max(0, *(each[SCOPES.index(scope)] for each in weeks))
    spent = max(0, _spent(user, scope))
    score = math.log((spent + damping) / (record + damping))
    return _Score(user_id, "new" if is_new else "known", scope, spent, record, damping, score)


def _limits(history: Sequence[WeekNumbers], t: Thresholds) -> dict[tuple[str, Scope], float]:
    """(group, scope) -> the score above which a user is flagged; empty with too few reports."""
    stored = [each.memory["userScores"] for each in history if each.memory.get("userScores")]
    if len(stored) < t.user_min_reports:
        return {}
    limits = {}
    for group, margin in (("known", t.user_margin), ("new", t.new_user_margin)):
        for scope in SCOPES:
            largest = [each.get(group, {}).get(scope, 0.0) for each in stored[-t.user_reports :]]
            above = max(max(largest) + t.user_record_margin, median(largest) + margin)
            limits[group, scope] = max(above, math.log(t.user_min_ratio))
    return limits


def _beyond(each: _Score, limits: Mapping[tuple[str, Scope], float], t: Thresholds) -> bool:
    limit = limits.get((each.group, each.scope), math.inf)
    return each.score > limit and each.credits >= t.user_min_credits


def _event(
    week: WeekNumbers,
    flagged: list[_Score],
    user: UserNumbers,
    total: int,
    limits: Mapping[tuple[str, Scope], float],
) -> Event:
    """One user's story: the week's or the busiest day's, whichever is further from the record."""
    head = max(flagged, key=lambda each: each.score)
    normal = math.exp(limits[head.group, head.scope]) * (head.record + head.damping) - head.damping
    share = user.credits / total if total > 0 else 0.0
    times = head.credits / head.record if head.record else math.exp(head.score)
    return Event(
        week=week.week,
        metric="userCredits",
        scope=head.scope,
        date=user.busiest_day if head.scope == "day" else None,
        direction="up",
        dimension=("user", head.user_id),
        actual=head.credits,
        expected=head.record if head.group == "known" else None,
        range=(0.0, float(round(normal))),
        n=user.requests,
        history_days=7 * len(user.earlier_weeks),
        severity=severity.of_user(share, times),
        method="record",
    )


def _largest(scores: Iterable[_Score]) -> dict[str, dict[str, float]]:
    largest: dict[str, dict[str, Any]] = {}
    for each in scores:
        group = largest.setdefault(each.group, {})
        group[each.scope] = max(round(each.score, 4), group.get(each.scope, 0.0))
    return largest
