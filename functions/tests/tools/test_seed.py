"""demo/seed: what a project and the emulators start with."""

from __future__ import annotations

import json
import os

import httpx
import pytest
from demo import seed
from emulators import commands
from emulators.paths import DATA, ROOT
from emulators.problem import Problem
from google.cloud import firestore

from imagegen.catalogue import catalogue


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
        assert (ROOT / "web" / "public" / image.lstrip("/")).is_file()


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
    with pytest.raises(Problem, match="has users already"):
        seed.seed_project("demo-imagegen", {}, force=False)
    seed.seed_project("demo-imagegen", {}, force=True)
    user.delete()


@pytest.mark.parametrize(
    ("user", "problem"),
    [
        ("ann/x/y=5", "'ann/x/y' cannot be a user id: it must not contain '/'"),
        ("..=5", "cannot be a user id"),
        ("__ann__=5", "cannot be a user id"),
        (f"{'a' * 1500}=5", "bytes long"),
        ("ann=12345678901234567890", "a balance is at most 9,007,199,254,740,992 credits"),
        ("ann=-5", "is not ID=CREDITS"),
        ("ann=5.5", "is not ID=CREDITS"),
        ("ann=", "is not ID=CREDITS"),
        ("=5", "is not ID=CREDITS"),
        ("ann", "is not ID=CREDITS"),
    ],
)
def test_a_user_that_cannot_be_seeded_is_refused_with_the_reason(
    user: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        seed.main(["--project", "my-app", "--user", user])
    assert problem in " ".join(capsys.readouterr().err.split())


def test_users_are_named_with_their_credits() -> None:
    arguments = ["--project", "my-app", "--user", "ann=5", "--user", "a=b=0"]
    assert seed.parsed(arguments).user == [("ann", 5), ("a=b", 0)]


def test_a_start_says_who_may_sign_in() -> None:
    accounts = json.loads((DATA / "auth_export" / "accounts.json").read_text())["users"]
    assert {account["localId"] for account in accounts} == {user.uid for user in seed.DEMO_USERS}
    assert {commands.password_of(account) for account in accounts} == {seed.PASSWORD}


@pytest.mark.usefixtures("emulator")
@pytest.mark.parametrize("user", seed.DEMO_USERS)
def test_the_accounts_of_emulator_data_sign_in(user: seed.DemoUser) -> None:
    host = os.environ["FIREBASE_AUTH_EMULATOR_HOST"]
    answer = httpx.post(
        f"http://{host}/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword",
        params={"key": "any"},
        json={"email": user.email, "password": seed.PASSWORD},
    )
    assert answer.json()["localId"] == user.uid
