"""emulators/: what can be tested without starting any."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulators import config, java, ports, processes
from emulators.firebase_tools import FirebaseTools
from emulators.problem import Problem
from pytest_mock import MockerFixture

TABLE = """
  1   0   1
 10   1  10
 11  10  10
 12  11  12
 13  12  12
 20   1  20
"""


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


# --- Java -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "version"),
    [
        ('openjdk version "25.0.2" 2026-01-20', 25),
        ('openjdk version "21" 2023-09-19', 21),
        ('java version "1.8.0_402"', 1),
        ("Unable to locate a Java Runtime.", 0),
        (None, 0),
    ],
)
def test_java_tells_its_version(output: str | None, version: int) -> None:
    assert java.java_version(output) == version


@pytest.mark.parametrize("length", [1, 59, 60, 61, 130, 131, 132, 500])
def test_a_manifest_wraps_its_lines_at_72_bytes(length: int) -> None:
    class_path = "x" * length
    written = java.manifest(class_path)
    assert all(len(line) <= 72 for line in written.split(b"\r\n"))
    assert f"Class-Path: {class_path}\r\n".encode() in written.replace(b"\r\n ", b"")


def test_a_chosen_firestore_emulator_has_to_exist(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tools = FirebaseTools(tmp_path)
    monkeypatch.setenv("FIRESTORE_EMULATOR_BINARY_PATH", str(tmp_path / "none.jar"))
    with pytest.raises(Problem, match="does not exist"):
        java.firestore_emulator(tools)
    (tmp_path / "none.jar").touch()
    assert java.firestore_emulator(tools) == tmp_path / "none.jar"


def test_java_runs_everything_but_the_rules_of_storage(tmp_path: Path) -> None:
    real, launcher = tmp_path / "the real java", tmp_path / "java"
    real.write_text('#!/bin/sh\necho real "$@"\n')
    real.chmod(0o755)
    java.write_launcher(launcher, real)
    rules = str(java.RULES_RUNTIME)
    for other in (["-jar", "firestore emulator.jar", "--port", "1"], ["-jar", rules], ["-version"]):
        assert _output([str(launcher), *other]) == f"real {' '.join(other)}\n"
    started = _output([str(launcher), "-Duser.language=en", "-jar", rules, "serve"])
    assert json.loads(started) == {"id": -1, "status": "ok", "action": "started"}


@pytest.mark.parametrize("is_cached", [True, False])
def test_rules_of_storage_are_decided_by_the_real_runtime_where_it_is_cached(
    is_cached: bool, monkeypatch: pytest.MonkeyPatch, mocker: MockerFixture, tmp_path: Path
) -> None:
    monkeypatch.delenv("STORAGE_EMULATOR_BINARY_PATH", raising=False)
    mocker.patch("emulators.java.java_directory", return_value=tmp_path)
    mocker.patch("emulators.java.firestore_emulator", return_value=None)
    mocker.patch.object(FirebaseTools, "cached", return_value=is_cached)
    found = java.environment(FirebaseTools(tmp_path), tmp_path)
    assert ("STORAGE_EMULATOR_BINARY_PATH" in found) == (not is_cached)
    assert (tmp_path / "java").exists() == (not is_cached)
    monkeypatch.setenv("STORAGE_EMULATOR_BINARY_PATH", str(tmp_path / "none.jar"))
    with pytest.raises(Problem, match="STORAGE_EMULATOR_BINARY_PATH names"):
        java.environment(FirebaseTools(tmp_path), tmp_path)


# --- ports ------------------------------------------------------------------------------------


def test_a_taken_port_is_named_with_its_holder_and_what_to_do(taken_port: int) -> None:
    with pytest.raises(Problem) as problem:
        ports.require_free("auth", taken_port)
    assert f"Port {taken_port}, which the auth emulator needs, is taken" in str(problem.value)
    assert "emulators.auth.port in firebase.json" in str(problem.value)
    assert ports.holder(taken_port) in ("", f" by {_own_name()} (process {os.getpid()})")


def test_free_ports_are_free_and_differ() -> None:
    found = ports.free_ports(20)
    assert len(set(found)) == 20
    assert not any(map(ports.is_taken, found))


# --- configuration ----------------------------------------------------------------------------


def test_a_private_suite_shares_no_port_with_the_usual_one() -> None:
    usual = config.read()
    names = [*config.ports_of(config.without_ui(usual)), *config.UNLISTED]
    moved = config.with_ports(
        config.without_ui(usual), dict(zip(names, range(2, 99), strict=False))
    )

    assert not set(config.ports_of(usual).values()) & set(config.ports_of(moved).values())
    assert moved["emulators"]["firestore"]["websocketPort"] < 99
    assert "ui" not in config.ports_of(moved)
    assert moved["hosting"] == usual["hosting"]
    assert usual == config.read()


# --- processes --------------------------------------------------------------------------------


def test_the_groups_of_all_descendants_are_found() -> None:
    assert processes.groups_below(10, TABLE.strip()) == {10, 12}
    assert processes.groups_below(99, TABLE.strip()) == set()


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('i  functions: Beginning execution of "us-central1-getUserCredits"\n', False),
        ("✔  auth: done\n", False),
        ("\n", False),
        ("⚠  firestore: Env variable override detected.\n", False),
        ("i  firestore: downloading cloud-firestore-emulator-v1.22.0.jar...\n", True),
        ("⚠  functions: The function did not finish\n", True),
        ("⬢  functions: Failed to load function definition from source\n", True),
        ('>  {"severity": "INFO", "message": "call"}\n', True),
        ("NameError: name 'x' is not defined\n", True),
    ],
)
def test_the_log_shows_what_is_not_routine(line: str, shown: bool) -> None:
    assert processes.is_worth_showing(line) is shown


def _output(command: list[str]) -> str:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    return done.stdout


def _own_name() -> str:
    return Path("/proc/self/comm").read_text().strip() if Path("/proc/self/comm").exists() else ""
