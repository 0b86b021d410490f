"""Runs seeds of the simulated world, with mutants also how many it takes to find each.

    functions/venv/bin/python bench/simulate.py [--seeds N | --seconds N] [--first N]
    functions/venv/bin/python bench/simulate.py --seed N [--mutants NAME]
    functions/venv/bin/python bench/simulate.py [--seeds N] --mutants [NAME] [--record]

`--seed` runs one seed and prints its schedule. A seed that fails is reduced to the few things that
make it fail, which are told as a story.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import re
import sys
import time
from pathlib import Path

FUNCTIONS = Path(__file__).resolve().parents[1] / "functions"
FOUND_AT = FUNCTIONS / "tests" / "simulation" / "found_at.json"
sys.path[:0] = [str(FUNCTIONS), str(FUNCTIONS / "tests"), str(FUNCTIONS.parent / "tools")]

from simulation.mutants import MUTANTS
from simulation.run import simulate
from simulation.shrinking import shrink


def main() -> int:
    parser = argparse.ArgumentParser(description="Run seeds of the simulated world.")
    parser.add_argument("--seeds", type=int, default=2000, help="how many")
    parser.add_argument("--seconds", type=float, help="as many as this leaves time for")
    parser.add_argument("--first", type=int, default=0, help="the first one")
    parser.add_argument("--seed", type=int, help="run this one alone, and print its schedule")
    parser.add_argument("--mutants", nargs="?", const="", help="find planted bugs (of that name)")
    parser.add_argument("--record", action="store_true", help="note where planted bugs are found")
    asked = parser.parse_args()
    if asked.seed is not None:
        with contextlib.ExitStack() as planted:
            for mutant in MUTANTS:
                if mutant.name == asked.mutants:
                    planted.enter_context(mutant.planted())
            return replay(asked.seed)
    if asked.mutants is not None:
        return find_mutants(asked.mutants, asked.seeds, record=asked.record)
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
            print("\n".join(shrink(first + number).story))
            return 1
        if number % 1000 == 999:
            print(f"{number + 1:,} seeds, {time.monotonic() - started:.0f} s", flush=True)
    took = time.monotonic() - started
    print(
        f"{number:,} seeds from {first:,}: {calls:,} calls, {commits:,} commits, no violation, "
        f"{took:.0f} s, {number / took * 60:,.0f} seeds a minute"
    )
    return 0


def replay(seed: int) -> int:
    outcome = simulate(seed, tracing=True)
    print("\n".join(outcome.trace))
    if outcome.violation is None:
        print(f"seed {seed}: no violation")
        return 0
    print("\n".join(shrink(seed).story))
    return 1


def find_mutants(name: str, seeds: int, *, record: bool) -> int:
    """Print what finds each planted bug; how many are not found."""
    print("| planted bug | seeds | found as |\n| --- | ---: | --- |")
    found_at, missed = json.loads(FOUND_AT.read_text()), 0
    for mutant in [each for each in MUTANTS if name in each.name]:
        with mutant.planted():
            outcomes = (simulate(seed, store=mutant.store) for seed in range(seeds))
            found = next((outcome for outcome in outcomes if outcome.violation), None)
        missed += found is None
        needed, how = (found.seed + 1, str(found.violation)) if found else ("never", "")
        how = re.sub("[0-9a-f]{10,}", "…", how.partition("\n")[0])[:90]
        print(f"| {mutant.name} | {needed} | {how} |", flush=True)
        if found is not None:
            found_at[mutant.name] = found.seed
    if record:
        known = {
            mutant.name: found_at[mutant.name] for mutant in MUTANTS if mutant.name in found_at
        }
        FOUND_AT.write_text(json.dumps(known, indent=2) + "\n")
    return missed


if __name__ == "__main__":
    sys.exit(main())
