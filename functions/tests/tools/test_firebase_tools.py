"""emulators/firebase_tools: what firebase-tools downloads, and when."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from emulators import firebase_tools
from emulators.problem import Problem


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> firebase_tools.FirebaseTools:
    """A firebase-tools that has downloaded nothing; calling it notes the call in `calls`."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("FIREBASE_EMULATORS_PATH", str(tmp_path))
    package = tmp_path / "firebase-tools"
    info = {"remoteUrl": "https://example.com/x.jar", "downloadPathRelativeToCacheDir": "x.jar"}
    known = package / "lib" / "emulator" / "downloadableEmulatorInfo.json"
    known.parent.mkdir(parents=True)
    known.write_text(json.dumps({"firestore": info, "ui": {"main": info}}))
    (tmp_path / "node").write_text(f'#!/bin/sh\necho "$2" >> {tmp_path}/calls\n')
    (tmp_path / "node").chmod(0o755)
    return firebase_tools.FirebaseTools(package)


def test_an_emulator_is_downloaded_once_where_there_is_a_network(
    tools: firebase_tools.FirebaseTools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(firebase_tools, "_reachable", lambda url: False)
    assert not tools.provide("firestore")
    monkeypatch.setattr(firebase_tools, "_reachable", lambda url: True)
    assert tools.provide("firestore")
    (tmp_path / "x.jar").touch()
    assert tools.provide("ui")
    assert (tmp_path / "calls").read_text() == "setup:emulators:firestore\n"


def test_a_download_that_fails_is_one_sentence(
    tools: firebase_tools.FirebaseTools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(firebase_tools, "_reachable", lambda url: True)
    (tmp_path / "node").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(Problem, match="The firestore emulator could not be downloaded"):
        tools.provide("firestore")
