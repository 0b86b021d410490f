"""Old and new code side by side, on the emulator: each goes on with what the other has left.

A deploy runs both for minutes, and a rollback brings old code to new documents.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import life
import pytest
from google.cloud import firestore
from support import earlier_release, projects
from support.books import check_books, requests_of

from imagegen import clock, tasks
from imagegen.catalogue import catalogue
from imagegen.firestore import client as firestore_client

PROJECT = "demo-releases"
MODELS = {
    "Sure Model": {"generator": "mock", "failureRate": 0.0},
    "Doomed Model": {"generator": "mock", "failureRate": 1.0},
}
OPENING = 20
# The image of the synchronous request and that of the one which waited; all else is refunded.
SEEN = {
    "statuses": ["canceled", "completed", "failed", "pending", "processing"],
    "credits": OPENING - 3,
    "waiting": "completed",
    "recovered": 1,
    "left": OPENING - 2,
}


USER = "ann"


def last_release(*arguments: str) -> str:
    return earlier_release.run(*arguments, GCLOUD_PROJECT=PROJECT)


def last_release_begins() -> None:
    last_release(life.__file__, "begin", USER)


def last_release_finishes() -> object:
    # Above it are the lines of the log.
    return json.loads(last_release(life.__file__, "finish", USER).splitlines()[-1])


@pytest.fixture
def app(emulator: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[firestore.Client]:
    """An app of its own, with one user."""
    client = projects.fresh(PROJECT, MODELS)
    client.document(f"users/{USER}").set({"credits": OPENING})
    monkeypatch.setattr(firestore_client, "_client", client)
    monkeypatch.setattr(tasks, "enqueue", lambda *_, **__: None)
    monkeypatch.setattr(clock, "now", clock.now)  # a life puts it forward
    catalogue.forget()
    yield client
    catalogue.forget()


def test_the_archive_is_what_the_last_release_runs() -> None:
    found = last_release("-c", "import imagegen.credits.ledger as it; print(it.__file__)")
    assert found.startswith(str(earlier_release.RELEASE))


def test_this_release_goes_on_with_what_the_last_one_left(app: firestore.Client) -> None:
    last_release_begins()
    assert life.finish(USER) == SEEN
    assert check_books(app, USER, OPENING) == OPENING - 2


def test_the_last_release_goes_on_with_what_this_one_left(app: firestore.Client) -> None:
    life.begin(USER)
    assert last_release_finishes() == SEEN
    assert check_books(app, USER, OPENING) == OPENING - 2
    assert {each["status"] for each in requests_of(app, USER)} == {
        "canceled",
        "completed",
        "failed",
    }


def test_each_goes_on_with_what_both_have_left(app: firestore.Client) -> None:
    life.begin(USER)
    last_release_finishes()
    life.begin(USER)
    assert check_books(app, USER, OPENING) == OPENING - 5
    assert projects.findings(app) == []
