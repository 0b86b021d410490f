"""Firestore as a process sees it: far away, over a network that fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from google.api_core.exceptions import GoogleAPICallError
from google.cloud.firestore import DELETE_FIELD

from imagegen.firestore.store import Delete, Document, Query, Write
from imagegen.firestore.values import encoded
from simulation.faults import ON_COMMIT, ON_READ
from simulation.memory_store import MemoryStore
from simulation.network import Network
from simulation.world import Task, World

Committed = Callable[[Task, dict[str, Document | None], Sequence[Write]], None]


class RemoteStore:
    """`Store` behind the network; `committed` is told of every commit that is applied."""

    def __init__(
        self, world: World, memory: MemoryStore, network: Network, committed: Committed
    ) -> None:
        self._world = world
        self._memory = memory
        self._network = network
        self._committed = committed

    def read(self, paths: Sequence[str], timeout_seconds: float) -> list[Document]:
        about = f"read {_short(paths)}"
        return self._network.call(
            ON_READ, about, lambda: self._memory.read(paths, 0), timeout_seconds
        )

    def query(self, query: Query, timeout_seconds: float) -> list[Document]:
        about = f"query {query.collection}"
        return self._network.call(
            ON_READ, about, lambda: self._memory.query(query, 0), timeout_seconds
        )

    def commit(self, writes: Sequence[Write], timeout_seconds: float) -> list[datetime]:
        task = self._world.running().call
        for write in writes:  # the client refuses what has no place in a document
            fields = {} if isinstance(write, Delete) else write.fields
            encoded({n: value for n, value in fields.items() if value is not DELETE_FIELD})

        def apply() -> list[datetime]:
            before = {write.path: self._memory.documents.get(write.path) for write in writes}
            try:
                times = self._memory.commit(writes, 0)
            except GoogleAPICallError as error:
                self._world.note(task, f"  not applied: {error.message}")
                raise
            task.applied += 1
            self._world.note(task, f"  applied: {_short([write.path for write in writes])}")
            self._committed(task, before, writes)
            return times

        about = f"commit {_short([write.path for write in writes])}"
        return self._network.call(ON_COMMIT, about, apply, timeout_seconds)


def _short(paths: Sequence[str]) -> str:
    return ", ".join(
        path
        if len(path) < 16
        else f"{path.split('/')[0][:4]}…/{path.rpartition('/')[2][:6]}…"
        + (path[path.rindex("-") :] if path.endswith(("-deduction", "-refund", "-grant")) else "")
        for path in paths
    )
