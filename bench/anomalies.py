"""Measures the anomaly rules on simulated apps, beside simpler rules: prints Markdown tables.

    functions/venv/bin/python bench/anomalies.py            # the tables of docs/benchmarks.md
    functions/venv/bin/python bench/anomalies.py --tuning   # the seeds of the tuning

Every app lives week by week: `find` judges each week with the reports, and the memory, that its own
earlier answers left. Planted anomalies are known; whatever else it says is a false alarm.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functions"))

from imagegen.report.anomalies.find import find
from imagegen.report.anomalies.history import WeekNumbers
from imagegen.report.anomalies.memory import Memory
from imagegen.report.anomalies.thresholds import Thresholds

from simple_rules import Rule, ZScores, fixed_ratios
from simulated_apps import KINDS, SCALES, App, Plant, SimulatedWeek

TUNING_SEED, TEST_SEED = 2000, 9000
APPS_A_SCALE = 20
NOISES = ("gamma", "heavy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tuning", action="store_true", help="use the seeds of the tuning")
    parser.add_argument("--apps", type=int, default=APPS_A_SCALE, help="apps of each scale")
    args = parser.parse_args()
    seed = TUNING_SEED if args.tuning else TEST_SEED
    began = time.process_time()
    scores = {noise: compare(noise, seed, args.apps) for noise in NOISES}
    print_comparison(scores, args.apps)
    print_kinds(scores)
    print_false_alarms(scores)
    print_special_lives(seed, max(2, args.apps // 3))
    print(f"\n{time.process_time() - began:.0f} s of CPU time, seeds from {seed}.")


def compare(noise: str, seed: int, apps: int) -> dict[str, Score]:
    """Every rule on the same lives."""
    rules: dict[str, Rule] = {
        "fixed ratios": fixed_ratios,
        "3-sigma": ZScores(robust=False),
        "robust z": ZScores(robust=True),
        "this report": ours(Thresholds()),
    }
    scores = {name: Score() for name in rules}
    for i in range(apps):
        for scale in SCALES:
            run(App(seed + i, scale, noise), rules, scores)
    return scores


def print_comparison(scores: Mapping[str, Mapping[str, Score]], apps: int) -> None:
    first = scores[NOISES[0]]["this report"]
    print(
        f"{3 * apps} apps × 52 weeks for each kind of noise; {first.planted.total()} planted "
        "anomalies (gamma).\n"
    )
    row("noise", "rule", "recall", "precision", "false alarms a year", "weakest kind")
    row(*["---"] * 6)
    for noise, rules in scores.items():
        for name, score in rules.items():
            recall, kind = min((score.recall_of(kind), kind) for kind in KINDS)
            cells = f"{score.recall:.3f}", f"{score.precision:.2f}", f"{score.false_a_year:.1f}"
            row(noise, name, *cells, f"{recall:.2f} {kind}")


def print_kinds(scores: Mapping[str, Mapping[str, Score]]) -> None:
    print("\nRecall of this report by kind, as found/planted by scale (both kinds of noise):\n")
    row("planted", "recall", *SCALES)
    row(*["---"] * 5)
    both = [rules["this report"] for rules in scores.values()]
    for kind in KINDS:
        cells, all_found, all_planted = [], 0, 0
        for scale in SCALES:
            found = sum(score.found[kind, scale] for score in both)
            planted = sum(score.planted[kind, scale] for score in both)
            all_found, all_planted = all_found + found, all_planted + planted
            cells.append(f"{found}/{planted}")
        row(kind, f"{all_found / max(1, all_planted):.2f}", *cells)


def print_false_alarms(scores: Mapping[str, Mapping[str, Score]]) -> None:
    print("\nFalse alarms of this report per year, by metric and scale:\n")
    row("noise", "metric", *SCALES)
    row(*["---"] * 5)
    for noise, rules in scores.items():
        score = rules["this report"]
        for metric in sorted({metric for metric, _ in score.false}):
            rates = (score.false[metric, scale] * 3 / score.years for scale in SCALES)
            row(noise, metric, *(f"{rate:.2f}" for rate in rates))


def print_special_lives(seed: int, apps: int) -> None:
    """Lives without planted anomalies: whatever is said is a false alarm, or a shift's notice."""
    print("\nSpecial cases (gamma), anomalies above severity `info` per report:\n")
    row("case", "per report")
    row(*["---"] * 2)
    rule = {"this report": ours(Thresholds())}

    def life(name: str, **settings: Any) -> None:
        score = Score()
        settings.setdefault("plants", False)
        for i in range(apps):
            for scale in SCALES:
                if scale == "large" and settings.get("growth"):
                    continue  # ten times its size by the end: slow to simulate
                run(App(seed + i, scale, "gamma", **settings), rule, {"this report": score})
        weeks = [score.by_week[w] / max(1, score.lives) for w in range(settings["weeks"])]
        planted = f"; recall {score.recall:.2f}" if score.planted else ""
        if "shift_week" in settings:
            told = ", ".join(f"{each:.2f}" for each in weeks[settings["shift_week"] :])
            row(name, f"in the reports from the shift on: {told}")
        else:
            row(name, f"{sum(weeks) / len(weeks):.3f} ({score.false_a_year:.1f} a year){planted}")

    life("flat", weeks=52, growth=0.0)
    life("growth 10 % a week", weeks=16, growth=0.10)
    life("lasting 2× shift", weeks=12, shift_week=4)
    life("cold start, reports 2–8, nothing planted", weeks=7, warm_up=1)
    life("cold start, reports 2–8, as planted above", weeks=7, warm_up=1, plants=True)


def row(*cells: str) -> None:
    print("| " + " | ".join(cells) + " |")


def ours(t: Thresholds) -> Rule:
    """The report's own `find`, with the history it would be given."""

    def rule(
        week: SimulatedWeek, history: list[WeekNumbers], _: list[SimulatedWeek]
    ) -> tuple[list[Any], Memory]:
        found = find(
            week.numbers,
            history[-12:],
            week.users,
            t,
            lambda ids: {user_id: week.earlier.get(user_id, ()) for user_id in ids},
        )
        return [each.to_firestore() for each in found.anomalies], found.memory

    return rule


@dataclass
class Score:
    """What was planted and found, by (kind, scale); what was false, by (metric, scale)."""

    planted: Counter[tuple[str, str]] = field(default_factory=Counter)
    found: Counter[tuple[str, str]] = field(default_factory=Counter)
    false: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_week: Counter[int] = field(default_factory=Counter)  # events above info, of judged weeks
    years: float = 0.0
    lives: int = 0

    @property
    def recall(self) -> float:
        return self.found.total() / max(1, self.planted.total())

    def recall_of(self, kind: str) -> float:
        planted = sum(self.planted[kind, scale] for scale in SCALES)
        return sum(self.found[kind, scale] for scale in SCALES) / max(1, planted)

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
        return bool(event["metric"] == "userCredits" and event["dimension"]["value"] == week.abuser)
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
        score.lives += 1
        for w, week in enumerate(lived):
            events, memory = rule(week, history, lived[:w])
            history.append(replace(week.numbers, memory=memory))
            if w >= app.warm_up:
                judge(week, [each for each in events if counts(each)], app, w - app.warm_up, score)


def judge(
    week: SimulatedWeek, events: list[Mapping[str, Any]], app: App, w: int, score: Score
) -> None:
    score.years += 1 / 52
    score.by_week[w] += len(events)
    if week.plant:
        score.planted[week.plant.kind, app.scale] += 1
        score.found[week.plant.kind, app.scale] += any(hits(week, event) for event in events)
    for event in events:
        if not explains(week.plant, event):
            score.false[event["metric"], app.scale] += 1


def counts(event: Mapping[str, Any]) -> bool:
    """Whether an event is an alarm: the guards of this report are only information."""
    return bool(event.get("method") != "guard" or event.get("alarm"))


if __name__ == "__main__":
    main()
