"""The vendor and the buckets that the tests of the providers speak to."""

import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.cloud import firestore, storage
from studio.server import Studio

from imagegen.catalogue import catalogue
from support.bucket import FakeBucket
from support.models import settings_at


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """A vendor on loopback, which outbound allows on the emulators only."""
    server = Studio(slow_seconds=5).start()
    monkeypatch.setenv("FUNCTIONS_EMULATOR", "true")
    yield server
    server.stop()


@pytest.fixture
def studio_model(
    client: firestore.Client, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., str]]:
    """Puts a model of the studio on offer, by the protocol of a provider; its name."""
    monkeypatch.setenv("GENERATOR_SECRETS", f"STUDIO_KEY:{studio.host}")
    monkeypatch.setenv("STUDIO_KEY", "sk-studio")
    name = "Studio Model"
    document = client.document(f"models/{name}")

    def offer(generator: str, **fields: Any) -> str:
        shown = {"description": "Draws on this machine.", "enabled": True, "sortOrder": 95}
        document.set({"generator": generator, **shown, **settings_at(studio, generator), **fields})
        catalogue.forget()
        return name

    yield offer
    document.delete()
    catalogue.forget()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBucket]:
    server = FakeBucket()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
    monkeypatch.setenv("IMAGE_BUCKET", "pictures")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def storage_emulator() -> str:
    """The base URL of the Storage emulator."""
    url = os.environ.get("STORAGE_EMULATOR_HOST")
    if url is None:
        pytest.fail("the Storage emulator is not running: use `make test`")
    return url


@pytest.fixture
def emulated_bucket(
    storage_emulator: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[storage.Bucket]:
    """An empty bucket of the Storage emulator, which the code under test uses."""
    name = f"bucket-{uuid.uuid4().hex}"
    monkeypatch.setenv("IMAGE_BUCKET", name)
    client = storage.Client(project="demo-imagegen")
    yield client.bucket(name)
    client.close()
