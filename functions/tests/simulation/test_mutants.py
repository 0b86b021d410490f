"""Each planted bug is found, most of them within a few dozen seeds."""

import os

import pytest

from simulation.mutant import Mutant
from simulation.mutants import MUTANTS
from simulation.run import simulate

MOST_SEEDS = 4000

pytestmark = pytest.mark.skipif(
    os.environ.get("SIMULATION_SECONDS") == "0", reason="takes minutes; `make test` runs it"
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_found(mutant: Mutant) -> None:
    with mutant.planted():
        found = (simulate(seed, store=mutant.store).violation for seed in range(MOST_SEEDS))
        assert any(found)
