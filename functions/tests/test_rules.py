"""firestore.rules, tried on the emulator: who may read what, and that no client writes anything."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from google.cloud import firestore

PROJECT = os.environ.get("GCLOUD_PROJECT", "demo-imagegen")
ACTORS = ("owner", "stranger", "admin", "nobody")
EVERYBODY = set(ACTORS)

# collection: a document in it, who may get that, who may list the collection
READERS: dict[str, tuple[str, set[str], set[str]]] = {
    "users": ("{owner}", {"owner"}, set()),
    "users/{owner}/transactions": ("entry", {"owner"}, {"owner"}),
    "generationRequests": ("of-{owner}", {"owner"}, set()),  # for a list see the queries below
    "purchases": ("of-{owner}", {"owner"}, set()),
    "models": ("Model A", EVERYBODY, EVERYBODY),
    "styles": ("anime", EVERYBODY, EVERYBODY),
    "colors": ("neon", EVERYBODY, EVERYBODY),
    "sizes": ("512x512", EVERYBODY, EVERYBODY),
    "products": ("of-a-test", EVERYBODY, EVERYBODY),
    "reports": ("1999-W01", {"admin"}, {"admin"}),
    "users/{owner}/devices": ("device", set(), set()),
    "events": ("of-{owner}", set(), set()),
    "webhookEndpoints": ("of-a-test", set(), set()),
    "imageReports": ("of-{owner}", set(), set()),
    "sweeps": ("prompts", set(), set()),
    "trialEmails": ("of-a-test", set(), set()),
    "adminActions": ("of-a-test", set(), set()),
    "catalogueEdits": ("latest", set(), set()),
    "audits": ("of-a-test", set(), set()),
    "somethingElse": ("document", set(), set()),
}
WRITES = ("create", "update", "delete")


@dataclass(frozen=True)
class World:
    """Four actors, and documents that belong to one of them."""

    http: httpx.Client
    root: str  # the URL that paths of documents follow
    tokens: dict[str, str | None]
    owner: str

    def answer(self, actor: str, method: str, path: str, **kwargs: Any) -> int:
        """The status of a call to Firestore's REST API."""
        token = self.tokens[actor]
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"{self.root}{path.replace('{owner}', self.owner)}"
        return self.http.request(method, url, headers=headers, **kwargs).status_code

    def write(self, actor: str, operation: str, collection: str) -> int:
        """The status of a write that gives a document to the owner, with credits."""
        document = f"/{collection}/{READERS[collection][0]}"
        fields = {"userId": {"stringValue": self.owner}, "credits": {"integerValue": 9}}
        match operation:
            case "create":
                new = {"documentId": f"new-{self.owner}"}
                return self.answer(
                    actor, "POST", f"/{collection}", params=new, json={"fields": fields}
                )
            case "update":
                return self.answer(actor, "PATCH", document, json={"fields": fields})
            case _:
                return self.answer(actor, "DELETE", document)


@pytest.fixture(scope="module")
def world(emulator: str, client: firestore.Client) -> Iterator[World]:
    owner, token = sign_up()
    tokens = {
        "owner": token,
        "stranger": sign_up()[1],
        "admin": admin_token(),
        "nobody": None,
        "functions": "owner",  # to the emulator, the owner of the project
    }
    own = [
        client.document(f"users/{owner}"),
        client.document(f"users/{owner}/transactions/entry"),
        client.document(f"generationRequests/of-{owner}"),
        client.document(f"purchases/of-{owner}"),
        client.document(f"users/{owner}/devices/device"),
        client.document(f"events/of-{owner}"),
        client.document("webhookEndpoints/of-a-test"),
        client.document(f"imageReports/of-{owner}"),
        client.document("sweeps/prompts"),
        client.document("trialEmails/of-a-test"),
        client.document("reports/1999-W01"),
        client.document("products/of-a-test"),
        client.document("somethingElse/document"),
        client.document(f"somethingElse/new-{owner}"),
    ]
    for reference in own[:-1]:  # the last is what a test creates
        reference.set({"userId": owner})
    root = f"http://{emulator}/v1/projects/{PROJECT}/databases/(default)/documents"
    with httpx.Client(timeout=30) as http:
        yield World(http, root, tokens, owner)
    for reference in own:
        reference.delete()


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize("collection", READERS)
def test_a_document_is_read_by_those_it_concerns(world: World, collection: str, actor: str) -> None:
    document, readers, _ = READERS[collection]
    status = world.answer(actor, "GET", f"/{collection}/{document}")
    assert status == (200 if actor in readers else 403)


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize("collection", READERS)
def test_a_collection_is_listed_by_those_it_concerns(
    world: World, collection: str, actor: str
) -> None:
    _, _, readers = READERS[collection]
    assert world.answer(actor, "GET", f"/{collection}") == (200 if actor in readers else 403)


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.parametrize("collection", READERS)
def test_no_client_writes_anything(
    world: World, collection: str, operation: str, actor: str
) -> None:
    assert world.write(actor, operation, collection) == 403


@pytest.mark.parametrize("operation", WRITES)
def test_the_functions_write_past_the_rules(world: World, operation: str) -> None:
    assert world.write("functions", operation, "somethingElse") == 200


@pytest.mark.parametrize("actor", ACTORS)
def test_a_query_for_the_owners_requests_is_the_owners(world: World, actor: str) -> None:
    query = {
        "from": [{"collectionId": "generationRequests"}],
        "where": {
            "fieldFilter": {
                "field": {"fieldPath": "userId"},
                "op": "EQUAL",
                "value": {"stringValue": world.owner},
            }
        },
    }
    status = world.answer(actor, "POST", ":runQuery", json={"structuredQuery": query})
    assert status == (200 if actor == "owner" else 403)


@pytest.mark.parametrize("actor", ACTORS)
def test_nobody_queries_the_entries_of_all_users(world: World, actor: str) -> None:
    query = {"from": [{"collectionId": "transactions", "allDescendants": True}]}
    assert world.answer(actor, "POST", ":runQuery", json={"structuredQuery": query}) == 403


def test_a_claim_that_is_not_true_makes_no_admin(world: World) -> None:
    impostor = replace(world, tokens={"impostor": admin_token(claim="yes")})
    assert impostor.answer("impostor", "GET", "/reports/1999-W01") == 403


def sign_up() -> tuple[str, str]:
    """The uid and the ID token of a new account."""
    account = identity_toolkit("accounts:signUp", credentials() | {"returnSecureToken": True})
    return account["localId"], account["idToken"]


def admin_token(claim: Any = True) -> str:
    """The ID token of a new account whose custom claim `admin` is `claim`."""
    login = credentials()
    account = identity_toolkit("accounts:signUp", login)
    claims = {"localId": account["localId"], "customAttributes": json.dumps({"admin": claim})}
    identity_toolkit(f"projects/{PROJECT}/accounts:update", claims, as_owner=True)
    signed_in = identity_toolkit("accounts:signInWithPassword", login | {"returnSecureToken": True})
    return str(signed_in["idToken"])


def credentials() -> dict[str, Any]:
    return {"email": f"{uuid.uuid4().hex}@example.com", "password": "secret"}


def identity_toolkit(method: str, body: dict[str, Any], *, as_owner: bool = False) -> Any:
    """The Auth emulator's answer; as its owner, it does what an Admin SDK may do."""
    host = os.environ["FIREBASE_AUTH_EMULATOR_HOST"]
    url = f"http://{host}/identitytoolkit.googleapis.com/v1/{method}"
    headers = {"Authorization": "Bearer owner"} if as_owner else {}
    answer = httpx.post(url, params={"key": "any"}, json=body, headers=headers, timeout=30)
    answer.raise_for_status()
    return answer.json()
