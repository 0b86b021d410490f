"""What the real SDK for JavaScript sends and understands; calls.test.mjs has the calls."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import firebase_admin
import pytest
from firebase_admin import auth as accounts
from google.cloud import firestore
from support.api import CLIENTS
from support.books import requests_of
from support.orders import ANYBODY, order
from support.paths import ROOT

from imagegen import db, tasks
from imagegen.generation import create as generation

CALLS = Path(__file__).with_name("calls.test.mjs")
SDK = ROOT / "web" / "node_modules" / "firebase"
LONGEST_SECONDS = 180


@pytest.fixture
def new_account(client: firestore.Client) -> Iterator[Callable[[int], str]]:
    """Makes a user who can sign in, with so many credits; the uid, which is also in the email."""
    options = {"projectId": os.environ["GCLOUD_PROJECT"]}
    app = firebase_admin.initialize_app(options=options, name=uuid.uuid4().hex)

    def make(balance: int) -> str:
        uid = f"sdk-{uuid.uuid4().hex[:12]}"
        accounts.create_user(app=app, uid=uid, email=email_of(uid), password="imagegen")
        client.document(db.user(uid)).set({"credits": balance})
        return uid

    yield make
    firebase_admin.delete_app(app)


def email_of(uid: str) -> str:
    return f"{uid}@example.com"


def test_an_app_calls_every_function_with_the_sdk(
    client: firestore.Client,
    new_account: Callable[[int], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node = shutil.which("node")
    if node is None or not SDK.exists():
        pytest.fail("Node and the SDK are not there: use `make test`")
    rich, poor = new_account(50), new_account(0)
    monkeypatch.setattr(tasks, "enqueue", lambda *_, **__: None)
    generation.create(order(rich, mode="async"), ANYBODY)
    (pending,) = requests_of(client, rich)
    done = subprocess.run(
        [node, "--test", "--test-reporter=spec", "--test-timeout=60000", str(CALLS)],
        env=os.environ
        | {
            "SDK_RICH_EMAIL": email_of(rich),
            "SDK_POOR_EMAIL": email_of(poor),
            "SDK_PENDING_REQUEST": pending["id"],
        },
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_calls_leave_no_function_out() -> None:
    calls = CALLS.read_text()
    assert [name for name in sorted(CLIENTS) if f'"{name}"' not in calls] == []
