"""The fake of Google's APIs, with a project in it that lacks nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import my_app
import pytest
from deploy.google import Google, default_session
from fake_google import FakeGoogle, credentials_file


@pytest.fixture(scope="session")
def _server() -> Iterator[FakeGoogle]:
    fake = FakeGoogle({})
    yield fake
    fake.close()


@pytest.fixture(scope="session")
def _key_file(_server: FakeGoogle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return credentials_file(_server, tmp_path_factory.mktemp("credentials"))


@pytest.fixture
def fake(
    _server: FakeGoogle, _key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeGoogle]:
    """The project my-app at Google, as a deploy needs it; this machine's credentials are for it."""
    _server.reset(my_app.resources())
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(_key_file))
    yield _server
    assert _server.misuses == []


@pytest.fixture
def google(fake: FakeGoogle) -> Google:
    return Google(default_session(my_app.PROJECT), fake.address)
