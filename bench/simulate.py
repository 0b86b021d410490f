"""Runs seeds of the simulated world, with mutants also how many it takes to find each.

    functions/venv/bin/python bench/simulate.py [--seeds N | --seconds N] [--first N] [--seed N]
    functions/venv/bin/python bench/simulate.py [--seeds N] --mutants [NAME]

`--seed` runs one seed and prints its schedule, as a seed does that fails.
"""

from __future__ import annotations

import argparse
import itertools
import re
import sys
import time
from pathlib import Path

FUNCTIONS = Path(__file__).resolve().parents[1] / "functions"
sys.path[:0] = [str(FUNCTIONS), str(FUNCTIONS / "tests"), str(FUNCTIONS.parent / "tools")]

from simulation.mutants import MUTANTS
from simulation.run import simulate


def main() -> int:
    parser = argparse.ArgumentParser(description="Run seeds of the simulated world.")
    parser.add_argument("--seeds", type=int, default=2000, help="how many")
    parser.add_argument("--seconds", type=float, help="as many as this leaves time for")
    parser.add_argument("--first", type=int, default=0, help="the first one")
    parser.add_argument("--seed", type=int, help="run this one alone, and print its schedule")
    parser.add_argument("--mutants", nargs="?", const="", help="find planted bugs (of that name)")
    asked = parser.parse_args()
    if asked.seed is not None:
        return replay(asked.seed)
    if asked.mutants is not None:
        return find_mutants(asked.mutants, asked.seeds)
    return run(asked.first, asked.seeds, asked.seconds)


def run(first: int, seeds: int, seconds: float | None = None) -> int:
    """Run `seeds` of them, or as many as `seconds` allow; 1 where one is violated, else 0."""
    started, calls, commits = time.monotonic(), 0, 0
    for number in itertools.count():
        if number == seeds if seconds is None else time.monotonic() - started > seconds:
            break
        outcome = simulate(first + number)
        calls, commits = calls + outcome.calls, commits + outcome.commits
        if outcome.violation:
            return replay(first + number)
        if number % 1000 == 999:
            print(f"{number + 1:,} seeds, {time.monotonic() - started:.0f} s", flush=True)
    print(
        f"{number:,} seeds from {first:,}: {calls:,} calls, {commits:,} commits, no violation, "
        f"{time.monotonic() - started:.0f} s"
    )
    return 0


def replay(seed: int) -> int:
    outcome = simulate(seed, tracing=True)
    print("\n".join(outcome.trace))
    print(f"seed {seed}: {outcome.violation or 'no violation'}")
    return 1 if outcome.violation else 0


def find_mutants(name: str, seeds: int) -> int:
    print("| planted bug | seeds | found as |\n| --- | ---: | --- |")
    missed = 0
    for mutant in [each for each in MUTANTS if name in each.name]:
        with mutant.planted():
            outcomes = (simulate(seed, store=mutant.store) for seed in range(seeds))
            found = next((outcome for outcome in outcomes if outcome.violation), None)
        missed += found is None
        needed, how = (found.seed + 1, str(found.violation)) if found else ("never", "")
        how = re.sub("[0-9a-f]{32}", "…", how)[:90]
        print(f"| {mutant.name} | {needed} | {how} |", flush=True)
    return missed


if __name__ == "__main__":
    sys.exit(main())
