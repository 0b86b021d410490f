"""Accounts that are merged, and transfers between accounts, while everything else goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from imagegen.accounts import merge
from imagegen.firestore.store import Document
from simulation.memory_store import MemoryStore
from simulation.merge_answers import MergeAnswers, reason_of
from simulation.merge_books import Pair
from simulation.plan import Plan
from simulation.shopping import Shopping
from simulation.workload import Workload
from simulation.world import Task, World


class Merges:
    """Starts merges and transfers; `answers` is told of every end."""

    def __init__(
        self,
        world: World,
        plan: Plan,
        memory: MemoryStore,
        answers: MergeAnswers,
        shopping: Shopping,
        workload: Workload,
    ) -> None:
        self._world = world
        self._plan = plan
        self._memory = memory
        self._answers = answers
        self._shopping = shopping
        self._workload = workload
        # What has moved and what an edit has destroyed could not be told apart.
        self._is_possible = not plan.edits and len(plan.users) > 1

    def schedule(self) -> None:
        """Have some accounts merged within the span, each by several calls.

        The next time often begins when the one before is under way: then one account goes into two,
        or two go into each other, or one after the other.
        """
        if not self._is_possible:
            return
        random = self._world.random
        with self._world.new_strand("merges"):
            start = random.uniform(0, self._plan.span_seconds)
            for number in range(self._plan.merges + self._plan.transfers):
                is_merge = number < self._plan.merges
                users = random.sample(list(self._plan.users), 2)
                # Two transfers may be under one key.
                pair = Pair(users[0], users[1], "" if is_merge else f"t{number // 2}")
                for _ in range(random.choice((1, 1, 2))):
                    self._after(start + random.random() / 20, partial(self._call, pair))
                if is_merge:
                    with self._world.new_strand(f"back {number}"):
                        self._merge_back(start, pair)
                if random.random() < 0.4:
                    owes_at = random.uniform(0, self._plan.span_seconds)
                    self._after(owes_at, partial(self._run_up_debt, users[0]))
                if random.random() < 0.3:
                    self._after(start, partial(self._shopping.check_out, users[0]))
                near = random.random() < 0.6
                start = start if near else random.uniform(0, self._plan.span_seconds)

    def _run_up_debt(self, user_id: str) -> None:
        """A user buys, spends and gets the money back, so that the credits are owed."""
        self._shopping.buy_and_return(user_id)
        self._workload.spend(user_id)

    def _merge_back(self, start: float, pair: Pair) -> None:
        """Sometimes have the two merged the other way round, too, at the same moment."""
        if self._world.random.random() < 0.3:
            later = start + self._world.random.random() / 20
            self._after(later, partial(self._call, Pair(pair.taker, pair.giver)))

    def merge_meanwhile(self, before: Mapping[str, Document | None]) -> None:
        """Have calls made just when a commit has left a user with a debt, or has moved one away."""
        if not self._is_possible or not self._plan.merges:
            return
        for path, old in before.items():
            user_id, document = path.removeprefix("users/"), self._memory.documents.get(path)
            if old is None or user_id not in self._plan.users:
                continue
            if document is None:
                self._repeat(user_id)
            elif document.get("debt", 0) and not old.get("debt", 0):
                self._merge_who_owes(user_id)

    def _repeat(self, taker: str) -> None:
        """Who was merged into an account that goes away signs in to it once more."""
        for giver, into in self._answers.merged.items():
            if into == taker and self._world.random.random() < 0.5:
                seconds = self._world.random.random() / 50
                self._after(seconds, partial(self._call, Pair(giver, taker)))

    def _merge_who_owes(self, user_id: str) -> None:
        """Merge somebody who owes into another account, or another one into that account."""
        if self._world.random.random() < 0.7:
            others = [each for each in self._plan.users if each != user_id]
            users = [user_id, self._world.random.choice(others)]
            self._world.random.shuffle(users)
            pair = Pair(users[0], users[1])
            self._after(5 * self._world.random.random(), partial(self._call, pair))

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        with self._world.new_strand():
            if self._world.happens():
                self._world.after(seconds, action)

    def _call(self, pair: Pair, tries: int = 3) -> None:
        """Somebody signs in to another account, or an operator transfers; sometimes once more."""

        def done(task: Task) -> None:
            self._answers.ended(task)
            is_unsettled = task.died or reason_of(task) == "BACKEND_UNAVAILABLE"
            is_again = is_unsettled or self._world.random.random() < 0.2
            if tries > 1 and is_again and self._world.happens():
                wait = self._world.random.choice((0.1, 5, 100)) * self._world.random.random()
                self._world.after(wait, lambda: self._call(pair, tries - 1))

        about = f"{pair.giver} is merged into {pair.taker}"
        call: Callable[[], merge.Merged] = partial(merge.merge, pair.giver, pair.taker)
        if pair.key:
            about = f"an operator transfers from {pair.giver} to {pair.taker}, under key {pair.key}"
            said = {"by": "operator", "key": pair.key, "reason": "lost phone"}
            call = partial(merge.transfer, pair.giver, pair.taker, **said)
        kind = "transfer" if pair.key else "merge"
        self._world.spawn(kind, about, call, asked=pair, done=done)
