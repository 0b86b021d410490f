"""Each planted bug is found within 4,000 seeds, most of them within a few dozen.

`found_at.json` says which seed found each of them last (``bench/simulate.py --mutants --record``),
so only one that this seed does not find any more is searched for from the first seed on.
"""

import itertools
import json
import os
from pathlib import Path

import pytest

from simulation.mutant import Mutant
from simulation.mutants import MUTANTS
from simulation.run import simulate

MOST_SEEDS = 4000
FOUND_AT: dict[str, int] = json.loads((Path(__file__).parent / "found_at.json").read_text())


def test_each_has_been_found() -> None:
    """Whoever plants another one records which seed finds it, and so that one does."""
    assert FOUND_AT.keys() == {mutant.name for mutant in MUTANTS}
    assert max(FOUND_AT.values()) < MOST_SEEDS


@pytest.mark.skipif(
    os.environ.get("SIMULATION_SECONDS") == "0", reason="takes a minute; `make test` runs it"
)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_found(mutant: Mutant) -> None:
    seeds = itertools.chain([FOUND_AT.get(mutant.name, 0)], range(MOST_SEEDS))
    with mutant.planted():
        assert any(simulate(seed, store=mutant.store).violation for seed in seeds)
