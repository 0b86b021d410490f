"""Deleting images: what goes, what stays, who may, and what is finished after a crash."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from google.cloud import firestore, storage
from support.books import check_books
from support.bucket import FakeBucket
from support.images import image
from support.orders import ANYBODY, now, order, order_body
from support.proxy import FirestoreProxy

from imagegen import clock, db, tasks
from imagegen.api.auth import Caller
from imagegen.errors import GenerationRequestNotFound
from imagegen.generation import create as generation
from imagegen.generation import deletion
from imagegen.generation.endpoints import DeleteImage, delete_image
from imagegen.generation.replies import Generation
from imagegen.generation.request import RequestDocument
from imagegen.generation.uploads import UploadSource, upload_source

Call = Callable[..., Any]
PROMPT = "a lighthouse that only I know"


def create(user_id: str, **changes: Any) -> str:
    body = generation.create(order(user_id, **{"prompt": PROMPT} | changes), ANYBODY).body
    assert isinstance(body, Generation)
    return body.generation_request_id


def stored(client: firestore.Client, request_id: str) -> dict[str, Any]:
    return client.document(db.generation_request(request_id)).get().to_dict() or {}


def names(bucket: storage.Bucket) -> list[str]:
    return sorted(blob.name for blob in bucket.list_blobs())


def test_image_thumbnail_prompt_and_source_go_and_the_price_stays(
    call: Call,
    client: firestore.Client,
    new_user: Callable[..., str],
    emulated_bucket: storage.Bucket,
    painted: None,
) -> None:
    user_id = new_user(5)
    photo = UploadSource(user_id=user_id, data=image(64, 64))
    upload_id = upload_source(photo, ANYBODY).upload_id
    request_id = create(user_id, source={"type": "photo", "uploadId": upload_id})
    kept = create(user_id)
    before = call("getGenerationStatus", json={"generationRequestId": request_id}).get_json()
    assert httpx.get(before["imageUrl"]).status_code == 200
    assert len(names(emulated_bucket)) == 5

    answer = call("deleteImage", json={"generationRequestId": request_id})

    assert answer.status_code == 200
    deleted = answer.get_json()
    gone = {"source", "thumbnailUrl", "image"}
    assert gone.isdisjoint(deleted)
    assert deleted.pop("imageDeletedAt") >= before["completedAt"]
    assert deleted == {name: before[name] for name in deleted} | {"prompt": "", "imageUrl": None}
    assert (deleted["status"], deleted["deductedCredits"]) == ("completed", 1)
    for url in (before["imageUrl"], before["thumbnailUrl"]):
        assert httpx.get(url).status_code in {403, 404}
    assert all(name.startswith(f"generations/{kept}/") for name in names(emulated_bucket))
    document = stored(client, request_id)
    assert "deletionDueAt" not in document
    assert PROMPT not in str(document)
    assert upload_id not in str(document)
    assert check_books(client, user_id, opening=5) == 3


def test_a_second_call_gives_the_same_answer_as_do_status_and_list(
    call: Call, new_user: Callable[..., str], emulated_bucket: storage.Bucket, painted: None
) -> None:
    request_id = create(user_id := new_user(5))
    body = {"generationRequestId": request_id}
    first = call("deleteImage", json=body).get_json()
    assert call("deleteImage", json=body).get_json() == first
    assert call("getGenerationStatus", json=body).get_json() == first
    listed = call("listGenerationRequests", json={"userId": user_id}).get_json()
    assert listed["generationRequests"] == [first]


def test_only_the_owner_and_an_admin_may_delete(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    for caller in (Caller(uid=user_id), Caller(uid="operator", is_admin=True)):
        body = DeleteImage(generation_request_id=create(user_id))
        with pytest.raises(GenerationRequestNotFound):
            delete_image(body, Caller(uid="stranger"))
        assert stored(client, body.generation_request_id)["prompt"] == PROMPT
        assert delete_image(body, caller).image_deleted_at is not None


def test_what_is_still_open_is_not_deleted(
    call: Call,
    client: firestore.Client,
    new_user: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "enqueue", lambda _: None)
    request_id = create(new_user(5), mode="async")
    for status in ("pending", "processing"):
        client.document(db.generation_request(request_id)).update({"status": status})
        answer = call("deleteImage", json={"generationRequestId": request_id})
        error = answer.get_json()["error"]
        assert (answer.status_code, error["status"]) == (409, "FAILED_PRECONDITION")
        assert error["details"] == {
            "reason": "NOT_DELETABLE",
            "generationRequestId": request_id,
            "status": status,
        }
    assert stored(client, request_id)["prompt"] == PROMPT


def test_of_a_failed_request_the_prompt_can_be_deleted(
    call: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    failed = call("createGenerationRequest", json=order_body(user_id, model="Doomed Model"))
    body = {"generationRequestId": failed.get_json()["error"]["details"]["generationRequestId"]}
    deleted = call("deleteImage", json=body).get_json()
    assert (deleted["status"], deleted["prompt"], deleted["refundedCredits"]) == ("failed", "", 1)
    assert "deletionDueAt" not in stored(client, body["generationRequestId"])
    assert check_books(client, user_id, opening=5) == 5


def test_an_order_that_is_repeated_is_told_that_its_image_was_deleted_and_not_charged_again(
    call: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    keyed = order_body(user_id := new_user(5), idempotencyKey="k")
    made = call("createGenerationRequest", json=keyed).get_json()
    request_id = made["generationRequestId"]
    call("deleteImage", json={"generationRequestId": request_id})
    again = call("createGenerationRequest", json=keyed)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (409, "true")
    details = {"reason": "IMAGE_DELETED", "generationRequestId": request_id}
    assert again.get_json()["error"]["details"] == details
    other = call("createGenerationRequest", json=keyed | {"prompt": "another"})
    assert other.get_json()["error"]["details"]["reason"] == "IDEMPOTENCY_KEY_REUSED"
    assert check_books(client, user_id, opening=5) == 4


def test_without_bytes_of_ours_a_deletion_is_one_write(
    proxy: FirestoreProxy, new_user: Callable[..., str]
) -> None:
    request_id = create(new_user(5))  # the image of a mock is elsewhere
    proxy.reset()
    delete_image(DeleteImage(generation_request_id=request_id), ANYBODY)
    assert proxy.traffic.rpcs == {"BatchGetDocuments": 1, "Commit": 1}


def test_a_lost_reply_to_the_commit_deletes_nothing_twice(
    proxy: FirestoreProxy, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    request_id = create(new_user(5))
    proxy.lose_reply_to_commit()
    deleted = delete_image(DeleteImage(generation_request_id=request_id), ANYBODY)
    assert deleted.image_deleted_at == stored(client, request_id)["imageDeletedAt"]


def test_while_the_storage_is_away_the_image_is_hidden_and_the_call_can_be_repeated(
    call: Call,
    client: firestore.Client,
    new_user: Callable[..., str],
    bucket: FakeBucket,
    painted: None,
) -> None:
    body = {"generationRequestId": create(new_user(5))}
    bucket.refuses = lambda method, name: 503
    answer = call("deleteImage", json=body)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    seen = call("getGenerationStatus", json=body).get_json()
    assert (seen["imageUrl"], seen["prompt"], "image" in seen) == (None, "", False)
    assert len(bucket.objects) == 2
    bucket.refuses = lambda method, name: 0
    assert call("deleteImage", json=body).status_code == 200
    assert bucket.objects == {}
    assert "deletionDueAt" not in stored(client, body["generationRequestId"])


def test_what_a_dead_process_has_left_is_finished_when_it_is_due(
    client: firestore.Client,
    new_user: Callable[..., str],
    bucket: FakeBucket,
    painted: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user_id = new_user(5)
    photo = UploadSource(user_id=user_id, data=image(64, 64))
    upload_id = upload_source(photo, ANYBODY).upload_id
    request_id = create(user_id, source={"type": "photo", "uploadId": upload_id})
    with monkeypatch.context() as patch:
        patch.setattr(deletion, "_finish", died)
        with pytest.raises(KeyboardInterrupt):
            delete_image(DeleteImage(generation_request_id=request_id), ANYBODY)
    finish_all()
    assert len(bucket.objects) == 3  # not due yet
    moment = now() + deletion.FIRST_DUE_AFTER
    monkeypatch.setattr(clock, "now", lambda: moment)
    finish_all()
    assert bucket.objects == {}
    document = stored(client, request_id)
    assert (document["image"], document["source"]) == (None, None)
    assert "deletionDueAt" not in document


def died(_: RequestDocument) -> RequestDocument:
    raise KeyboardInterrupt


def finish_all() -> None:
    while deletion.finish_due():
        pass


def test_bytes_that_cannot_be_deleted_wait_and_do_not_hold_up_others(
    client: firestore.Client,
    new_user: Callable[..., str],
    bucket: FakeBucket,
    painted: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stuck, other = create(user_id := new_user(5)), create(user_id)
    for request_id in (stuck, other):
        due = {"imageDeletedAt": now(), "deletionDueAt": now(), "imageUrl": None}
        client.document(db.generation_request(request_id)).update(due)
    bucket.refuses = lambda method, name: 403 if method == "DELETE" and stuck in name else 0
    moment = now() + timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: moment)
    finish_all()
    assert [name for name in bucket.objects if other in name] == []
    assert "deletionDueAt" not in stored(client, other)
    assert stored(client, stuck)["deletionDueAt"] == moment + deletion.DUE_AGAIN_AFTER
