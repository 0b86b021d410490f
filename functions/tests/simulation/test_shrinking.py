"""A failing seed is reduced to a short story, in which nothing is superfluous."""

from __future__ import annotations

import itertools

import pytest

from simulation.mutants import MUTANTS
from simulation.run import Less, simulate
from simulation.shrinking import shrink
from simulation.world import World

PLANTED = {mutant.name: mutant for mutant in MUTANTS}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("won dispute not reinstated", "Stripe sends"),
        ("refund without state check", "orders a"),
    ],
)
def test_a_planted_bug_is_told_in_a_few_lines_that_still_fail(name: str, told: str) -> None:
    mutant = PLANTED[name]
    with mutant.planted():
        seed = next(each for each in itertools.count() if simulate(each).violation)
        shrunk = shrink(seed)
        happened = shrunk.outcome.happened
        assert len(happened) <= 8 < shrunk.before
        assert len(shrunk.story) <= 40
        assert any(told in line for line in shrunk.story)
        assert shrunk.story[-1] == f"  Violated: {shrunk.outcome.violation}"
        for each in happened:  # without any one of them, something else or nothing is wrong
            less = Less(shrunk.less.happenings | {each}, shrunk.less.plan)
            assert str(simulate(seed, less=less).violation) != str(shrunk.outcome.violation)
    assert simulate(seed, less=shrunk.less).violation is None


def test_a_seed_that_does_not_fail_cannot_be_reduced() -> None:
    with pytest.raises(ValueError, match="does not fail"):
        shrink(0)


def test_what_is_left_out_changes_nothing_of_what_others_draw() -> None:
    def second(world: World, *, with_first: bool) -> list[object]:
        with world.new_strand():
            if world.happens() and with_first:
                world.random.random()
                world.spawn("call", "one thing more", lambda: None)
        with world.new_strand():
            return [world.random.random(), world.random.uniform(1, 2), world.random.choice("abc")]

    expected = second(World(1), with_first=True)
    assert second(World(1), with_first=False) == expected
    (name,) = _names(World(1))
    assert second(World(1, left_out=frozenset({name})), with_first=True) == expected
    assert expected != second(World(2), with_first=True)


def _names(world: World) -> list[str]:
    with world.new_strand():
        assert world.happens()
    return world.happened
