"""Measures the anomaly rules on simulated apps, beside simpler rules: prints Markdown tables.

    functions/venv/bin/python bench/anomalies.py            # the tables of docs/benchmarks.md
    functions/venv/bin/python bench/anomalies.py --tuning   # the seeds the defaults were tuned on

Every app lives week by week: `find` judges each week with the reports, and the memory, that its own
earlier answers left. Planted anomalies are known; everything else it says is a false alarm.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from statistics import fmean, median, pstdev
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functions"))

from imagegen.report import anomalies, guards
from imagegen.report.metrics import Numbers, UserNumbers, WeekNumbers
from imagegen.report.past import summed
from imagegen.report.thresholds import Thresholds

WARM_UP = 12  # weeks before the first that is judged
JUDGED = 52
PLANTED_SHARE = 0.29  # of the judged weeks
SCALES = {"small": 20, "middle": 300, "large": 4000}  # requests a day
FIRST_MONDAY = date(2024, 1, 1)
SHARES = {
    "model": {"Model A": 0.65, "Model B": 0.35},
    "style": {
        "realistic": 0.32, "anime": 0.22, "oil painting": 0.16,
        "sketch": 0.12, "cyberpunk": 0.10, "watercolor": 0.08,
    },
    "color": {"vibrant": 0.35, "monochrome": 0.25, "pastel": 0.18, "neon": 0.12, "vintage": 0.10},
}  # fmt: skip
SIZES = {"512x512": (1, 0.5), "1024x1024": (3, 0.3), "1024x1792": (4, 0.2)}
USERS = ("one user",)
KINDS = (
    "requests day 2x", "requests day 3x", "requests day 5x",
    "requests week 1.5x", "requests week 2x", "requests week 3x",
    "requests day 0", "requests day 0.5x", "requests week 0.5x",
    "credits day", "credits week",
    "failures overall day", "failures overall week", "failures model day", "failures model week",
    "failures style day", "failures style week", "failures color day", "failures color week",
    "one user", "new users day", "new users week",
)  # fmt: skip


@dataclass(frozen=True)
class Plant:
    """What is planted in a week: its kind, its day (None: the whole week), how much, and where."""

    kind: str
    day: int | None
    size: float
    value: tuple[str, str] | None = None

    @property
    def metric(self) -> str:
        first = self.kind.split()[0]
        return {"failures": "failureRate", "one": "userCredits", "new": "newUsers"}.get(
            first, first
        )

    def on(self, day: int) -> bool:
        return self.day is None or self.day == day


@dataclass
class SimulatedWeek:
    numbers: WeekNumbers
    users: dict[str, UserNumbers]
    earlier: dict[str, tuple[tuple[int, int], ...]]
    plant: Plant | None
    abuser: str | None = None


@dataclass
class App:
    """One simulated app; `live` yields its weeks."""

    seed: int
    scale: str
    noise: str  # gamma, heavy
    plants: bool = True
    growth: float | None = None  # a week; None: drawn
    shift_week: int | None = None  # from this judged week on, twice the requests
    weeks: int = JUDGED
    warm_up: int = WARM_UP
    rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        words = [self.seed, list(SCALES).index(self.scale), self.noise == "heavy"]
        self.rng = rng = np.random.default_rng(words)
        self.base = SCALES[self.scale] * math.exp(rng.normal(0, 0.15))
        weekend = rng.uniform(0.5, 1.4)
        pattern = np.array([1, 1, 1, 1, 1, weekend, weekend]) * np.exp(
            rng.normal(0, 0.08, 7)
        )
        self.pattern = pattern / pattern.mean()
        self.alpha = rng.uniform(0.005, 0.04)
        self.growth = rng.uniform(-0.01, 0.02) if self.growth is None else self.growth
        self.drift_sigma = rng.uniform(0.0, 0.04)
        self.failure = rng.uniform(0.02, 0.08)
        self.failure_rho = rng.uniform(0.0, 0.003)
        self.new_share = rng.uniform(0.04, 0.10)
        self.new_alpha = rng.uniform(0.01, 0.06)
        n = max(20, int(self.base * 7 / 4))
        self.weights = np.exp(rng.normal(0, 1.0, n))
        self.ids = [f"u{i}" for i in range(n)]
        self.past_spent: list[tuple[np.ndarray, np.ndarray]] = [
            (np.zeros(n), np.zeros(n))
        ] * 8
        self.drift = 0.0

    def live(self) -> Iterator[SimulatedWeek]:
        for w in range(self.warm_up + self.weeks):
            judged = w - self.warm_up
            plant = None
            if self.plants and judged >= 0 and self.rng.random() < PLANTED_SHARE:
                plant = self.draw_plant()
            yield self.week(w, plant)

    def draw_plant(self) -> Plant:
        rng = self.rng
        kind = KINDS[rng.integers(len(KINDS))]
        day = int(rng.integers(7)) if " day" in kind else None
        if kind.startswith("requests"):
            return Plant(kind, day, float(kind.split()[-1].rstrip("x")))
        if kind.startswith("credits"):
            return Plant(kind, day, rng.uniform(1.7, 3.0))
        if kind.startswith("failures"):
            where = kind.split()[1]
            value = None
            if where in SHARES:
                names = list(SHARES[where])
                value = (where, str(rng.choice(names, p=list(SHARES[where].values()))))
            if value is None:
                size = (
                    rng.uniform(0.25, 0.6)
                    if day is not None
                    else rng.uniform(0.15, 0.4)
                )
            else:
                size = (
                    rng.uniform(0.4, 0.9) if day is not None else rng.uniform(0.25, 0.6)
                )
            return Plant(kind, day, size, value)
        if kind == "one user":
            return Plant(
                kind,
                None if rng.random() < 0.5 else int(rng.integers(7)),
                rng.uniform(1.5, 4),
            )
        return Plant(kind, day, rng.uniform(3, 6) if day is not None else 2.0)

    def week(self, w: int, plant: Plant | None) -> SimulatedWeek:
        rng = self.rng
        monday = FIRST_MONDAY + timedelta(weeks=w)
        dates = [str(monday + timedelta(days=i)) for i in range(7)]
        kind = plant.kind if plant else ""
        self.drift = 0.9 * self.drift + rng.normal(0, self.drift_sigma)
        trend = math.exp(self.drift) * (1 + self.growth) ** w
        if self.shift_week is not None and w - self.warm_up >= self.shift_week:
            trend *= 2
        requests = np.empty(7, dtype=int)
        new_users = {}
        for d in range(7):
            mean = self.base * trend * self.pattern[d] * self.shock(self.alpha)
            if plant and kind.startswith("requests") and plant.on(d):
                mean *= plant.size
            requests[d] = rng.poisson(mean)
            fresh = (
                self.base
                * trend
                * self.pattern[d]
                * self.new_share
                * self.shock(self.new_alpha)
            )
            if plant and kind.startswith("new") and plant.on(d):
                fresh *= plant.size
            new_users[dates[d]] = int(rng.poisson(fresh))
        self.renew(sum(new_users.values()))
        by_user = self.spread(requests)
        abuser = None
        if plant and kind == "one user":
            abuser = self.abuse(by_user, plant)
            requests = by_user.sum(axis=0)
        size_counts, credits_by_user = self.sized(by_user)
        daily_credits = credits_by_user.sum(axis=0)
        if plant and kind.startswith("credits"):
            for d in range(7):
                if plant.on(d):
                    daily_credits[d] = int(daily_credits[d] * plant.size)
                    credits_by_user[:, d] = (credits_by_user[:, d] * plant.size).astype(
                        int
                    )
        daily, values = self.tallied(dates, requests, size_counts, daily_credits, plant)
        iso = monday.isocalendar()
        numbers = WeekNumbers(f"{iso[0]}-W{iso[1]:02d}", daily, values, new_users)
        users, earlier = self.user_numbers(by_user, credits_by_user, dates)
        return SimulatedWeek(numbers, users, earlier, plant, abuser)

    def shock(self, alpha: float) -> float:
        if self.noise == "gamma":
            return self.rng.gamma(1 / alpha, alpha)
        return math.exp(
            min(1.5, max(-1.5, 0.7 * math.sqrt(alpha) * self.rng.standard_t(3)))
        )

    def renew(self, n: int) -> None:
        """New users take the places of users who leave."""
        places = self.rng.choice(
            len(self.ids), size=min(n, len(self.ids) // 2), replace=False
        )
        for place in places:
            self.ids[place] = (
                self.ids[place].split(".")[0] + f".{self.rng.integers(1 << 40)}"
            )
        self.weights[places] = np.exp(self.rng.normal(0, 1.0, len(places)))
        self.past_spent = [(w.copy(), d.copy()) for w, d in self.past_spent]
        for weekly, daily in self.past_spent:
            weekly[places] = 0
            daily[places] = 0

    def spread(self, requests: np.ndarray) -> np.ndarray:
        """Each day's requests over the users: personal rates, bursty weeks, idle days."""
        n = len(self.ids)
        weekly = (
            self.weights * self.rng.gamma(1.0, 1.0, n) * (self.rng.random(n) < 0.75)
        )
        active = self.rng.random((n, 7)) < 0.4
        spread = np.zeros((n, 7), dtype=int)
        for d in range(7):
            weights = weekly * active[:, d]
            if weights.sum() == 0:
                weights = np.ones(n)
            spread[:, d] = self.rng.multinomial(requests[d], weights / weights.sum())
        return spread

    def abuse(self, by_user: np.ndarray, plant: Plant) -> str:
        """One ordinary user orders a multiple of what the heaviest user does."""
        totals = by_user.sum(axis=1)
        heavy = max(15.0, float(totals.max()))
        ordinary = np.flatnonzero(totals <= np.median(totals[totals > 0]))
        place = int(self.rng.choice(ordinary))
        extra = int(heavy * plant.size)
        if plant.day is None:
            by_user[place] += self.rng.multinomial(extra, np.ones(7) / 7)
        else:
            by_user[place, plant.day] += extra
        return self.ids[place]

    def sized(self, by_user: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Requests by size and day, and credits by user and day."""
        prices = np.array([price for price, _ in SIZES.values()])
        counts = np.zeros((3, 7), dtype=int)
        spent = np.zeros_like(by_user)
        for d in range(7):
            p = self.rng.dirichlet(
                300 * np.array([share for _, share in SIZES.values()])
            )
            large = self.rng.binomial(by_user[:, d], p[2])
            middle = self.rng.binomial(by_user[:, d] - large, p[1] / (p[0] + p[1]))
            small = by_user[:, d] - large - middle
            counts[:, d] = small.sum(), middle.sum(), large.sum()
            spent[:, d] = small * prices[0] + middle * prices[1] + large * prices[2]
        return counts, spent

    def tallied(
        self,
        dates: list[str],
        requests: np.ndarray,
        sizes: np.ndarray,
        credits_by_day: np.ndarray,
        plant: Plant | None,
    ) -> tuple[dict[str, Numbers], dict[str, dict[str, dict[str, Numbers]]]]:
        rng = self.rng
        daily: dict[str, Numbers] = {}
        values: dict[str, dict[str, dict[str, Numbers]]] = {
            name: {value: {} for value in shares}
            for name, shares in {**SHARES, "size": SIZES}.items()
        }
        failing = plant.value if plant and plant.metric == "failureRate" else None
        lead = failing[0] if failing else "style"
        for d, day in enumerate(dates):
            n = {
                name: rng.multinomial(
                    requests[d], rng.dirichlet(300 * np.array(list(s.values())))
                )
                for name, s in SHARES.items()
            }
            n["size"] = sizes[:, d]
            size = 1 / max(self.failure_rho, 1e-4) - 1
            p = rng.beta(self.failure * size, (1 - self.failure) * size)
            hit = plant is not None and plant.metric == "failureRate" and plant.on(d)
            names = list(values[lead])
            rates = np.full(len(names), p)
            if hit and plant:
                rates = np.array(
                    [
                        max(p, plant.size) if failing is None or failing[1] == v else p
                        for v in names
                    ]
                )
            failed = {lead: rng.binomial(n[lead], rates)}
            total = int(failed[lead].sum())
            for name, counts in n.items():
                if name != lead:
                    failed[name] = rng.multivariate_hypergeometric(counts, total)
            price = credits_by_day[d] / max(1, requests[d])
            daily[day] = _numbers(int(requests[d]), total, int(credits_by_day[d]))
            for name, counts in n.items():
                unit = (
                    np.array([c for c, _ in SIZES.values()])
                    if name == "size"
                    else price
                )
                for value, k, f, c in zip(
                    values[name], counts, failed[name], counts * unit, strict=True
                ):
                    if k:
                        values[name][value][day] = _numbers(int(k), int(f), int(c))
        return daily, values

    def user_numbers(
        self, by_user: np.ndarray, spent: np.ndarray, dates: list[str]
    ) -> tuple[dict[str, UserNumbers], dict[str, tuple[tuple[int, int], ...]]]:
        weekly, busiest = spent.sum(axis=1), spent.max(axis=1)
        which, orders = spent.argmax(axis=1).tolist(), by_user.sum(axis=1).tolist()
        w, b = weekly.tolist(), busiest.tolist()
        users = {
            self.ids[i]: UserNumbers(orders[i], w[i], b[i], dates[which[i]])
            for i in np.flatnonzero(weekly).tolist()
        }
        top = set(np.argsort(-weekly)[:60].tolist()) | set(
            np.argsort(-busiest)[:60].tolist()
        )
        earlier = {
            self.ids[i]: tuple(
                (int(a[i]), int(c[i])) for a, c in self.past_spent if a[i]
            )
            for i in top
        }
        self.past_spent = [*self.past_spent[1:], (weekly, busiest)]
        return users, earlier


def _numbers(requests: int, failed: int, credits: int) -> Numbers:
    refunded = round(credits * failed / requests) if requests else 0
    return Numbers(
        requests=requests,
        completed=requests - failed,
        failed=failed,
        credits_charged=credits,
        credits_refunded=refunded,
    )


# ---- the rules under test: a week and the weeks before it -> the events it reports ----

Rule = Callable[
    [SimulatedWeek, list[WeekNumbers], "list[SimulatedWeek]"], tuple[list[Any], Any]
]


def ours(t: Thresholds) -> Rule:
    def rule(
        week: SimulatedWeek, history: list[WeekNumbers], _: list[SimulatedWeek]
    ) -> tuple[list[Any], Any]:
        found = anomalies.find(
            week.numbers,
            history[-12:],
            week.users.items(),
            t,
            lambda ids: {user_id: week.earlier.get(user_id, ()) for user_id in ids},
        )
        return found.anomalies, found.memory

    return rule


def fixed_ratios(
    week: SimulatedWeek, history: list[WeekNumbers], _: list[SimulatedWeek]
) -> tuple[list[Any], Any]:
    events = guards.find(week.numbers, history[-12:], week.users.items(), Thresholds())
    return [each.as_json() for each in events], {}


def z_scores(robust: bool) -> Rule:
    """Every number against mean and standard deviation (or median and MAD) of its last 8 weeks."""
    limit = 3.5 if robust else 3.0

    def z(value: float, past: Sequence[float]) -> float:
        if len(past) < 4:
            return 0.0
        if robust:
            middle = median(past)
            spread = 1.4826 * median(abs(each - middle) for each in past)
        else:
            middle, spread = fmean(past), pstdev(past)
        return (value - middle) / max(spread, 1e-9) if value != middle else 0.0

    def rule(
        week: SimulatedWeek, history: list[WeekNumbers], lived: list[SimulatedWeek]
    ) -> tuple[list[Any], Any]:
        past = history[-8:]
        events: dict[tuple[Any, ...], dict[str, Any]] = {}

        def report(
            metric: str, score: float, day: str | None, value: Any = None
        ) -> None:
            way = "up" if score > 0 else "down"
            if abs(score) > limit and (
                way == "up" or metric in {"requests", "credits", "newUsers"}
            ):
                dimension = {"name": value[0], "value": value[1]} if value else None
                event = events.setdefault(
                    (metric, way, value),
                    {"metric": metric, "direction": way, "dimension": dimension, "date": day,
                     "scope": "day", "days": [], "merged": [], "status": "new"},
                )  # fmt: skip
                event["days"].append({"date": day})
                if day is None:
                    event["scope"] = "week"

        streams: dict[str, Callable[[WeekNumbers], list[float]]] = {
            "requests": lambda w: [n.requests for n in w.daily.values()],
            "credits": lambda w: [n.credits_charged for n in w.daily.values()],
            "newUsers": lambda w: list(w.new_users.values()),
        }
        for metric, stream in streams.items():
            before = [stream(each) for each in past]
            flat = [x for each in before for x in each]
            for day, x in zip(week.numbers.daily, stream(week.numbers), strict=True):
                report(metric, z(x, flat), day)
            report(
                metric,
                z(sum(stream(week.numbers)), [sum(each) for each in before]),
                None,
            )
        for value in [
            None,
            *((a, b) for a, bs in week.numbers.values.items() for b in bs),
        ]:

            def days(w: WeekNumbers, value: Any = value) -> Mapping[str, Numbers]:
                return (
                    w.values.get(value[0], {}).get(value[1], {}) if value else w.daily
                )

            old = [
                rate
                for w in past
                for n in days(w).values()
                if (rate := _rate(n)) is not None
            ]
            for day, n in days(week.numbers).items():
                if (rate := _rate(n)) is not None:
                    report("failureRate", z(rate, old), day, value)
            weeks = [
                rate
                for w in past
                if (rate := _rate(summed(days(w).values()))) is not None
            ]
            if (rate := _rate(summed(days(week.numbers).values()))) is not None:
                report("failureRate", z(rate, weeks), None, value)
        for key in ("credits", "busiest_day_credits"):
            largest = [
                max(getattr(u, key) for u in w.users.values()) for w in lived[-8:]
            ]
            user_id, user = max(
                week.users.items(), key=lambda item: getattr(item[1], key)
            )
            report(
                "userCredits", z(getattr(user, key), largest), None, ("user", user_id)
            )
        return list(events.values()), {}

    return rule


def _rate(n: Numbers) -> float | None:
    ended = n.completed + n.failed
    return n.failed / ended if ended >= 10 else None


# ---- scoring ----


@dataclass
class Score:
    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)
    years: float = 0.0
    examples: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return self.found.total() / max(1, self.planted.total())

    @property
    def precision(self) -> float:
        return self.found.total() / max(1, self.found.total() + self.false.total())

    @property
    def false_a_year(self) -> float:
        return self.false.total() / max(1e-9, self.years)


def explains(plant: Plant | None, event: Mapping[str, Any]) -> bool:
    """Whether an event is the planted anomaly or a consequence of it."""
    if plant is None:
        return False
    way = "down" if plant.kind.startswith("requests") and plant.size < 1 else "up"
    if event["metric"] in {"failureRate", "successRate"}:
        return plant.metric == "failureRate"
    if event["direction"] != way:
        return False
    return (
        event["metric"]
        in {
            "requests": {"requests", "credits"},
            "credits": {"credits"},
            "failureRate": set(),
            "userCredits": {"userCredits", "requests", "credits"},
            "newUsers": {"newUsers"},
        }[plant.metric]
    )


def hits(week: SimulatedWeek, event: Mapping[str, Any]) -> bool:
    """Whether an event names the planted anomaly itself: metric, direction, value, user and day."""
    plant = week.plant
    if plant is None or not explains(plant, event):
        return False
    if plant.metric == "userCredits":
        return bool(
            event["metric"] == "userCredits"
            and event["dimension"]["value"] == week.abuser
        )
    if plant.metric == "failureRate":
        named = event["dimension"] and (
            event["dimension"]["name"],
            event["dimension"]["value"],
        )
        if named != plant.value or event["metric"] != "failureRate":
            return False
    if plant.day is None or event["scope"] == "week":
        return True
    day = list(week.numbers.daily)[plant.day]
    return day == event["date"] or any(each["date"] == day for each in event["days"])


def run(app: App, rules: Mapping[str, Rule], scores: Mapping[str, Score]) -> None:
    """One app's life under every rule, each with its own memory."""
    lived = list(app.live())
    for name, rule in rules.items():
        history: list[WeekNumbers] = []
        score = scores[name]
        for w, week in enumerate(lived):
            events, memory = rule(week, history, lived[:w])
            history.append(
                replace(week.numbers, anomalies=tuple(events), memory=memory)
            )
            if w < app.warm_up:
                continue
            score.years += 1 / 52
            if week.plant:
                key = f"{week.plant.kind}|{app.scale}"
                score.planted[key] += 1
                score.found[key] += any(hits(week, event) for event in events)
            for event in events:
                if not explains(week.plant, event):
                    value = event["dimension"]["name"] if event["dimension"] else ""
                    score.false[
                        f"{event['metric']} {value} {event['direction']} {event['scope']}|{app.scale}"
                    ] += 1


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--apps", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--noise", default="gamma")
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    rules = {
        "fixed": fixed_ratios,
        "3-sigma": z_scores(False),
        "robust z": z_scores(True),
        "ours": ours(Thresholds()),
    }
    if args.only:
        rules = {args.only: rules[args.only]}
    scores = {name: Score() for name in rules}
    began = time.perf_counter()
    for i in range(args.apps):
        for scale in SCALES:
            run(App(args.seed + i, scale, args.noise), rules, scores)
    for name, s in scores.items():
        print(
            f"{name}: recall {s.recall:.3f} precision {s.precision:.2f} false/yr {s.false_a_year:.1f} n={s.planted.total()}"
        )
    s = scores["ours"] if "ours" in scores else s
    print(f"{time.perf_counter() - began:.0f} s")
    for kind in KINDS:
        cells = [f"{s.found[f'{kind}|{c}']}/{s.planted[f'{kind}|{c}']}" for c in SCALES]
        tot = sum(s.planted[f"{kind}|{c}"] for c in SCALES)
        print(
            f"{kind:25} {sum(s.found[f'{kind}|{c}'] for c in SCALES) / max(1, tot):.2f}",
            cells,
        )
    per = defaultdict(dict)
    for key, n in s.false.items():
        what, scale = key.split("|")
        per[what][scale] = n / (s.years / 3)
    for what, cells in sorted(per.items(), key=lambda kv: -sum(kv[1].values())):
        print(f"{what:40}", {k: round(v, 2) for k, v in cells.items()})


if __name__ == "__main__":
    main()
