"""Which users are leaving or have left, and the tombstones that their accounts become."""

from __future__ import annotations


class Tombstones(dict[str, str]):
    """The tombstone of each user whose account is being deleted, or has been."""

    def names(self, user_id: str) -> tuple[str, ...]:
        """The names under which documents of an account may stand while it moves."""
        former = [user for user, tombstone in self.items() if tombstone == user_id]
        later = [self[user_id]] if user_id in self else []
        return (user_id, *former, *later)
