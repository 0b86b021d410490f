"""Exporting an account: what is in the file, how long it lives, and what a task may do twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from google.cloud import firestore, storage
from support.admin_calls import actions_about
from support.bucket import FakeBucket
from support.leaving import Queue
from support.orders import ANYBODY, order
from support.proxy import FirestoreProxy

from imagegen import clock, db, tasks
from imagegen.accounts import delete, export, worker
from imagegen.accounts.endpoints import ExportAccount, export_account
from imagegen.accounts.export import ExportDocument
from imagegen.actions import Operator
from imagegen.api.auth import Caller
from imagegen.credits import ledger
from imagegen.errors import BackendUnavailable, UserNotFound
from imagegen.generation import create as generation
from imagegen.notifications import devices
from imagegen.providers import bucket as storage_bucket

Users = Callable[..., str]


def file_of(user_id: str) -> dict[str, Any]:
    """The file of the export that is ready."""
    url = export.export(user_id).url
    assert url is not None
    served = httpx.get(url)
    assert served.headers["content-type"].startswith("application/json")
    assert served.headers["cache-control"] == "private, no-store"
    told: dict[str, Any] = served.json()
    return told


def test_everything_is_in_the_file_however_many_pages_it_takes(
    client: firestore.Client,
    new_user: Users,
    account_queue: Queue,
    emulated_bucket: storage.Bucket,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(export, "PAGE_SIZE", 2)
    user_id = new_user(9, name="Ännchen „x“ \u2028")
    requests = {
        generation.create(order(user_id), ANYBODY).body.generation_request_id for _ in range(5)
    }
    ledger.grant_credits(user_id, 2, key="k", reason='sorry, "you"', by="cli:ann")
    devices.register(user_id, "phone")
    client.document(f"purchases/p-{user_id}").set({"userId": user_id, "status": "paid"})
    assert export.export(user_id) == export.Export()
    assert export.export(user_id) == export.Export()
    assert account_queue.tasks == [{"exportOf": user_id}]
    account_queue.work()
    told = file_of(user_id)
    assert told["userId"] == user_id
    assert told["account"]["name"] == "Ännchen „x“ \u2028"
    assert {each["id"] for each in told["generationRequests"]} == requests
    shown = told["generationRequests"][0]
    assert shown["imageUrl"] == "https://example.com/sure.png"
    assert shown["prompt"] == "a lighthouse at dusk"
    assert "attemptId" not in shown
    assert len(told["transactions"]) == 6
    assert [each["id"] for each in told["purchases"]] == [f"p-{user_id}"]
    assert [each["token"] for each in told["devices"]] == ["phone"]


def test_a_file_is_made_again_after_a_while_and_deleted_after_a_day(
    new_user: Users,
    account_queue: Queue,
    emulated_bucket: storage.Bucket,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user_id, begun = new_user(9), clock.now()
    export.export(user_id)
    account_queue.work()
    first = export.export(user_id)
    assert first.url is not None
    assert first.expires_at is not None
    assert timedelta(hours=23) < first.expires_at - begun < timedelta(hours=25)
    export.delete_expired()
    assert httpx.get(first.url).status_code == 200
    monkeypatch.setattr(clock, "now", lambda: begun + timedelta(minutes=11))
    assert export.export(user_id).url is None
    account_queue.work()
    second = export.export(user_id)
    assert second.url not in (None, first.url)
    monkeypatch.setattr(clock, "now", lambda: begun + timedelta(days=1, hours=1))
    export.delete_expired()
    assert [*emulated_bucket.list_blobs(prefix="exports/")] == []


def test_a_task_that_is_lost_is_put_on_the_queue_by_a_later_call(
    new_user: Users,
    account_queue: Queue,
    emulated_bucket: storage.Bucket,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user_id, begun = new_user(9), clock.now()
    export.export(user_id)
    account_queue.tasks.clear()
    export.export(user_id)
    assert account_queue.tasks == []
    monkeypatch.setattr(clock, "now", lambda: begun + timedelta(minutes=16))
    export.export(user_id)
    task = account_queue.tasks[0]
    account_queue.work()
    ready = export.export(user_id)
    worker.process(task)  # delivered again
    assert export.export(user_id) == ready
    assert len([*emulated_bucket.list_blobs(prefix="exports/")]) == 1


def test_an_export_whose_commit_was_answered_to_nobody_is_put_on_the_queue_once(
    client: firestore.Client, new_user: Users, account_queue: Queue, proxy: FirestoreProxy
) -> None:
    user_id = new_user(9)
    proxy.lose_reply_to_commit()
    for _ in range(2):
        assert export.export(user_id, Operator("ann", "asked for it")) == export.Export()
    assert account_queue.tasks == [{"exportOf": user_id}]
    assert len(actions_about(client, db.user(user_id))) == 1


def test_an_export_that_the_queue_does_not_take_is_begun_by_the_next_call(
    client: firestore.Client,
    new_user: Users,
    account_queue: Queue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: str) -> None:
        raise BackendUnavailable

    user_id = new_user(9)
    with monkeypatch.context() as patched:
        patched.setattr(tasks, "enqueue_account", refuse)
        with pytest.raises(BackendUnavailable):
            export.export(user_id)
    assert not client.document(export.document_path(user_id)).get().exists
    assert export.export(user_id) == export.Export()
    assert account_queue.tasks == [{"exportOf": user_id}]


def test_a_file_whose_export_was_taken_back_is_deleted_and_the_one_before_it_stays(
    new_user: Users,
    account_queue: Queue,
    emulated_bucket: storage.Bucket,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user_id, begun = new_user(9), clock.now()
    export.export(user_id)
    account_queue.work()
    (kept,) = emulated_bucket.list_blobs()
    write = export._json

    def taken_back_meanwhile(user_id: str) -> Any:
        yield from write(user_id)
        path = export.document_path(user_id)
        export._take_back(path, ExportDocument(db.read(path)[0]).export_id)

    monkeypatch.setattr(clock, "now", lambda: begun + timedelta(minutes=11))
    monkeypatch.setattr(export, "_json", taken_back_meanwhile)
    export.export(user_id)
    account_queue.work()
    assert [each.name for each in emulated_bucket.list_blobs()] == [kept.name]


def test_each_operator_who_asks_for_an_export_is_logged_once(
    client: firestore.Client,
    new_user: Users,
    account_queue: Queue,
    emulated_bucket: storage.Bucket,
) -> None:
    user_id = new_user(9)
    export.export(user_id)
    for operator in ("ann", "bob", "ann"):
        export.export(user_id, Operator(operator, "asked for it"))
    account_queue.work()
    assert export.export(user_id, Operator("eve", "asked for it")).url is not None

    def logged() -> list[str]:
        return sorted(each["by"] for each in actions_about(client, db.user(user_id)))

    assert logged() == ["ann", "bob", "eve"]
    stale = {"startedAt": clock.now() - timedelta(minutes=11)}
    client.document(export.document_path(user_id)).update(stale)
    export.export(user_id, Operator("ann", "asked again"))
    assert logged() == ["ann", "ann", "bob", "eve"]


def test_a_deleted_user_leaves_no_file_even_if_it_is_written_too_late(
    new_user: Users,
    account_queue: Queue,
    emulated_bucket: storage.Bucket,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    early, late = new_user(9), new_user(9)
    for user_id in (early, late):
        export.export(user_id)
    account_queue.tasks.remove({"exportOf": late})
    account_queue.work()
    delete.delete(early)
    account_queue.work()
    write, done = export._json, []

    def deleted_meanwhile(user_id: str) -> Any:
        yield from write(user_id)
        delete.delete(user_id)
        done.append(account_queue.work())

    monkeypatch.setattr(export, "_json", deleted_meanwhile)
    worker.process({"exportOf": late})
    assert done == [1]
    assert [*emulated_bucket.list_blobs()] == []


def test_an_export_needs_a_user_a_token_and_a_storage(
    client: firestore.Client,
    call: Callable[..., Any],
    new_user: Users,
    account_queue: Queue,
    emulated_bucket: storage.Bucket,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(UserNotFound):
        export.export("nobody-at-all")
    assert call("exportAccount", json={}).status_code == 401
    monkeypatch.delenv("IMAGE_BUCKET")
    monkeypatch.setenv("FIREBASE_CONFIG", "{}")
    with pytest.raises(BackendUnavailable):
        export_account(ExportAccount(), Caller(uid=new_user(1)))


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_long_file_is_sent_in_chunks_and_one_that_breaks_off_is_not_there(
    bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch, is_whole: bool
) -> None:
    monkeypatch.setattr(storage_bucket, "EMULATOR_CHUNK_BYTES", storage_bucket.CHUNK_BYTES)
    sent = []

    def parts() -> Iterator[str]:
        for _ in range(50):
            yield "é" * 50_000
            sent.append(len(bucket.uploads.get("a", ({}, b""))[1]))
        if not is_whole:
            raise BackendUnavailable

    def write() -> str:
        deadline = time.monotonic() + 30
        return storage_bucket.write_text("a", parts(), "text/x", deadline=deadline, token="t")

    if is_whole:
        assert write() == f"{bucket.url}/v0/b/pictures/o/a?alt=media&token=t"
        assert bucket.data("a") == ("é" * 2_500_000).encode()
    else:
        with pytest.raises(BackendUnavailable):
            write()
        assert bucket.objects == {}
    assert sent[-1] > 3 * storage_bucket.CHUNK_BYTES  # long before the end
    assert bucket.longest_chunk == storage_bucket.CHUNK_BYTES
