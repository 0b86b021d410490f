"""What whoever merges accounts, or transfers between them, may be told."""

from __future__ import annotations

from imagegen.errors import ImagegenError
from simulation.books import Books
from simulation.lot_books import FAR, is_paid
from simulation.memory_store import MemoryStore
from simulation.merge_books import MergeBooks, Moved, Pair
from simulation.plan import Plan
from simulation.world import Task, Violation, World

REFUSALS = ("ACCOUNT_CLOSING", "USER_NOT_FOUND", "NOTHING_PAID", "IDEMPOTENCY_KEY_REUSED")


class MergeAnswers:
    """Raises Violation at an answer that may not be given."""

    def __init__(
        self,
        world: World,
        plan: Plan,
        memory: MemoryStore,
        books: Books,
        merge_books: MergeBooks,
    ) -> None:
        self._world = world
        self._calm = plan.calm
        self._memory = memory
        self._books = books
        self._merge_books = merge_books
        self.merged = books.tombstones.merged

    def ended(self, task: Task) -> None:
        """Require that a call has ended as it may."""
        if task.died:
            return
        users, tombstones = (task.asked.giver, task.asked.taker), self._books.tombstones
        match reason_of(task):
            case "OK":
                moved = self._moved(task.asked)
                is_right = moved is not None and task.reply.transferred == moved.credits
                is_right = is_right and (bool(task.asked.key) or self._is_merged(task.asked))
            case "ACCOUNT_CLOSING":
                is_done = not task.asked.key and tombstones.merged.get(users[0]) == users[1]
                is_right = users[1] in tombstones or (users[0] in tombstones and not is_done)
                is_right = is_right and not self._is_repeated(task)
            case "IDEMPOTENCY_KEY_REUSED":
                is_right = any(each.pair != task.asked for each in self._named(task.asked))
            case "USER_NOT_FOUND":
                is_right = any({} in self._books.versions(each, task.started) for each in users)
            case "NOTHING_PAID":
                is_right = self._had_nothing_paid(task) and not self._is_repeated(task)
            case "BACKEND_UNAVAILABLE":
                is_right = not self._calm
            case _:
                is_right = False
        if not is_right:
            moved = self._moved(task.asked)
            raise Violation(f"{task} of {task.asked}, {moved}: {task.error!r}, {task.reply}")

    def _moved(self, pair: Pair) -> Moved | None:
        """What such a call has moved, this one or one before."""
        if not pair.key:
            return self._merge_books.merged.get(pair.giver)
        return next((each for each in self._named(pair) if each.pair == pair), None)

    def _named(self, pair: Pair) -> list[Moved]:
        """The transfers of the two users that the key names."""
        known = self._merge_books.transferred
        both = ((pair.giver, pair.key), (pair.taker, pair.key))
        return [known[each] for each in both if each in known]

    def _is_merged(self, pair: Pair) -> bool:
        """Whether the one has been merged into the other, or into whoever holds its money now."""
        tombstones, documents = self._books.tombstones, self._memory.documents
        into = tombstones.merged.get(pair.giver)
        return into is not None and tombstones.is_same_holder(into, pair.taker, documents)

    def _is_repeated(self, task: Task) -> bool:
        """Whether the key had been used before the call: then it finds that all has been done."""
        return any(each.seconds < task.started for each in self._named(task.asked))

    def _had_nothing_paid(self, task: Task) -> bool:
        """Whether at some moment of the call the giver held nothing of what was paid for."""
        return any(
            not any(
                is_paid(lot) and lot.get("expiresAt", FAR) > task.latest_clock
                for lot in version.get("lots", {}).values()
            )
            for version in self._books.versions(task.asked.giver, task.started)
        )

    def check_at_rest(self) -> None:
        """A call that was refused has changed nothing, not even by a commit that was late."""
        for task in self._world.tasks:
            if task.kind not in ("merge", "transfer") or reason_of(task) not in REFUSALS:
                continue
            # One whose reply was lost may find that the other account has gone since.
            if task.applied and task.asked.taker not in self._books.tombstones:
                raise Violation(f"{task} was refused with {reason_of(task)}, and changed something")


def reason_of(task: Task) -> str:
    """How a call has ended."""
    error = task.error
    if error is None:
        return "OK"
    if isinstance(error, ValueError) and "no credits that were paid for" in str(error):
        return "NOTHING_PAID"
    return error.reason if isinstance(error, ImagegenError) else repr(error)
