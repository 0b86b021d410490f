"""Accounts that leave: a queue that is worked off by hand, and a search for what is left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from google.cloud import firestore, storage

from imagegen import clock, db, tasks
from imagegen.accounts import closing, recovery, worker
from imagegen.credits import closures


class Queue:
    """Keeps the tasks of accounts until they are worked off."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.tasks: list[dict[str, str]] = []
        monkeypatch.setattr(
            tasks, "enqueue_account", lambda kind, each, **_: self.tasks.append({kind: each})
        )

    def work(self, at_most: int = 1000) -> int:
        """Work off what is on the queue, and what that puts on it; how many tasks."""
        done = 0
        while self.tasks and done < at_most:
            worker.process(self.tasks.pop(0))
            done += 1
        return done

    def end(self) -> None:
        """Work off everything, also what recovery puts on it when nothing can be late any more."""
        self.work()
        for wait in (closing.QUIET, 2 * closing.QUIET):  # twice for an account that is new
            later = clock.now() + wait
            with self._monkeypatch.context() as patched:
                patched.setattr(clock, "now", lambda later=later: later)
                recovery.recover()
                self.work()


@pytest.fixture
def account_queue(monkeypatch: pytest.MonkeyPatch) -> Queue:
    return Queue(monkeypatch)


def closure_of(client: firestore.Client, user_id: str) -> dict[str, Any]:
    return client.document(closures.path(user_id)).get().to_dict() or {}


def tombstone_of(client: firestore.Client, user_id: str) -> str:
    return str(closure_of(client, user_id)["tombstone"])


def documents(client: firestore.Client) -> Iterator[tuple[str, Any]]:
    """Every document of the project: path and fields."""
    waiting = [*client.collections()]
    while waiting:
        for reference in waiting.pop().list_documents():
            yield reference.path, reference.get().to_dict()
            waiting += reference.collections()


def traces(client: firestore.Client, bucket: storage.Bucket, markers: list[str]) -> list[str]:
    """Where any of `markers` is left as a word, in any case, in Firestore or in the bucket."""
    words = re.compile("|".join(rf"(?<!\w){re.escape(each)}" for each in markers), re.IGNORECASE)
    found = [path for path, fields in documents(client) if words.search(f"{path} {fields}")]
    for blob in bucket.list_blobs():
        content = blob.name.encode() + blob.download_as_bytes(raw_download=True)
        if any(marker.encode() in content for marker in markers):
            found.append(blob.name)
    return found


def entries_of(client: firestore.Client, user_id: str) -> dict[str, dict[str, Any]]:
    found = client.collection(db.entries(user_id)).stream()
    return {entry.id: entry.to_dict() or {} for entry in found}
