"""The numbers of a week, added up request by request, in any order and in any number of parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import NamedTuple

DIMENSIONS = ("model", "style", "color", "size")
NO_KIND = "unknown"  # of credits that were charged or moved by a release without lots
NO_VALUE = "(none)"  # where a request lacks its model, style, color or size
SAMPLES = 5
# Of one request, or one user's week. More makes no sense, and the sums of millions of requests stay
# within Firestore's 64 bits.
MOST_CREDITS = 2**40
STATUSES = frozenset(("pending", "processing", "completed", "failed", "canceled"))
REFUNDED = frozenset(("failed", "canceled"))


class Request(NamedTuple):
    """What the report needs to know of one generation request."""

    id: str
    user_id: str
    values: tuple[str, ...]  # in the order of DIMENSIONS
    status: str
    credits: int
    changed_at: int  # when the document was last written, in epoch microseconds
    refunded_in_week: bool = False  # given back before the request's own week was over
    kinds: tuple[tuple[str, int], ...] = ()  # the kinds of the credits that it was charged
    readable: bool = True  # False: a field was missing or malformed, and was replaced


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

    def count(self, status: str, credits: int) -> None:
        """One more request; one whose status is none of the known ends counts as in flight."""
        self.requests += 1
        self.credits_charged += credits
        if status == "completed":
            self.completed += 1
        elif status == "failed":
            self.failed += 1
            self.credits_refunded += credits
        elif status == "canceled":
            self.canceled += 1
            self.credits_refunded += credits
        else:
            self.in_flight += 1

    def add(self, other: Numbers) -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


def summed(parts: Iterable[Numbers]) -> Numbers:
    total = Numbers()
    for each in parts:
        total.add(each)
    return total


@dataclass(slots=True)
class Tally:
    """A day's requests, added up. Its size depends on users and values, not on requests.

    Any split of the same requests into tallies, merged in any order, equals one tally of them all.
    """

    numbers: Numbers = field(default_factory=Numbers)
    values: dict[str, dict[str, Numbers]] = field(
        default_factory=lambda: {dimension: {} for dimension in DIMENSIONS}
    )
    users: dict[str, tuple[int, int]] = field(default_factory=dict)  # (requests, net credits)
    kinds: dict[str, tuple[int, int]] = field(default_factory=dict)  # (charged, refunded)
    credits_completed: int = 0  # of completed requests
    refunds_in_week: int = 0
    credits_refunded_in_week: int = 0
    unreadable: int = 0
    unreadable_ids: list[str] = field(default_factory=list)  # the first few, in order of id
    changed_at: int = 0  # the newest change seen, in epoch microseconds

    def count(self, request: Request) -> None:
        status, credits = request.status, request.credits
        self.numbers.count(status, credits)
        for dimension, value in zip(DIMENSIONS, request.values, strict=True):
            known = self.values[dimension]
            if value not in known:
                known[value] = Numbers()
            known[value].count(status, credits)
        spent = 0 if status in REFUNDED else credits
        for kind, part in request.kinds:
            self._count_kind(kind, part, part if status in REFUNDED else 0)
        if request.user_id:
            self._count_user(request.user_id, 1, spent)
        self.changed_at = max(self.changed_at, request.changed_at)
        if status == "completed":
            self.credits_completed += credits
        if request.refunded_in_week:
            self.refunds_in_week += 1
            self.credits_refunded_in_week += credits
        if not request.readable:
            self._count_unreadable(1, [request.id])

    def merge(self, other: Tally) -> None:
        self.numbers.add(other.numbers)
        for dimension, values in other.values.items():
            for value, numbers in values.items():
                self.values[dimension].setdefault(value, Numbers()).add(numbers)
        for user_id, (requests, spent) in other.users.items():
            self._count_user(user_id, requests, spent)
        for kind, (charged, refunded) in other.kinds.items():
            self._count_kind(kind, charged, refunded)
        self.changed_at = max(self.changed_at, other.changed_at)
        self.credits_completed += other.credits_completed
        self.refunds_in_week += other.refunds_in_week
        self.credits_refunded_in_week += other.credits_refunded_in_week
        self._count_unreadable(other.unreadable, other.unreadable_ids)

    def _count_user(self, user_id: str, requests: int, spent: int) -> None:
        before = self.users.get(user_id, (0, 0))
        self.users[user_id] = (before[0] + requests, before[1] + spent)

    def _count_kind(self, kind: str, charged: int, refunded: int) -> None:
        before = self.kinds.get(kind, (0, 0))
        self.kinds[kind] = (before[0] + charged, before[1] + refunded)

    def _count_unreadable(self, number: int, ids: Iterable[str]) -> None:
        self.unreadable += number
        self.unreadable_ids = sorted([*self.unreadable_ids, *ids])[:SAMPLES]


class UserWeek(NamedTuple):
    """What one user spent in an earlier week, in net credits."""

    credits: int
    busiest_day_credits: int


@dataclass(frozen=True)
class UserNumbers:
    """One user's week: net credits spent, over the week and on the busiest day."""

    requests: int
    credits: int
    busiest_day_credits: int
    busiest_day: str | None = None  # ISO date
    earlier_weeks: tuple[UserWeek, ...] = ()  # those with spending, newest last


def users_of_week(days: Mapping[str, Tally]) -> dict[str, UserNumbers]:
    """Every user with a request in the week; `days` by ISO date."""
    week: dict[str, tuple[int, int, int, str]] = {}  # requests, net credits, busiest day's, date
    for date in sorted(days):
        for user_id, (requests, spent) in days[date].users.items():
            before = week.get(user_id, (0, 0, 0, date))
            busiest = before[2:] if spent <= before[2] else (spent, date)
            week[user_id] = (before[0] + requests, before[1] + spent, *busiest)
    return {
        user_id: UserNumbers(requests, spent, busiest, date)
        for user_id, (requests, spent, busiest, date) in week.items()
    }
