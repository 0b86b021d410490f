"""Single users who spend far beyond their own record, farther than anybody in an ordinary week.

What is ordinary is measured: every report stores the largest scores of the users it did not flag,
and an alarm has to exceed the median of those by a wide margin and the largest by a small one.
(Tail probabilities of fitted distributions gave 24 to 190 false alarms a year.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from imagegen.report.anomalies import severity
from imagegen.report.anomalies.anomaly import Anomaly, Dimension, Scope
from imagegen.report.anomalies.history import WeekNumbers
from imagegen.report.anomalies.statistics import quantile
from imagegen.report.anomalies.thresholds import (
    KNOWN_USER_MIN_WEEKS,
    USER_DAMPING_QUANTILE,
    USER_WEEKS,
    Thresholds,
)
from imagegen.report.numbers import UserNumbers, UserWeek

EarlierWeeks = Callable[[Sequence[str]], Mapping[str, tuple[UserWeek, ...]]]
"""The earlier active weeks, newest last, of the users asked for; a user without is not judged."""

SCOPES: tuple[Scope, ...] = ("week", "day")
AlarmScores = dict[tuple[str, Scope], float]  # by group and scope


@dataclass
class Spenders:
    """What this rule found; later reports compare with `scores`."""

    anomalies: list[Anomaly] = field(default_factory=list)
    scores: dict[str, dict[str, float]] = field(default_factory=dict)  # group -> scope -> largest
    tests: int = 0


@dataclass(frozen=True)
class _Score:
    user_id: str
    group: str  # "known" or "new"
    scope: Scope
    credits: int
    record: int  # the user's own, of the last weeks
    damping: float
    score: float  # ln((credits + damping)/(record + damping))


def find(
    week: WeekNumbers,
    earlier: Sequence[WeekNumbers],
    active_users: Mapping[str, UserNumbers],
    t: Thresholds,
    earlier_weeks: EarlierWeeks | None = None,
) -> Spenders:
    """One anomaly for each user beyond all recent scores, and the scores to store."""
    candidates = _candidates(active_users, t)
    if earlier_weeks is not None:
        known = earlier_weeks(sorted(candidates))
        candidates = {
            user_id: replace(each, earlier_weeks=known[user_id])
            for user_id, each in candidates.items()
            if user_id in known
        }
    damping = {scope: _damping(active_users.values(), scope, t) for scope in SCOPES}
    scores = [
        _score(user_id, each, scope, damping[scope])
        for user_id, each in sorted(candidates.items())
        for scope in SCOPES
    ]
    alarms = _alarm_scores(earlier, t)
    flagged = [each for each in scores if _is_beyond(each, alarms, t)]
    flagged_users = {each.user_id for each in flagged}
    total = sum(max(0, each.credits) for each in active_users.values())
    anomalies = [
        _anomaly(
            week, [s for s in flagged if s.user_id == user_id], active_users[user_id], total, alarms
        )
        for user_id in sorted(flagged_users)
    ]
    rest = [each for each in scores if each.user_id not in flagged_users]
    return Spenders(anomalies, _largest(rest), len(scores) if alarms else 0)


def _candidates(active_users: Mapping[str, UserNumbers], t: Thresholds) -> dict[str, UserNumbers]:
    """The top spenders: only their own records need to be known."""
    chosen: dict[str, UserNumbers] = {}
    for scope in SCOPES:
        ranked = sorted(active_users.items(), key=lambda item: (-_spent(item[1], scope), item[0]))
        chosen.update(ranked[: t.user_candidates])
    return chosen


def _spent(user: UserNumbers | UserWeek, scope: Scope) -> int:
    return user.credits if scope == "week" else user.busiest_day_credits


def _damping(users: Iterable[UserNumbers], scope: Scope, t: Thresholds) -> float:
    """What an active user may well spend: with it, going from 1 credit to 10 is no alarm."""
    spent = sorted(_spent(each, scope) for each in users)
    return max(t.user_damping, quantile(spent, USER_DAMPING_QUANTILE) if spent else 0.0)


def _score(user_id: str, user: UserNumbers, scope: Scope, damping: float) -> _Score:
    weeks = user.earlier_weeks[-USER_WEEKS:]
    is_new = len(weeks) < KNOWN_USER_MIN_WEEKS
    record = 0 if is_new else max(0, *(_spent(each, scope) for each in weeks))
    spent = max(0, _spent(user, scope))
    score = math.log((spent + damping) / (record + damping))
    return _Score(user_id, "new" if is_new else "known", scope, spent, record, damping, score)


def _alarm_scores(earlier: Sequence[WeekNumbers], t: Thresholds) -> AlarmScores:
    """The scores above which users are flagged; none with too few reports."""
    stored = [each.memory.user_scores for each in earlier if each.memory.user_scores]
    if len(stored) < t.user_min_reports:
        return {}
    alarms: AlarmScores = {}
    for group, margin in (("known", t.user_margin), ("new", t.new_user_margin)):
        for scope in SCOPES:
            largest = [each.get(group, {}).get(scope, 0.0) for each in stored[-t.user_reports :]]
            above = max(max(largest) + t.user_record_margin, median(largest) + margin)
            alarms[group, scope] = max(above, math.log(t.user_min_ratio))
    return alarms


def _is_beyond(each: _Score, alarms: AlarmScores, t: Thresholds) -> bool:
    alarm = alarms.get((each.group, each.scope), math.inf)
    return each.score > alarm and each.credits >= t.user_min_credits


def _anomaly(
    week: WeekNumbers,
    flagged: list[_Score],
    user: UserNumbers,
    total: int,
    alarms: AlarmScores,
) -> Anomaly:
    """The user's week or busiest day, whichever is further from the record."""
    head = max(flagged, key=lambda each: each.score)
    normal = math.exp(alarms[head.group, head.scope]) * (head.record + head.damping) - head.damping
    share = user.credits / total if total > 0 else 0.0
    times = head.credits / head.record if head.record else math.exp(head.score)
    return Anomaly(
        week=week.week,
        metric="userCredits",
        scope=head.scope,
        date=user.busiest_day if head.scope == "day" else None,
        direction="up",
        dimension=Dimension("user", head.user_id),
        actual=head.credits,
        expected=head.record if head.group == "known" else None,
        p_value=None,
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
