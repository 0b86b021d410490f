"""What people and other programs do to documents behind the backend's back, in the middle of it."""

from __future__ import annotations

from typing import Any

from imagegen import db
from simulation.books import OPEN, Books
from simulation.memory_store import MemoryStore
from simulation.plan import JUNK
from simulation.world import World

# Without one of these a request can be neither shown nor refunded: it is named, and left alone.
BREAKS_REQUEST: tuple[dict[str, Any], ...] = (
    {"credits": "3"},
    {"credits": None},
    {"credits": float("nan")},
    {"createdAt": "2026-11-22"},
    {"userId": 7},
)
# These have defaults, so the request lives on.
SPOILS_REQUEST: tuple[dict[str, Any], ...] = (
    {"startedAt": "soon"},
    {"updatedAt": None},
    {"source": [1]},
    {"enqueuedAt": 3},
)
BREAKS_USER: tuple[dict[str, Any], ...] = (
    {"credits": "12"},
    {"credits": -1},
    {"ledgerSequence": None},
    {"ledgerSequence": 2.5},
)


class HandEdits:
    """Deletes documents and makes them malformed; the books are told of each edit."""

    def __init__(self, world: World, memory: MemoryStore, books: Books) -> None:
        self._world = world
        self._random = world.random
        self._memory = memory
        self._books = books

    def edit(self) -> None:
        """One edit, of a document that there is."""
        edits = (
            self._delete_request,
            self._delete_request,
            self._delete_user,
            self._break_request,
            self._break_request,
            self._spoil_request,
            self._break_user,
            self._spoil_user,
            self._spoil_user,
        )
        self._random.choice(edits)()

    def _delete_request(self) -> None:
        if request_id := self._some_request():
            self._books.request_deleted(request_id)
            self._put(db.generation_request(request_id), None)

    def _delete_user(self) -> None:
        if user_id := self._some_user():
            self._books.accounts[user_id].deleted = True
            self._put(db.user(user_id), None)

    def _break_request(self) -> None:
        if request_id := self._some_request():
            self._books.broken.add(request_id)
            self._put(db.generation_request(request_id), self._random.choice(BREAKS_REQUEST))

    def _spoil_request(self) -> None:
        if request_id := self._some_request():
            self._put(db.generation_request(request_id), self._random.choice(SPOILS_REQUEST))

    def _break_user(self) -> None:
        if user_id := self._some_user():
            account = self._books.accounts[user_id]
            account.broken = account.was_broken = True
            self._put(db.user(user_id), self._random.choice(BREAKS_USER))

    def _spoil_user(self) -> None:
        name = self._random.choice(list(JUNK))
        if user_id := self._some_user():
            self._books.accounts[user_id].spoiled = True
            self._put(db.user(user_id), {name: self._random.choice(JUNK[name])})

    def _some_user(self) -> str | None:
        known = [each for each in self._books.accounts if db.user(each) in self._memory.documents]
        return self._random.choice(known) if known else None

    def _some_request(self) -> str | None:
        """An open one, where there is one."""
        known = list(self._books.requests)
        open_ones = [each for each in known if self._books.state(each)["status"] in OPEN]
        return self._random.choice(open_ones or known) if known else None

    def _put(self, path: str, changes: dict[str, Any] | None) -> None:
        document = self._memory.documents.get(path)
        if document is None:
            return  # deleted before
        done = "deletes" if changes is None else f"writes {changes} into"
        self._world.tell(f"somebody {done} {path} by hand")
        fields = {**(document.fields or {}), **changes} if changes is not None else None
        self._memory.put(path, fields)
