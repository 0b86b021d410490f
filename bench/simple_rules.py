"""The rules that are usual elsewhere, to compare with: fixed ratios and z-scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, median, pstdev
from typing import Any

from imagegen.report.anomalies import fallback
from imagegen.report.anomalies.history import WeekNumbers
from imagegen.report.anomalies.memory import Memory
from imagegen.report.anomalies.record import AnomalyRecord
from imagegen.report.anomalies.thresholds import Thresholds
from imagegen.report.numbers import Numbers, summed

from simulated_apps import SimulatedWeek

Rule = Callable[[SimulatedWeek, list[WeekNumbers], "list[SimulatedWeek]"], tuple[list[Any], Memory]]


def fixed_ratios(
    week: SimulatedWeek, history: list[WeekNumbers], _: list[SimulatedWeek]
) -> tuple[list[Any], Memory]:
    events = fallback.find(week.numbers, history[-12:], week.users, Thresholds())
    return [AnomalyRecord.of(each).to_firestore() | {"alarm": True} for each in events], Memory()


class ZScores:
    """Every number against mean and standard deviation (or median and MAD) of its last 8 weeks."""

    def __init__(self, robust: bool) -> None:
        self.robust = robust
        self.limit = 3.5 if robust else 3.0

    def __call__(
        self, week: SimulatedWeek, history: list[WeekNumbers], lived: list[SimulatedWeek]
    ) -> tuple[list[Any], Memory]:
        self.events: dict[tuple[Any, ...], dict[str, Any]] = {}
        self.judge_counts(week.numbers, history[-8:])
        self.judge_rates(week.numbers, history[-8:])
        self.judge_users(week, lived[-8:])
        return list(self.events.values()), Memory()

    def judge_counts(self, week: WeekNumbers, past: Sequence[WeekNumbers]) -> None:
        for metric, stream in STREAMS.items():
            before = [stream(each) for each in past]
            days = [count for each in before for count in each]
            for day, count in zip(week.daily, stream(week), strict=True):
                self.report(metric, self.z(count, days), day)
            self.report(metric, self.z(sum(stream(week)), [sum(each) for each in before]), None)

    def judge_rates(self, week: WeekNumbers, past: Sequence[WeekNumbers]) -> None:
        for value in [None, *((name, each) for name, of in week.values.items() for each in of)]:
            before = [days_of(each, value) for each in past]
            rates = [rate(n) for days in before for n in days.values()]
            for day, n in days_of(week, value).items():
                self.report("failureRate", self.z(rate(n), rates), day, value)
            weeks = [rate(summed(days.values())) for days in before]
            now = rate(summed(days_of(week, value).values()))
            self.report("failureRate", self.z(now, weeks), None, value)

    def judge_users(self, week: SimulatedWeek, lived: Sequence[SimulatedWeek]) -> None:
        for key in ("credits", "busiest_day_credits"):
            largest = [max(getattr(u, key) for u in each.users.values()) for each in lived]
            user_id, user = max(week.users.items(), key=lambda item: getattr(item[1], key))
            score = self.z(getattr(user, key), largest)
            self.report("userCredits", score, None, ("user", user_id))

    def z(self, value: float | None, past: Sequence[float | None]) -> float:
        known = [each for each in past if each is not None]
        if value is None or len(known) < 4:
            return 0.0
        if self.robust:
            middle = median(known)
            spread = 1.4826 * median(abs(each - middle) for each in known)
        else:
            middle, spread = fmean(known), pstdev(known)
        return (value - middle) / max(spread, 1e-9) if value != middle else 0.0

    def report(self, metric: str, score: float, day: str | None, value: Any = None) -> None:
        way = "up" if score > 0 else "down"
        if abs(score) <= self.limit or (way == "down" and metric not in STREAMS):
            return
        event = self.events.setdefault(
            (metric, way, value),
            {
                "metric": metric,
                "direction": way,
                "dimension": {"name": value[0], "value": value[1]} if value else None,
                "date": day,
                "scope": "day",
                "days": [],
            },
        )
        event["days"].append({"date": day})
        if day is None:
            event["scope"] = "week"


STREAMS: dict[str, Callable[[WeekNumbers], list[int]]] = {
    "requests": lambda week: [n.requests for n in week.daily.values()],
    "credits": lambda week: [n.credits_charged for n in week.daily.values()],
    "newUsers": lambda week: list(week.new_users.values()),
}


def days_of(week: WeekNumbers, value: tuple[str, str] | None) -> Mapping[str, Numbers]:
    return week.values.get(value[0], {}).get(value[1], {}) if value else week.daily


def rate(n: Numbers) -> float | None:
    """The failure rate, where there is enough to speak of one."""
    ended = n.completed + n.failed
    return n.failed / ended if ended >= 10 else None
