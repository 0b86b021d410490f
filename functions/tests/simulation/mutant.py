"""A planted bug: a text in a function of the code under test that is replaced by another."""

from __future__ import annotations

import contextlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from simulation.memory_store import MemoryStore


@dataclass(frozen=True)
class Mutant:
    """A bug: `old` becomes `new` in `function`, or the store is `store`."""

    name: str
    function: Callable[..., Any] | None = None
    old: str = ""
    new: str = ""
    store: type[MemoryStore] = MemoryStore
    also: tuple[tuple[str, str], ...] = ()  # what is replaced besides

    @contextlib.contextmanager
    def planted(self) -> Iterator[None]:
        """The bug, for as long as it lasts."""
        function: Any = self.function
        if function is None:
            yield
            return
        mutated = textwrap.dedent(inspect.getsource(function))
        for old, new in ((self.old, self.new), *self.also):
            if mutated.count(old) != 1:
                raise LookupError(f"{self.name}: {old!r} is not once in {function.__name__}")
            mutated = mutated.replace(old, new)
        defined: dict[str, Any] = {}
        exec(compile(mutated, function.__code__.co_filename, "exec"), function.__globals__, defined)  # noqa: S102
        sound, function.__code__ = function.__code__, defined[function.__name__].__code__
        try:
            yield
        finally:
            function.__code__ = sound
