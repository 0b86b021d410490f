"""Simulated apps with planted anomalies: seeded, so that everybody measures the same ones.

Requests a day are Poisson around a mean that has a weekday pattern, a trend, a slow drift and a
daily shock: gamma, or heavy-tailed (the exponential of Student's t with 3 degrees of freedom).
Users order in bursts, come and leave; failures and the mix of sizes scatter from day to day.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from imagegen.report.anomalies.history import WeekNumbers
from imagegen.report.numbers import Numbers, UserNumbers, UserWeek

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
    earlier: dict[str, tuple[UserWeek, ...]]
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
        pattern = np.array([1, 1, 1, 1, 1, weekend, weekend]) * np.exp(rng.normal(0, 0.08, 7))
        self.pattern = pattern / pattern.mean()
        self.alpha = math.exp(rng.uniform(math.log(0.003), math.log(0.04)))
        self.growth = rng.uniform(-0.01, 0.02) if self.growth is None else self.growth
        self.drift_sigma = rng.uniform(0.0, 0.04)
        self.failure = rng.uniform(0.02, 0.08)
        self.failure_rho = rng.uniform(0.0, 0.003)
        self.new_share = rng.uniform(0.04, 0.10)
        self.new_alpha = rng.uniform(0.01, 0.06)
        n = max(20, int(self.base * 7 / 4))
        self.weights = np.exp(rng.normal(0, 1.0, n))
        self.ids = [f"u{i}" for i in range(n)]
        self.past_spent: list[tuple[np.ndarray, np.ndarray]] = [(np.zeros(n), np.zeros(n))] * 8
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
                size = rng.uniform(0.25, 0.6) if day is not None else rng.uniform(0.15, 0.4)
            else:
                size = rng.uniform(0.4, 0.9) if day is not None else rng.uniform(0.25, 0.6)
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
        trend = math.exp(self.drift) * (1 + (self.growth or 0)) ** w
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
                self.base * trend * self.pattern[d] * self.new_share * self.shock(self.new_alpha)
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
                    credits_by_user[:, d] = (credits_by_user[:, d] * plant.size).astype(int)
        daily, values = self.tallied(dates, requests, size_counts, daily_credits, plant)
        iso = monday.isocalendar()
        numbers = WeekNumbers(f"{iso[0]}-W{iso[1]:02d}", daily, values, new_users)
        users, earlier = self.user_numbers(by_user, credits_by_user, dates)
        return SimulatedWeek(numbers, users, earlier, plant, abuser)

    def shock(self, alpha: float) -> float:
        if self.noise == "gamma":
            return self.rng.gamma(1 / alpha, alpha)
        return math.exp(min(1.5, max(-1.5, 0.7 * math.sqrt(alpha) * self.rng.standard_t(3))))

    def renew(self, n: int) -> None:
        """New users take the places of users who leave."""
        places = self.rng.choice(len(self.ids), size=min(n, len(self.ids) // 2), replace=False)
        for place in places:
            self.ids[place] = self.ids[place].split(".")[0] + f".{self.rng.integers(1 << 40)}"
        self.weights[places] = np.exp(self.rng.normal(0, 1.0, len(places)))
        self.past_spent = [(w.copy(), d.copy()) for w, d in self.past_spent]
        for weekly, daily in self.past_spent:
            weekly[places] = 0
            daily[places] = 0

    def spread(self, requests: np.ndarray) -> np.ndarray:
        """Each day's requests over the users: personal rates, bursty weeks, idle days."""
        n = len(self.ids)
        weekly = self.weights * self.rng.gamma(1.0, 1.0, n) * (self.rng.random(n) < 0.75)
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
            p = self.rng.dirichlet(300 * np.array([share for _, share in SIZES.values()]))
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
            name: {value: {} for value in names}
            for name, names in [*((n, list(s)) for n, s in SHARES.items()), ("size", list(SIZES))]
        }
        failing = plant.value if plant and plant.metric == "failureRate" else None
        lead = failing[0] if failing else "style"
        for d, day in enumerate(dates):
            n = {
                name: rng.multinomial(requests[d], rng.dirichlet(300 * np.array(list(s.values()))))
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
                    [max(p, plant.size) if failing is None or failing[1] == v else p for v in names]
                )
            failed = {lead: rng.binomial(n[lead], rates)}
            total = int(failed[lead].sum())
            for name, counts in n.items():
                if name != lead:
                    failed[name] = rng.multivariate_hypergeometric(counts, total)
            price = credits_by_day[d] / max(1, requests[d])
            daily[day] = _numbers(int(requests[d]), total, int(credits_by_day[d]))
            for name, counts in n.items():
                unit = np.array([c for c, _ in SIZES.values()]) if name == "size" else price
                for value, k, f, c in zip(
                    values[name], counts, failed[name], counts * unit, strict=True
                ):
                    if k:
                        values[name][value][day] = _numbers(int(k), int(f), int(c))
        return daily, values

    def user_numbers(
        self, by_user: np.ndarray, spent: np.ndarray, dates: list[str]
    ) -> tuple[dict[str, UserNumbers], dict[str, tuple[UserWeek, ...]]]:
        weekly, busiest = spent.sum(axis=1), spent.max(axis=1)
        which, orders = spent.argmax(axis=1).tolist(), by_user.sum(axis=1).tolist()
        w, b = weekly.tolist(), busiest.tolist()
        users = {
            self.ids[i]: UserNumbers(orders[i], w[i], b[i], dates[which[i]])
            for i in np.flatnonzero(weekly).tolist()
        }
        top = set(np.argsort(-weekly)[:60].tolist()) | set(np.argsort(-busiest)[:60].tolist())
        earlier = {
            self.ids[i]: tuple(UserWeek(int(a[i]), int(c[i])) for a, c in self.past_spent if a[i])
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
