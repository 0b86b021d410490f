"""The promise, held against everything that can go wrong: seeds of the simulated world."""

import os
import subprocess
import sys
import time

import pytest
from support.paths import FUNCTIONS

from simulation.run import simulate
from simulation.shrinking import shrink

# As many seeds, from the first on, as this leaves time for.
SECONDS = float(os.environ.get("SIMULATION_SECONDS", "50"))
FEWEST_SEEDS = 200


def test_no_seed_breaks_the_promise() -> None:
    started, seed = time.monotonic(), 0
    while seed < FEWEST_SEEDS or time.monotonic() - started < SECONDS:
        if simulate(seed).violation:
            pytest.fail("\n".join(shrink(seed).story))
        seed += 1


def test_a_seed_is_the_same_schedule_in_every_process() -> None:
    replay = [sys.executable, "../bench/simulate.py", "--seed", "2"]
    schedules = {
        subprocess.run(
            replay,
            cwd=FUNCTIONS,
            env={**os.environ, "PYTHONPATH": ".:tests", "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    (schedule,) = schedules
    assert schedule.count(b"\n") > 50
