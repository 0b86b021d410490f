"""Photos from a phone: uploaded in two forms, named in an order of the same user, and deleted."""

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from google.cloud import firestore
from support.books import check_books, requests_of
from support.bucket import FakeBucket
from support.images import image
from support.orders import ANYBODY, now, order, order_body

from imagegen import clock
from imagegen.api.auth import Caller
from imagegen.errors import BackendUnavailable, NotOwner, SourceNotSupported, UploadNotFound
from imagegen.generation import create as generation
from imagegen.generation import uploads
from imagegen.generation.uploads import UploadSource, upload_source
from imagegen.providers import photos, registry
from imagegen.providers.base import MAX_PHOTO_BYTES

Call = Callable[..., Any]
JPEG = image(640, 480, "JPEG")


def as_json(user_id: str, data: bytes) -> dict[str, str]:
    return {"userId": user_id, "data": base64.b64encode(data).decode()}


def upload(user_id: str, data: bytes = JPEG, caller: Caller = ANYBODY) -> str:
    return upload_source(UploadSource(user_id=user_id, data=data), caller).upload_id


def photo(upload_id: str) -> dict[str, str]:
    return {"type": "photo", "uploadId": upload_id}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_comes_as_base64_as_callable_data_or_as_the_body_itself(
    call: Call, bucket: FakeBucket, kind: str
) -> None:
    data = image(40, 30, kind)
    plain = call("uploadSource", json=as_json("ann", data))
    callable_ = call("uploadSource", json={"data": as_json("ann", data)})
    raw = call("uploadSource", path="/?userId=ann", data=data, content_type=f"image/{kind.lower()}")
    assert (plain.status_code, callable_.status_code, raw.status_code) == (200, 200, 200)
    answers = [plain.get_json(), callable_.get_json()["result"], raw.get_json()]
    for answer in answers:
        assert (answer["width"], answer["height"], answer["bytes"]) == (40, 30, len(data))
        assert answer["mimeType"] == f"image/{kind.lower()}"
    assert len({answer["uploadId"] for answer in answers}) == 3
    assert [bucket.data(name) for name in bucket.objects] == [data] * 3


@pytest.mark.parametrize(
    ("data", "content_type", "code", "reason"),
    [
        (b"<!doctype html><p>hello", "image/png", 400, "PHOTO_NOT_USABLE"),
        (b"", "image/jpeg", 400, "PHOTO_NOT_USABLE"),
        (image(8, 8, "GIF"), "image/png", 400, "PHOTO_NOT_USABLE"),
        (image(9000, 9000, mode="1"), "image/png", 400, "PHOTO_NOT_USABLE"),
        (JPEG, "image/gif", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (JPEG, "application/octet-stream", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (JPEG + bytes(MAX_PHOTO_BYTES), "image/jpeg", 413, "PAYLOAD_TOO_LARGE"),
    ],
    ids=["html", "empty", "gif", "too many pixels", "gif by name", "any bytes", "too long"],
)
def test_what_is_no_photo_is_refused_and_not_stored(
    call: Call, bucket: FakeBucket, data: bytes, content_type: str, code: int, reason: str
) -> None:
    answer = call("uploadSource", path="/?userId=ann", data=data, content_type=content_type)
    error = answer.get_json()["error"]
    assert (answer.status_code, error["details"]["reason"]) == (code, reason)
    assert not bucket.objects


def test_a_type_that_is_stated_wrongly_does_not_matter(call: Call, bucket: FakeBucket) -> None:
    answer = call("uploadSource", path="/?userId=ann", data=JPEG, content_type="image/webp")
    assert answer.get_json()["mimeType"] == "image/jpeg"


@pytest.mark.parametrize("data", ["no base64!", 7, None, ["iVBO"]])
def test_data_that_is_not_base64_is_an_invalid_field(call: Call, data: Any) -> None:
    answer = call("uploadSource", json={"userId": "ann", "data": data})
    (violation,) = answer.get_json()["error"]["details"]["fieldViolations"]
    assert (answer.status_code, violation["field"]) == (400, "data")


def test_base64_in_json_has_room_for_the_largest_photo_and_no_more(
    call: Call, bucket: FakeBucket
) -> None:
    largest = JPEG + bytes(MAX_PHOTO_BYTES - len(JPEG))
    assert call("uploadSource", json=as_json("ann", largest)).status_code == 200
    for excess in (1, 200_000):
        answer = call("uploadSource", json=as_json("ann", largest + bytes(excess)))
        assert answer.status_code == 413


def test_a_body_of_bytes_needs_the_user_in_the_query(call: Call) -> None:
    answer = call("uploadSource", data=JPEG, content_type="image/jpeg")
    (violation,) = answer.get_json()["error"]["details"]["fieldViolations"]
    assert (answer.status_code, violation["field"]) == (400, "userId")


def test_nobody_uploads_for_another_user(bucket: FakeBucket) -> None:
    with pytest.raises(NotOwner):
        upload("ann", caller=Caller(uid="bob"))
    assert not bucket.objects


def test_of_a_user_only_so_many_uploads_are_kept(
    call: Call, bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_UPLOADS", 2)
    for _ in range(2):
        upload("ann")
    answer = call("uploadSource", json=as_json("ann", JPEG))
    details = answer.get_json()["error"]["details"]
    assert (answer.status_code, details["limit"], details["quota"]) == (429, "uploads", 2)
    assert answer.headers["Retry-After"] == "3600"
    upload("bob")
    assert len(bucket.objects) == 3


def test_a_storage_out_of_reach_is_503(call: Call, bucket: FakeBucket) -> None:
    bucket.refuses = lambda method, name: 503
    answer = call("uploadSource", json=as_json("ann", JPEG))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_an_order_names_an_upload_which_is_shown_and_stays_for_the_next_one(
    call: Call, client: firestore.Client, new_user: Callable[..., str], bucket: FakeBucket
) -> None:
    upload_id = upload(user_id := new_user(5))
    for _ in range(2):
        body = order_body(user_id, source=photo(upload_id))
        made = call("createGenerationRequest", json=body).get_json()
        seen = call(
            "getGenerationStatus", json={"generationRequestId": made["generationRequestId"]}
        )
        assert seen.get_json()["source"] == photo(upload_id)
    assert check_books(client, user_id, opening=5) == 3


def test_an_upload_of_somebody_else_or_of_nobody_is_not_found_and_charges_nothing(
    client: firestore.Client, new_user: Callable[..., str], bucket: FakeBucket
) -> None:
    theirs, user_id = upload("ann"), new_user(5)
    for upload_id in (theirs, f"20261127-{'0' * 32}"):
        with pytest.raises(UploadNotFound) as refused:
            generation.create(order(user_id, source=photo(upload_id)), ANYBODY)
        assert refused.value.details == {"uploadId": upload_id}
    assert requests_of(client, user_id) == []


@pytest.mark.parametrize("upload_id", ["../x", "20261127-" + "0" * 31, "", "a/b"])
def test_an_upload_id_cannot_lead_elsewhere(call: Call, upload_id: str) -> None:
    body = order_body("ann", source=photo(upload_id))
    assert call("createGenerationRequest", json=body).status_code == 400


@pytest.mark.parametrize(
    "source", [{"type": "photo"}, {"type": "photo", "url": "https://a.b/c", "uploadId": "x"}]
)
def test_a_photo_is_either_behind_a_url_or_uploaded(call: Call, source: dict[str, str]) -> None:
    assert call("createGenerationRequest", json=order_body("ann", source=source)).status_code == 400


def test_a_repeated_order_is_answered_when_its_upload_is_gone(
    client: firestore.Client, new_user: Callable[..., str], bucket: FakeBucket
) -> None:
    upload_id = upload(user_id := new_user(5))
    keyed = order(user_id, source=photo(upload_id), idempotencyKey="k")
    first = generation.create(keyed, ANYBODY).body
    bucket.objects.clear()
    assert generation.create(keyed, ANYBODY).body == first


def test_while_the_storage_is_away_nothing_is_charged(
    client: firestore.Client, new_user: Callable[..., str], bucket: FakeBucket
) -> None:
    upload_id = upload(user_id := new_user(5))
    bucket.refuses = lambda method, name: 503
    with pytest.raises(BackendUnavailable):
        generation.create(order(user_id, source=photo(upload_id)), ANYBODY)
    assert requests_of(client, user_id) == []


@pytest.mark.parametrize("kind", ["upload", "url"])
def test_a_model_that_takes_no_photos_refuses_one_before_the_charge(
    client: firestore.Client,
    new_user: Callable[..., str],
    bucket: FakeBucket,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    monkeypatch.setattr(registry, "FREE_OF_CHARGE", frozenset())  # as if the mock were paid
    upload_id = upload(user_id := new_user(5))
    source = photo(upload_id) if kind == "upload" else {"type": "photo", "url": "https://a.b/c"}
    with pytest.raises(SourceNotSupported) as refused:
        generation.create(order(user_id, source=source), ANYBODY)
    assert refused.value.details == {"model": "Sure Model"}
    assert requests_of(client, user_id) == []


def test_what_no_request_can_need_any_more_is_deleted(
    bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload("ann")
    moment = now()
    for age, deleted in ((photos.LIFETIME, 0), (photos.LIFETIME + timedelta(hours=1), 1)):
        monkeypatch.setattr(clock, "now", lambda age=age: moment + age)
        assert uploads.delete_expired() == deleted
    assert bucket.objects == {}


def test_the_uploads_of_a_user_can_be_deleted_at_once(bucket: FakeBucket) -> None:
    for user in ("ann", "ann", "bob"):
        upload(user)
    assert uploads.delete_all("ann") == 2
    assert uploads.delete_all("ann") == 0
    assert len(bucket.objects) == 1
