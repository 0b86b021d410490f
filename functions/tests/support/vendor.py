"""The vendor and the bucket that the tests of the providers speak to."""

from collections.abc import Iterator

import pytest
from studio.server import Studio

from support.bucket import FakeBucket


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """A vendor on loopback, which outbound allows on the emulators only."""
    server = Studio(slow_seconds=5).start()
    monkeypatch.setenv("FUNCTIONS_EMULATOR", "true")
    yield server
    server.stop()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBucket]:
    server = FakeBucket()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
    monkeypatch.setenv("IMAGE_BUCKET", "pictures")
    yield server
    server.stop()
