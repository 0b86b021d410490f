"""What the tests share: users and models of their own on the emulators, and calls over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import functions_framework
import httpx
import pytest
import yaml
from firebase_functions.private import serving
from flask.testing import FlaskClient
from google.cloud import firestore
from support.paths import FUNCTIONS
from support.proxy import FirestoreProxy

from imagegen import clock, db
from imagegen.catalogue import catalogue
from imagegen.firestore import client as firestore_client
from imagegen.notifications import outbox

pytest_plugins = [
    "support.admin_calls",
    "support.events",
    "support.fcm",
    "support.leaving",
    "support.painted",
    "support.vendor",
]

# Parameters as the demo project has them, where a test does not say otherwise.
os.environ.setdefault("GCLOUD_PROJECT", "demo-imagegen")
os.environ.setdefault("AUTH_MODE", "optional")
os.environ.setdefault("CATALOGUE_TTL_SECONDS", "1")

TEST_MODELS = {
    "Sure Model": {"generator": "mock", "imageUrl": "https://example.com/sure.png"},
    "Doomed Model": {"generator": "mock", "imageUrl": "https://example.com/x.png"},
    "Slow Model": {"generator": "mock", "imageUrl": "https://example.com/slow.png"},
}
# Whoever uses one of these, directly or through another fixture, needs the emulators.
EMULATOR_FIXTURES = {"emulator", "deployed", "storage_emulator"}
FAILURE_RATES = {"Sure Model": 0.0, "Doomed Model": 1.0, "Slow Model": 0.0}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need the emulators, so that `make unit` can leave them out."""
    for item in items:
        if EMULATOR_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("emulator")


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    """What a test, or a command that it runs, sets in the environment is the test's own."""
    before = dict(os.environ)
    yield
    if os.environ != before:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="session")
def emulator() -> str:
    """host:port of the Firestore emulator."""
    host = os.environ.get("FIRESTORE_EMULATOR_HOST")
    if host is None:
        pytest.fail("the Firestore emulator is not running: use `make test`")
    return host


@pytest.fixture(scope="session")
def client(emulator: str) -> firestore.Client:
    """A client of the tests' own, past the code under test; the catalogue is seeded with it."""
    from demo.seed import catalogue as seeded  # in tools/

    direct = firestore.Client(project=os.environ["GCLOUD_PROJECT"])
    for path, fields in seeded("http://127.0.0.1:5000").items():
        direct.document(path).set(fields)
    for name, fields in TEST_MODELS.items():
        model = {**fields, "failureRate": FAILURE_RATES[name], "enabled": True, "sortOrder": 90}
        if name == "Slow Model":
            model["latencySeconds"] = 30
        direct.document(f"models/{name}").set(model)
    return direct


@pytest.fixture
def proxy(
    emulator: str, client: object, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FirestoreProxy]:
    """The code under test reaches Firestore through this proxy."""
    catalogue.forget()
    outbox.forget()
    catalogue.current()  # a warm catalogue: its reads are not what is counted
    outbox.subscriptions()
    monkeypatch.setenv("CATALOGUE_TTL_SECONDS", "3600")
    between = FirestoreProxy(emulator)
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", between.address)
    through = firestore.Client(project=os.environ["GCLOUD_PROJECT"])
    monkeypatch.setattr(firestore_client, "_client", through)
    yield between
    through.close()
    between.stop()


@pytest.fixture
def new_user(client: firestore.Client) -> Callable[..., str]:
    """Makes a user with so many credits; the id."""

    def make(balance: int, **fields: Any) -> str:
        user_id = f"user-{uuid.uuid4().hex[:12]}"
        client.document(db.user(user_id)).set({"credits": balance} | fields)
        return user_id

    return make


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Sets the time; it is noon of 18 November 2026 to begin with."""

    def set_to(moment: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    set_to(datetime(2026, 11, 18, 12, tzinfo=UTC))
    return set_to


@pytest.fixture(scope="session")
def call() -> Callable[..., Any]:
    """Calls a function of main.py in this process, through the framework that serves it."""
    apps: dict[str, FlaskClient] = {}

    def request(function: str, method: str = "POST", path: str = "/", **kwargs: Any) -> Any:
        if function not in apps:
            app = functions_framework.create_app(function, str(FUNCTIONS / "main.py"))
            apps[function] = app.test_client()
        return apps[function].open(path, method=method, **kwargs)

    return request


@pytest.fixture(scope="session")
def deployed() -> httpx.Client:
    """The functions as the Functions emulator serves them."""
    base_url = os.environ.get("FUNCTIONS_BASE_URL")
    if base_url is None:
        pytest.fail("the Functions emulator is not running: use `make test`")
    return httpx.Client(base_url=base_url, timeout=120)


@pytest.fixture(scope="session")
def manifest_with() -> Callable[..., dict[str, Any]]:
    """Reads the function table in a process of its own, with other parameters."""

    def read(**changes: str) -> dict[str, Any]:
        program = (
            "from firebase_functions.private import serving;"
            "print(serving.functions_as_yaml(serving.get_functions()))"
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=FUNCTIONS,
            env={**os.environ, **changes},
            capture_output=True,
            text=True,
            check=True,
        )
        return dict(yaml.safe_load(done.stdout)["endpoints"])

    return read


@pytest.fixture(scope="session")
def manifest() -> dict[str, Any]:
    """The function table as Firebase reads it at deployment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(FUNCTIONS)
        return dict(yaml.safe_load(serving.functions_as_yaml(serving.get_functions())))
