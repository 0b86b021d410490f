"""Operators change the catalogue: checked before it is stored, logged, undone from the log."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.cloud import firestore
from support.admin_calls import actions_about
from support.operators import OPERATOR
from support.orders import order_body
from support.proxy import FirestoreProxy

from imagegen.catalogue import catalogue, editing

Call = Callable[..., Any]
WHY = {"reason": "asked for by users"}
MODEL = {"generator": "mock", "imageUrl": "https://example.com/c.png"}


@pytest.fixture
def name(client: firestore.Client) -> Iterator[str]:
    """A name that nothing has; what a test makes under it is deleted afterwards."""
    made = f"Test {uuid.uuid4().hex[:12]}"
    yield made
    for collection in editing.KINDS:
        client.document(f"{collection}/{made}").delete()
    catalogue.forget()


def put(admin: Call, path: str, document: Any, code: int = 200, **more: Any) -> Any:
    return admin("PUT", path, code, json={"document": document} | WHY | more)


def delete(admin: Call, path: str, code: int = 200) -> Any:
    return admin("DELETE", path, code, query_string=WHY)


def stored(client: firestore.Client, path: str) -> dict[str, Any] | None:
    return client.document(path).get().to_dict()


def violations(answer: Any) -> dict[str, str]:
    assert answer["error"]["details"]["reason"] == "INVALID_FIELD"
    found = answer["error"]["details"]["fieldViolations"]
    return {each["field"]: each["description"] for each in found}


def test_what_is_stored_can_be_ordered_at_once(
    admin: Call, call: Call, new_user: Callable[..., str], name: str
) -> None:
    made = put(admin, f"/styles/{name}", {"description": "Thick lines.", "enabled": True})
    assert made["before"] is None
    assert [change["field"] for change in made["changes"]] == ["description", "enabled"]
    answer = call("createGenerationRequest", json=order_body(new_user(5), style=name))
    assert answer.status_code == 200


def test_a_change_is_shown_by_field_and_logged(
    admin: Call, client: firestore.Client, name: str
) -> None:
    path = f"sizes/{name}"
    size = {"credits": 8, "width": 64, "height": 64, "enabled": False, "note": "large"}
    put(admin, f"/{path}", size)
    dearer = {"credits": 9, "width": 64, "height": 64, "enabled": False}
    changed = put(admin, f"/{path}", dearer)
    assert changed["changes"] == [
        {"field": "credits", "before": 8, "after": 9},
        {"field": "note", "before": "large", "after": None},
    ]
    assert stored(client, path) == dearer
    first, second = sorted(actions_about(client, path), key=lambda action: action["at"])
    assert (first["before"], first["after"]) == (None, size)
    assert (second["before"], second["after"], second["by"]) == (size, dearer, OPERATOR)
    assert second["id"] == changed["actionId"]


def test_what_changes_nothing_is_not_logged(
    admin: Call, client: firestore.Client, name: str
) -> None:
    put(admin, f"/colors/{name}", {"description": "Earth."})
    again = put(admin, f"/colors/{name}", {"description": "Earth."})
    assert (again["changes"], "actionId" in again) == ([], False)
    assert len(actions_about(client, f"colors/{name}")) == 1


def test_a_dry_run_stores_nothing(admin: Call, client: firestore.Client, name: str) -> None:
    shown = put(admin, f"/models/{name}", MODEL, dryRun=True)
    assert len(shown["changes"]) == 2
    assert "actionId" not in shown
    assert stored(client, f"models/{name}") is None
    assert actions_about(client, f"models/{name}") == []


@pytest.mark.parametrize(
    ("collection", "document", "field"),
    [
        ("sizes", {"width": 1, "height": 1}, "document.credits"),
        ("sizes", {"credits": 0, "width": 1, "height": 1}, "document.credits"),
        ("sizes", {"credits": "1", "width": 1, "height": 1}, "document.credits"),
        ("styles", {"enabled": "perhaps"}, "document.enabled"),
        ("styles", {"name": "another"}, "document.name"),
        ("styles", {"aliases": ["Anime"]}, "document.aliases"),
        ("styles", {"x": [[1]]}, "document.x.0"),
        ("styles", {"x": {"__y__": 1}}, "document.x"),
        ("styles", {"x": 2**63}, "document.x"),
        ("models", {}, "document.generator"),
        ("models", {"generator": "no-such"}, "document.generator"),
        ("models", MODEL | {"failureRate": 2}, "document.failureRate"),
        ("models", MODEL | {"apiKey": "0123456789abcdef"}, "document.apiKey"),
        ("products", {"credits": 1, "kind": "gift"}, "document.kind"),
    ],
)
def test_what_the_catalogue_could_not_use_is_not_stored(
    admin: Call,
    client: firestore.Client,
    name: str,
    collection: str,
    document: Any,
    field: str,
) -> None:
    refused = put(admin, f"/{collection}/{name}", document, 400)
    assert field in violations(refused)
    assert stored(client, f"{collection}/{name}") is None
    assert actions_about(client, f"{collection}/{name}") == []


def test_two_products_do_not_share_a_price(
    admin: Call, client: firestore.Client, name: str
) -> None:
    product = {"credits": 1, "kind": "purchase", "stripePrice": f"price_{uuid.uuid4().hex}"}
    put(admin, f"/products/{name}", product)
    try:
        refused = put(admin, f"/products/{name} again", product, 400)
        assert "document.stripePrice" in violations(refused)
    finally:
        client.document(f"products/{name} again").delete()


def test_a_document_is_deleted_and_put_back(
    admin: Call, client: firestore.Client, name: str
) -> None:
    path = f"colors/{name}"
    put(admin, f"/{path}", {"description": "Earth."})
    gone = delete(admin, f"/{path}")
    assert (gone["before"], gone["after"]) == ({"description": "Earth."}, None)
    assert stored(client, path) is None
    back = admin("POST", f"/adminActions/{gone['actionId']}/undo", json=WHY)
    assert back["after"] == {"description": "Earth."}
    assert stored(client, path) == {"description": "Earth."}
    admin("POST", f"/adminActions/{back['actionId']}/undo", json=WHY)
    assert stored(client, path) is None
    delete(admin, f"/{path}", 404)


def test_a_deletion_whose_commit_was_answered_to_nobody_is_told_as_done(
    admin: Call, client: firestore.Client, name: str, proxy: FirestoreProxy
) -> None:
    path = f"colors/{name}"
    put(admin, f"/{path}", {"description": "Earth."})
    proxy.lose_reply_to_commit()
    gone = delete(admin, f"/{path}")
    assert (gone["before"], gone["after"]) == ({"description": "Earth."}, None)
    logged = {each["id"]: each["action"] for each in actions_about(client, path)}
    assert (len(logged), logged[gone["actionId"]]) == (2, "catalogue.delete")


def test_an_undo_that_is_repeated_changes_nothing(
    admin: Call, client: firestore.Client, name: str
) -> None:
    path = f"colors/{name}"
    made = put(admin, f"/{path}", {"description": "Earth."})
    changed = put(admin, f"/{path}", {"description": "Sand."})
    for action, after in ((changed, {"description": "Earth."}), (made, None)):
        undo = f"/adminActions/{action['actionId']}/undo"
        first, again = (admin("POST", undo, json=WHY) for _ in range(2))
        assert (first["after"], again["after"], again["changes"]) == (after, after, [])
        assert ("actionId" in first, "actionId" in again) == (True, False)
    assert len(actions_about(client, path)) == 4


def test_what_has_changed_since_is_not_undone(
    admin: Call, client: firestore.Client, name: str
) -> None:
    path = f"colors/{name}"
    made = put(admin, f"/{path}", {"description": "Earth."})
    client.document(path).update({"description": "Sand."})
    refused = admin("POST", f"/adminActions/{made['actionId']}/undo", 409, json=WHY)
    assert refused["error"]["details"]["reason"] == "CHANGED_SINCE"
    assert stored(client, path) == {"description": "Sand."}


def test_only_changes_of_the_catalogue_are_undone(
    admin: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    grant = {"credits": 1, "reason": "r", "idempotencyKey": "k"}
    admin("POST", f"/users/{user_id}/grants", json=grant)
    (action,) = actions_about(client, f"users/{user_id}")
    refused = admin("POST", f"/adminActions/{action['id']}/undo", 409, json=WHY)
    assert refused["error"]["details"]["reason"] == "NOT_UNDOABLE"
    admin("POST", "/adminActions/not-there/undo", 404, json=WHY)


def test_the_log_is_listed_newest_first(
    admin: Call, new_user: Callable[..., str], name: str
) -> None:
    put(admin, f"/colors/{name}", {"description": "Earth."})
    grant = {"credits": 1, "reason": "r", "idempotencyKey": "k"}
    admin("POST", f"/users/{new_user(5)}/grants", json=grant)
    page = admin("GET", "/adminActions?pageSize=2")
    newest, before = page["adminActions"]
    assert (newest["action"], newest["undoable"]) == ("grant", False)
    assert (before["action"], before["undoable"]) == ("catalogue.put", True)
    assert before["after"] == {"description": "Earth."}
    rest = admin("GET", f"/adminActions?pageSize=2&pageToken={page['nextPageToken']}")
    assert rest["adminActions"][0]["at"] <= before["at"]


def test_the_whole_catalogue_is_shown_with_what_is_wrong(
    admin: Call, client: firestore.Client, name: str
) -> None:
    put(admin, f"/styles/{name}", {"enabled": False, "sortOrder": -1, "description": "Lines."})
    client.document(f"products/{name}").set({"credits": 0})
    shown = admin("GET", "/catalogue")
    assert shown["styles"][0]["name"] == name
    assert shown["styles"][0]["document"]["enabled"] is False
    (broken,) = [each for each in shown["products"] if each["name"] == name]
    assert {each["field"] for each in broken["problems"]} == {"document.credits", "document.kind"}


def test_two_changes_at_once_never_give_one_name_to_two_things(
    admin: Call, client: firestore.Client, name: str
) -> None:
    names = [f"{name} {number}" for number in range(6)]
    shared = {"aliases": [f"alias of {name}"]}

    def make(each: str) -> bool:
        body = {"document": shared} | WHY
        return "error" not in admin("PUT", f"/colors/{each}", None, json=body)

    try:
        with ThreadPoolExecutor(6) as pool:
            assert sorted(pool.map(make, names)) == [False] * 5 + [True]
    finally:
        for each in names:
            client.document(f"colors/{each}").delete()


def test_the_last_of_a_kind_stays() -> None:
    (problem,) = editing._problems("models", "Model A", None, [])
    assert problem[0] == "name"
    assert [*editing._problems("products", "pack-100", None, [])] == []
