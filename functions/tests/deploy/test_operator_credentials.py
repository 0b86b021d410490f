"""In whose name an operator's machine queues tasks, and how it finds the images of a project."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import firebase_admin
import google.auth
import my_app
import pytest
from deploy.google import Google
from fake_google import TOKEN, FakeGoogle
from firebase_admin import _http_client, functions
from google.oauth2.credentials import Credentials
from ops import credentials
from ops.credentials import OperatorCredentials, find_bucket

from imagegen.providers import bucket

pytest_plugins = ["google_fixtures"]


@pytest.fixture(autouse=True)
def google_is_fake(fake: FakeGoogle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "Google", lambda session: Google(session, fake.address))


@pytest.fixture(autouse=True)
def person(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has run `gcloud auth application-default login`."""
    later = (datetime.now(UTC) + timedelta(hours=1)).replace(tzinfo=None)
    monkeypatch.setattr(
        google.auth, "default", lambda **_: (Credentials(TOKEN, expiry=later), "my-app")
    )
    for name in ("CLOUD_TASKS_EMULATOR_HOST", "SERVICE_ACCOUNT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The tasks that reached Cloud Tasks."""
    found: list[Any] = []

    def body(_: object, method: str, url: str, **request: Any) -> dict[str, str]:
        found.append(request["json"]["task"])
        return {"name": f"{url.partition('/v2/')[2]}/1"}

    monkeypatch.setattr(_http_client.JsonHttpClient, "body", body)
    return found


def enqueue() -> None:
    app = firebase_admin.initialize_app(
        OperatorCredentials("my-app"), {"projectId": "my-app"}, name=uuid.uuid4().hex
    )
    functions.task_queue("locations/us-central1/functions/processGeneration", app=app).enqueue({})
    firebase_admin.delete_app(app)


@pytest.mark.parametrize("account", ["imagegen@", "imagegen@my-app.iam.gserviceaccount.com"])
def test_a_task_calls_its_worker_as_the_account_of_the_functions(
    sent: list[Any], monkeypatch: pytest.MonkeyPatch, account: str
) -> None:
    monkeypatch.setenv("SERVICE_ACCOUNT", account)
    enqueue()
    (task,) = sent
    named = {"serviceAccountEmail": "imagegen@my-app.iam.gserviceaccount.com"}
    assert task["httpRequest"]["oidcToken"] == named


def test_without_an_account_of_their_own_that_is_the_default_one(sent: list[Any]) -> None:
    enqueue()
    (task,) = sent
    named = {"serviceAccountEmail": "1234567890-compute@developer.gserviceaccount.com"}
    assert task["httpRequest"]["oidcToken"] == named


def test_nothing_is_put_on_a_queue_in_nobodys_name(sent: list[Any], fake: FakeGoogle) -> None:
    fake.resources.pop(f"firebase/v1beta1/projects/{my_app.PROJECT}")
    with pytest.raises(ValueError, match="Firebase does not tell of my-app"):
        enqueue()
    assert sent == []


def test_the_default_bucket_is_found_as_the_functions_know_it(
    fake: FakeGoogle, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FUNCTIONS_EMULATOR", "STORAGE_EMULATOR_HOST", "IMAGE_BUCKET", "FIREBASE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GCLOUD_PROJECT", my_app.PROJECT)
    monkeypatch.setenv("FIREBASE_CONFIG", "{}")
    assert not bucket.is_configured()
    told = {"projectId": my_app.PROJECT, "storageBucket": my_app.BUCKET}
    fake.resources[f"firebase/v1beta1/projects/{my_app.PROJECT}/adminSdkConfig"] = told
    find_bucket()
    assert bucket.name() == my_app.BUCKET
    monkeypatch.setenv("IMAGE_BUCKET", "images")
    fake.resources.clear()
    find_bucket()
    assert bucket.name() == "images"
