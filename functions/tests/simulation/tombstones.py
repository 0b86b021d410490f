"""Which users are leaving or have left, and who holds their money."""

from __future__ import annotations

from collections.abc import Mapping

from imagegen.firestore.store import Document
from simulation.world import Violation


class Tombstones(dict[str, str]):
    """The tombstone of each user whose account is being closed, or has been."""

    def __init__(self) -> None:
        super().__init__()
        self.merged: dict[str, str] = {}  # into which account, of those that were merged
        self.moving: tuple[str, str] | None = None  # from whom to whom, in the commit at hand

    def names(self, user_id: str) -> tuple[str, ...]:
        """The names under which documents of an account may stand while it moves."""
        former = [user for user, tombstone in self.items() if tombstone == user_id]
        later = [self[user_id]] if user_id in self else []
        return (user_id, *former, *later)

    def holder(self, user_id: str, documents: Mapping[str, Document]) -> str:
        """The account that the money of a user belongs to, as of now."""
        seen: set[str] = set()
        while f"users/{user_id}" not in documents and user_id in self:
            if user_id in seen:
                raise Violation(f"nobody holds the money of {user_id}: {self.merged}")
            seen.add(user_id)
            user_id = self.merged.get(user_id, self[user_id])
        return user_id

    def is_same_holder(self, one: str, other: str, documents: Mapping[str, Document]) -> bool:
        """Whether the money of two users is in one account."""
        return self.holder(one, documents) == self.holder(other, documents)
