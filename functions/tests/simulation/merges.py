"""Accounts that are merged while everything else goes on."""

from __future__ import annotations

from functools import partial

from imagegen.accounts import merge
from imagegen.errors import ImagegenError
from simulation.books import Books
from simulation.memory_store import MemoryStore
from simulation.merge_books import MergeBooks
from simulation.plan import Plan
from simulation.world import Task, Violation, World

REFUSALS = ("ACCOUNT_CLOSING", "USER_NOT_FOUND")


class Merges:
    """Starts merges; raises Violation at an answer that may not be given."""

    def __init__(
        self,
        world: World,
        plan: Plan,
        memory: MemoryStore,
        books: Books,
        merge_books: MergeBooks,
    ) -> None:
        self._world = world
        self._plan = plan
        self._memory = memory
        self._books = books
        self._moved = merge_books.moved
        # What has moved and what an edit has destroyed could not be told apart.
        self._number = 0 if plan.edits or len(plan.users) < 2 else plan.merges

    def schedule(self) -> None:
        """Have some accounts merged within the span, each by several calls.

        The second time often begins when the first is under way: then one account goes into two, or
        two go into each other, or one after the other.
        """
        random = self._world.random
        with self._world.new_strand("merges"):
            start = random.uniform(0, self._plan.span_seconds)
            for _ in range(self._number):
                pair = random.sample(list(self._plan.users), 2)
                for _ in range(random.choice((1, 1, 2))):
                    self._merge_after(start + random.random() / 20, pair)
                near = random.random() < 0.6
                start = start if near else random.uniform(0, self._plan.span_seconds)

    def _merge_after(self, seconds: float, pair: list[str]) -> None:
        with self._world.new_strand():
            if self._world.happens():
                self._world.after(seconds, lambda: self._merge(pair[0], pair[1]))

    def _merge(self, giver: str, taker: str, tries: int = 3) -> None:
        """Somebody signs in to another account; if that fails, or the answer is lost, once more."""

        def done(task: Task) -> None:
            self._ended(task)
            is_unsettled = task.died or _reason(task) == "BACKEND_UNAVAILABLE"
            is_again = is_unsettled or self._world.random.random() < 0.2
            if tries > 1 and is_again and self._world.happens():
                wait = self._world.random.choice((0.1, 5, 100)) * self._world.random.random()
                self._world.after(wait, lambda: self._merge(giver, taker, tries - 1))

        about, call = f"{giver} is merged into {taker}", partial(merge.merge, giver, taker)
        self._world.spawn("merge", about, call, asked=(giver, taker), done=done)

    def _ended(self, task: Task) -> None:
        """Require that a call has ended as it may."""
        if task.died:
            return
        (giver, taker), reason, tombstones = task.asked, _reason(task), self._books.tombstones
        match reason:
            case "OK":
                into, documents = tombstones.merged.get(giver), self._memory.documents
                is_right = into is not None and tombstones.is_same_holder(into, taker, documents)
            case "ACCOUNT_CLOSING":
                is_right = giver in tombstones or taker in tombstones
            case "USER_NOT_FOUND":
                is_right = any(
                    {} in self._books.versions(user_id, task.started) for user_id in task.asked
                )
            case "BACKEND_UNAVAILABLE":
                is_right = not self._plan.calm
            case _:
                is_right = False
        if reason == "OK" and not self._tells_what_it_moved(task):
            raise Violation(f"{task} has moved {self._moved.get(task)}, and says {task.reply}")
        if not is_right:
            raise Violation(f"{task} of {giver} into {taker} ended with {task.error!r}")

    def _tells_what_it_moved(self, task: Task) -> bool:
        """Unless it met with a fault: after a lost reply it finds that all has been done."""
        told, moved = task.reply.transferred, self._moved.get(task, 0)
        return told == moved or (told == 0 and task.troubles > 0)

    def check_at_rest(self) -> None:
        """A call that was refused has changed nothing, not even by a commit that was late."""
        for task in self._world.tasks:
            if task.kind != "merge" or _reason(task) not in REFUSALS:
                continue
            # One whose reply was lost may find that the other account has gone since.
            if task.applied and task.asked[1] not in self._books.tombstones:
                raise Violation(f"{task} was refused with {_reason(task)}, and changed something")


def _reason(task: Task) -> str:
    error = task.error
    if error is None:
        return "OK"
    return error.reason if isinstance(error, ImagegenError) else repr(error)
