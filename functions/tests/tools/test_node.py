"""emulators/node: which Node.js is new enough, and that it is said in one place."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from emulators import node
from emulators.__main__ import main
from emulators.problem import Problem
from support.paths import ROOT

VERSIONS: str = json.loads((ROOT / "web" / "package.json").read_text())["engines"]["node"]


@pytest.mark.parametrize(
    ("found", "is_admitted"),
    [
        ("v18.20.8", False),
        ("v20.18.3", False),
        ("v20.19.0", True),
        ("v20.20.2", True),
        ("v21.7.3", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v23.11.1", False),
        ("v24.0.0", True),
        ("v26.1.0", True),
    ],
)
def test_a_version_is_compared_with_its_minor_part(found: str, is_admitted: bool) -> None:
    assert node.admits("^20.19.0 || ^22.12.0 || >=24.0.0", found) is is_admitted


def test_a_range_can_be_read_aloud() -> None:
    assert node.in_words("^20.19.0 || ^22.12.0 || >=24.0.0") == "20.19+, 22.12+ or 24+"
    assert node.in_words("^20.19.0 || >=22.12.0") == "20.19+ or 22.12+"
    assert node.in_words(">=20.19") == "20.19+"


def test_the_readme_names_the_versions_that_are_checked() -> None:
    assert f"Node.js {node.in_words(VERSIONS)}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("oldest", re.findall(r"\d+\.\d+\.\d+", VERSIONS))
def test_every_locked_package_runs_on_the_oldest_versions(oldest: str) -> None:
    """The packages of Scalar never run in Node.js: the build copies its file for browsers."""
    locked = json.loads((ROOT / "web" / "package-lock.json").read_text())["packages"]
    too_demanding = {
        path: package["engines"]["node"]
        for path, package in locked.items()
        if "node" in package.get("engines", {})
        and not package.get("optional")
        and "/@scalar/" not in path
        and not node.admits(package["engines"]["node"], oldest)
    }
    assert too_demanding == {}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is the whole PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def program(directory: Path, name: str, prints: str) -> None:
    script = directory / name
    script.write_text(f"#!/bin/sh\necho {prints}\n")
    script.chmod(0o755)


def test_an_old_node_is_one_sentence_before_anything_is_installed(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    program(path, "npx", "")
    program(path, "node", "v20.18.3")
    for verb in ("check", "setup", "start"):
        assert main([verb]) == 1
        assert capfd.readouterr().err.strip() == (
            f"Node.js v20.18.3 is not supported: install Node.js {node.in_words(VERSIONS)} "
            "(https://nodejs.org) and try again."
        )


def test_a_missing_node_is_one_sentence(path: Path) -> None:
    with pytest.raises(Problem, match=r"Node\.js with npm is needed and was not found: install"):
        node.require_node()


def test_a_new_node_passes(path: Path) -> None:
    program(path, "npx", "")
    program(path, "node", "v22.12.0")
    assert main(["check"]) == 0


def test_only_python_is_set_up_without_node(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ensured: list[None] = []
    monkeypatch.setattr("emulators.virtualenv.ensure", lambda: ensured.append(None))
    assert not os.listdir(path)
    assert main(["setup", "--python-only"]) == 0
    assert len(ensured) == 1
