"""Old and new code side by side, on the emulator: each goes on with what the other has left.

A deploy runs both for minutes, and a rollback brings old code to new documents. The archive is the
package of the last release. At the next one it is made again, in the root of the repository:

    git archive --format=zip -o functions/tests/deploy/release_0_1.zip TAG:functions imagegen \
        ':(exclude)imagegen/report' ':(exclude)imagegen/audit'
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import life
import pytest
from google.cloud import firestore
from support import projects
from support.books import check_books, requests_of
from support.paths import FUNCTIONS

from imagegen import clock, tasks
from imagegen.catalogue import catalogue
from imagegen.firestore import client as firestore_client

PROJECT = "demo-releases"
MODELS = {
    "Sure Model": {"generator": "mock", "failureRate": 0.0},
    "Doomed Model": {"generator": "mock", "failureRate": 1.0},
}
RELEASE = Path(__file__).with_name("release_0_1.zip")
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
    """What Python prints, when it runs with the package of the last release."""
    done = subprocess.run(
        [sys.executable, *arguments],
        env=os.environ
        | {"PYTHONPATH": f"{RELEASE}{os.pathsep}{FUNCTIONS}/tests", "GCLOUD_PROJECT": PROJECT},
        cwd=FUNCTIONS.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


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
    assert found.startswith(str(RELEASE))


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
