"""The restore drill: export, lose everything, import. The ledger holds and open requests end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.cloud import firestore
from support.books import check_books, requests_of
from support.orders import ANYBODY, now, order

from imagegen import clock, tasks
from imagegen.audit import project as audit
from imagegen.catalogue import catalogue
from imagegen.errors import GenerationFailed
from imagegen.firestore import client as firestore_client
from imagegen.generation import create as generation
from imagegen.generation import recovery, worker

PROJECT = "demo-restore-tests"
OPENING = {"ann": 10, "bob": 5, "carl": 5}
EXPORT = "nightly"


class Drill:
    """An app of its own on the Firestore emulator, which can be exported, lost and imported."""

    def __init__(self, emulator: str, directory: Path) -> None:
        self.client = firestore.Client(project=PROJECT)
        self._root = f"http://{emulator}/emulator/v1/projects/{PROJECT}"
        self._directory = directory

    def export(self) -> None:
        body = {"export_directory": str(self._directory), "export_name": EXPORT}
        self._post("export", body)

    def restore(self) -> None:
        metadata = self._directory / EXPORT / f"{EXPORT}.overall_export_metadata"
        self._post("import", {"export_directory": str(metadata)})

    def lose(self) -> None:
        httpx.delete(f"{self._root}/databases/(default)/documents").raise_for_status()

    def documents(self) -> dict[str, Any]:
        """Everything that there is, by path."""
        found = {}
        for collection in ("users", "transactions", "generationRequests", "models"):
            for document in self.client.collection_group(collection).stream():
                found[document.reference.path] = document.to_dict()
        return found

    def findings(self) -> list[Any]:
        return list(audit.run(self.client, lambda _: None).as_json()["findings"])

    def _post(self, verb: str, body: dict[str, str]) -> None:
        database = {"database": f"projects/{PROJECT}/databases/(default)"}
        httpx.post(f"{self._root}:{verb}", json=database | body, timeout=30).raise_for_status()


@pytest.fixture
def drill(
    emulator: str, client: firestore.Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Drill]:
    """An image and a refund of ann's; bob waits for the queue, and carl's worker has died."""
    made = Drill(emulator, tmp_path)
    made.lose()
    for collection in ("models", "styles", "colors", "sizes"):
        for option in client.collection(collection).stream():
            made.client.document(f"{collection}/{option.id}").set(option.to_dict() or {})
    for user_id, credits in OPENING.items():
        made.client.document(f"users/{user_id}").set({"credits": credits})
    monkeypatch.setattr(firestore_client, "_client", made.client)
    monkeypatch.setattr(tasks, "enqueue", lambda *_, **__: None)
    catalogue.forget()
    generation.create(order("ann"), ANYBODY)
    with pytest.raises(GenerationFailed):
        generation.create(order("ann", model="Doomed Model"), ANYBODY)
    for user_id in ("bob", "carl"):
        generation.create(order(user_id, mode="async"), ANYBODY)
    with monkeypatch.context() as patch:

        def die(*_: Any, **__: Any) -> Any:
            raise SystemExit

        patch.setattr(worker, "generate_image", die)
        with pytest.raises(SystemExit):
            worker.process(task_of(made.client, "carl"))
    yield made
    made.lose()
    catalogue.forget()


def task_of(client: firestore.Client, user_id: str) -> dict[str, str]:
    (request,) = requests_of(client, user_id)
    return {"generationRequestId": request["id"]}


def statuses(client: firestore.Client) -> list[str]:
    return sorted(
        request["status"] for user_id in OPENING for request in requests_of(client, user_id)
    )


def test_what_was_exported_is_there_again_and_the_ledger_holds(drill: Drill) -> None:
    before = drill.documents()
    drill.export()
    generation.create(order("ann"), ANYBODY)  # lost with everything that is younger
    drill.lose()
    assert drill.documents() == {}
    drill.restore()
    assert drill.documents() == before
    assert drill.findings() == []
    assert statuses(drill.client) == ["completed", "failed", "pending", "processing"]


def test_requests_that_were_open_then_are_refunded_by_recovery(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    drill.export()
    drill.lose()
    drill.restore()
    later = now() + timedelta(hours=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert recovery.recover() == 2
    assert drill.findings() == []
    assert statuses(drill.client) == ["completed", "failed", "failed", "failed"]
    balances = {user: check_books(drill.client, user, opening) for user, opening in OPENING.items()}
    assert balances == {"ann": 9, "bob": 5, "carl": 5}
    worker.process(task_of(drill.client, "bob"))  # a task that has outlived the restore
    assert check_books(drill.client, "bob", OPENING["bob"]) == 5


def test_an_import_over_what_is_there_leaves_younger_entries_and_the_audit_finds_them(
    drill: Drill,
) -> None:
    """Why a restore goes into an empty database."""
    drill.export()
    generation.create(order("ann"), ANYBODY)
    drill.restore()
    assert {fault["userId"] for fault in drill.findings()} == {"ann"}
