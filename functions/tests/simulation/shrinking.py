"""A failing seed, reduced to what it takes to fail, and told as a story.

Everything that need not happen (steps of the plan, faults, duplicates, late messages, jumps of
clocks) has a name, and a run may leave it out. Delta debugging leaves out halves of them, then
quarters, and in the end each alone, for as long as the same violation remains; the circumstances
are made simpler one by one before. A. Zeller, R. Hildebrandt: Simplifying and isolating
failure-inducing input, IEEE TSE 28(2), 2002.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from simulation.memory_store import MemoryStore
from simulation.plan import Plan
from simulation.run import Less, Outcome, simulate
from simulation.stripe_versions import NEWEST
from simulation.world import Violation

MOST_RUNS = 600
Change = Callable[[Plan], Plan]
SIMPLER: tuple[dict[str, Any], ...] = (
    {"deletions": 0},
    {"merges": 0},
    {"transfers": 0},
    {"endpoints": 0},
    {"clocks_wrong_by": (0.0,)},
    {"stripe_versions": (NEWEST,)},
    {"may_search": True},
    {"late_rate": 0},
    *({name: 0} for name in ("failure_rate", "hang_rate", "stall_rate", "queue_slow_rate")),
    *({name: 0} for name in ("upload_hang_rate", "vendor_fault_rate", "consumer_failure_rate")),
)
SIMPLER_FAULTS: tuple[dict[str, Any], ...] = (
    {"rate": 0.0},
    {"storms": ()},
    {"slow_rate": 0.0},
    {"latency_seconds": 0.002},
)
SIMPLER_SETTINGS = {
    "max_free_lots": "50",
    "page_size": "100",
    "THREADS": "80",
    **dict.fromkeys(("RATE_LIMIT_PER_MINUTE", "DAILY_CREDIT_LIMIT", "MAX_IN_FLIGHT"), "0"),
    **dict.fromkeys(("SIGNUP_CREDITS", "FREE_MONTHLY_CREDITS", "ALLOWANCE_ROLLOVER"), "0"),
}


@dataclass(frozen=True)
class Shrunk:
    """What is left of a failing seed. `before`: how many things happened in it."""

    outcome: Outcome
    less: Less
    before: int
    runs: int

    @property
    def story(self) -> list[str]:
        """One line for each thing that happens, in the order of time."""
        outcome, left = self.outcome, len(self.outcome.happened)
        lines = [
            f"Seed {outcome.seed}, reduced from {self.before} things that need not happen to "
            f"{left}, in {self.runs} runs."
        ]
        for user_id, user in outcome.plan.users.items():
            lots = ", ".join(
                f"{lot['remaining']} {lot['kind']}" for lot in user.get("lots", {}).values()
            )
            held = f"has {user.get('credits', 0)} credits{f' ({lots})' * bool(lots)}"
            lines.append(f"  at first  {user_id} {held if user else 'has no account yet'}")
        for told in sorted(outcome.story, key=lambda each: each.seconds):
            if "ignored: type" not in told.text:  # events that mean nothing to us
                lines.append(f"{told.seconds:9.3f} s  {told.text}")
        return [*lines, f"  Violated: {outcome.violation}"]


def shrink(seed: int, *, store: type[MemoryStore] = MemoryStore) -> Shrunk:
    """Reduce a seed that fails. Raises ValueError for one that does not."""
    return _Shrinking(seed, store).shrunk()


class _Shrinking:
    def __init__(self, seed: int, store: type[MemoryStore]) -> None:
        self._seed = seed
        self._store = store
        self._runs = 0
        self._less = Less()
        first = self._run(self._less)
        if first.violation is None:
            raise ValueError(f"seed {seed} does not fail")
        self._kind = _kind(first.violation)
        self._before = len(first.happened)
        self._outcome = first

    def shrunk(self) -> Shrunk:
        for _ in range(2):  # what is needed depends on the circumstances, and these on it
            self._simplify()
            self._leave_out()
        outcome = simulate(self._seed, tracing=True, store=self._store, less=self._less)
        return Shrunk(outcome, self._less, self._before, self._runs)

    def _simplify(self) -> None:
        for change in _simpler(self._outcome.plan):
            together = partial(_composed, first=self._less.plan, second=change)
            self._still_fails(dataclasses.replace(self._less, plan=together))

    def _leave_out(self) -> None:
        """Leave out ever smaller pieces, until nothing can be left out any more."""
        size = len(self._outcome.happened)
        while size and self._runs < MOST_RUNS:
            size = (size + 1) // 2
            has_shrunk, start = False, 0
            while start < len(self._outcome.happened):
                piece = self._outcome.happened[start : start + size]
                happenings = self._less.happenings | set(piece)
                if self._still_fails(dataclasses.replace(self._less, happenings=happenings)):
                    has_shrunk = True
                else:
                    start += size
            if size == 1 and not has_shrunk:
                return

    def _still_fails(self, less: Less) -> bool:
        """Whether the run fails as the first did; then it is what is reduced further."""
        outcome = self._run(less)
        if outcome.violation is None or _kind(outcome.violation) != self._kind:
            return False
        self._less, self._outcome = less, outcome
        return True

    def _run(self, less: Less) -> Outcome:
        self._runs += 1
        return simulate(self._seed, store=self._store, less=less)


def _kind(violation: Violation) -> str:
    """What a violation says, without the names and numbers that differ between runs."""
    said = re.split(r"[:({]", str(violation))[0]
    return re.sub(r"\S*[0-9_]\S*", "…", said)


def _simpler(plan: Plan) -> Iterator[Change]:
    for fields in SIMPLER:
        if any(getattr(plan, name) != value for name, value in fields.items()):
            yield partial(dataclasses.replace, **fields)
    for name, value in SIMPLER_SETTINGS.items():
        if plan.settings[name] != value:
            yield partial(_with_setting, name=name, value=value)
    for fields in SIMPLER_FAULTS:
        if any(getattr(plan.faults, name) != value for name, value in fields.items()):
            yield partial(_with_faults, **fields)
    for user_id in plan.users:
        yield partial(_without_user, user_id=user_id)


def _with_setting(plan: Plan, name: str, value: str) -> Plan:
    return dataclasses.replace(plan, settings={**plan.settings, name: value})


def _with_faults(plan: Plan, **fields: Any) -> Plan:
    return dataclasses.replace(plan, faults=dataclasses.replace(plan.faults, **fields))


def _without_user(plan: Plan, user_id: str) -> Plan:
    users = {each: user for each, user in plan.users.items() if each != user_id}
    return dataclasses.replace(plan, users=users or plan.users)


def _composed(plan: Plan, first: Change, second: Change) -> Plan:
    return second(first(plan))
