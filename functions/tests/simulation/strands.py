"""Randomness in strands: every step of a plan, and every call that follows from it, has its own.

What happens in one is the same whatever is left out of the others. So a failing seed can be reduced
to what matters, see `shrinking`.
"""

from __future__ import annotations

import random
from collections.abc import Callable


class Strand:
    """A source of randomness, and the sources of what follows from here."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.random = random.Random(key)
        self._children = 0
        self._happenings = 0

    def child(self) -> Strand:
        """A strand of its own for something that follows."""
        self._children += 1
        return Strand(f"{self.key}/{self._children}")

    def next_happening(self) -> str:
        """The name of the next thing that happens here, or is left out."""
        self._happenings += 1
        return f"{self.key}#{self._happenings}"


class CurrentRandom(random.Random):
    """Draws from whichever strand is current."""

    def __init__(self, current: Callable[[], Strand]) -> None:
        super().__init__()
        self._current = current

    def random(self) -> float:
        return self._current().random.random()

    def getrandbits(self, k: int, /) -> int:
        return self._current().random.getrandbits(k)
