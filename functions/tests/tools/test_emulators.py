"""tools/: what can be decided without starting anything, and the data the emulators start with."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import emulators
import httpx
import ports
import processes
import pytest
import seed
import suite
import toolchain
from google.cloud import firestore

from imagegen.catalogue import catalogue

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


# --- toolchain --------------------------------------------------------------------------------


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
    assert toolchain.java_version(output) == version


@pytest.mark.parametrize("length", [1, 59, 60, 61, 130, 131, 132, 500])
def test_a_manifest_wraps_its_lines_at_72_bytes(length: int) -> None:
    class_path = "x" * length
    written = toolchain.manifest(class_path)
    assert all(len(line) <= 72 for line in written.split(b"\r\n"))
    assert f"Class-Path: {class_path}\r\n".encode() in written.replace(b"\r\n ", b"")


def test_a_chosen_firestore_emulator_has_to_exist(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tools = toolchain.FirebaseTools(tmp_path)
    monkeypatch.setenv("FIRESTORE_EMULATOR_BINARY_PATH", str(tmp_path / "none.jar"))
    with pytest.raises(toolchain.Problem, match="does not exist"):
        toolchain.firestore_emulator(tools)
    (tmp_path / "none.jar").touch()
    assert toolchain.firestore_emulator(tools) == tmp_path / "none.jar"


# --- ports ------------------------------------------------------------------------------------


def test_a_taken_port_is_named_with_its_holder_and_what_to_do(taken_port: int) -> None:
    with pytest.raises(toolchain.Problem) as problem:
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
    usual = suite.read_config()
    names = [*suite.ports_of(suite.without_ui(usual)), *suite.UNLISTED]
    moved = suite.with_ports(suite.without_ui(usual), dict(zip(names, range(2, 99), strict=False)))

    assert not set(suite.ports_of(usual).values()) & set(suite.ports_of(moved).values())
    assert moved["emulators"]["firestore"]["websocketPort"] < 99
    assert "ui" not in suite.ports_of(moved)
    assert moved["hosting"] == usual["hosting"]
    assert usual == suite.read_config()


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


# --- data -------------------------------------------------------------------------------------


def test_the_seeded_catalogue_is_one_the_functions_accept() -> None:
    kinds: dict[str, type[catalogue.Option]] = {
        "models": catalogue.Model,
        "sizes": catalogue.Size,
    }
    for path, fields in seed.catalogue("http://127.0.0.1:5000").items():
        collection, name = path.split("/")
        kinds.get(collection, catalogue.Option).model_validate({**fields, "name": name})


def test_every_model_has_its_own_image_and_hosting_has_it() -> None:
    documents = seed.catalogue("")
    images = [fields["imageUrl"] for path, fields in documents.items() if path.startswith("models")]
    assert len(set(images)) == len(images) == 2
    for image in images:
        assert (toolchain.ROOT / "web" / "public" / image.lstrip("/")).is_file()


def test_images_come_from_the_project_that_is_seeded() -> None:
    assert seed.hosting_url("demo-imagegen") == "http://127.0.0.1:5000"
    assert seed.hosting_url("my-project") == "https://my-project.web.app"


def test_seeding_again_leaves_a_users_credits_alone(client: firestore.Client) -> None:
    user = client.document("users/of-an-earlier-seed")
    seed.seed_firestore(client, seed.hosting_url("demo-imagegen"), {user.id: 7})
    user.update({"credits": 3})
    seed.seed_firestore(client, seed.hosting_url("demo-imagegen"), {user.id: 7})
    assert user.get().get("credits") == 3
    user.delete()


def test_a_project_with_users_is_seeded_only_when_forced(client: firestore.Client) -> None:
    user = client.document("users/of-a-project-in-use")
    user.set({"credits": 3})
    with pytest.raises(toolchain.Problem, match="has users already"):
        seed.seed_project("demo-imagegen", {}, force=False)
    seed.seed_project("demo-imagegen", {}, force=True)
    user.delete()


def test_a_start_says_who_may_sign_in() -> None:
    accounts = json.loads((emulators.DATA / "auth_export" / "accounts.json").read_text())["users"]
    assert {account["localId"] for account in accounts} == {user.uid for user in seed.DEMO_USERS}
    assert {emulators.password_of(account) for account in accounts} == {seed.PASSWORD}


@pytest.mark.parametrize("user", seed.DEMO_USERS)
@pytest.mark.usefixtures("emulator")
def test_the_accounts_of_emulator_data_sign_in(user: seed.DemoUser) -> None:
    host = os.environ["FIREBASE_AUTH_EMULATOR_HOST"]
    answer = httpx.post(
        f"http://{host}/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword",
        params={"key": "any"},
        json={"email": user.email, "password": seed.PASSWORD},
    )
    assert answer.json()["localId"] == user.uid


def _own_name() -> str:
    return Path("/proc/self/comm").read_text().strip() if Path("/proc/self/comm").exists() else ""
