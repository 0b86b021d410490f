"""Retention on the emulators: what goes for its age, what stays, and runs that die or meet."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from google.cloud import firestore
from support.books import check_books
from support.bucket import FakeBucket
from support.orders import now
from support.projects import fresh
from support.proxy import FirestoreProxy

from imagegen import cleanup, db
from imagegen.errors import BackendUnavailable, ImagegenError
from imagegen.firestore import client as firestore_client
from imagegen.generation import deletion, retention
from imagegen.generation.request import RequestDocument

PROJECT = "demo-retention"
OLD, YOUNG = timedelta(days=31), timedelta(days=29)


@pytest.fixture
def project(emulator: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[firestore.Client]:
    """An empty project, which the code under test uses; both kinds are kept for 30 days."""
    client = fresh(PROJECT, {})
    monkeypatch.setattr(firestore_client, "_client", client)
    monkeypatch.setenv("PROMPT_RETENTION_DAYS", "30")
    monkeypatch.setenv("IMAGE_RETENTION_DAYS", "30")
    monkeypatch.setattr(retention, "PAGE_SIZE", 2)
    yield client
    client.close()


@pytest.fixture
def keep(project: firestore.Client, bucket: FakeBucket) -> Callable[..., str]:
    """Stores an image and its request, made so long ago; the id."""
    numbers = iter(range(100))

    def make(age: timedelta, **fields: Any) -> str:
        request_id = f"r{next(numbers)}"
        path = f"generations/{request_id}/attempt.png"
        bucket.objects[path] = ({"name": path, "timeCreated": f"{now():%Y-%m-%dT%H:%M:%SZ}"}, b"x")
        image = {"path": path, "width": 1, "height": 1, "mimeType": "image/png", "bytes": 1}
        moment = now() - age
        request = {
            "userId": "ann",
            "status": "completed",
            "credits": 1,
            "prompt": "secret",
            "source": {"type": "address", "address": "Pier 39"},
            "imageUrl": f"https://storage.test/{path}",
            "image": image,
            "fingerprint": "f",
            "createdAt": moment,
            "expiresAt": moment,
        }
        project.document(db.generation_request(request_id)).set(request | fields)
        return request_id

    return make


def stored(client: firestore.Client, request_id: str) -> dict[str, Any]:
    return client.document(db.generation_request(request_id)).get().to_dict() or {}


def test_old_prompts_sources_and_images_go_and_young_ones_stay(
    project: firestore.Client, bucket: FakeBucket, keep: Callable[..., str]
) -> None:
    old = [keep(OLD + timedelta(hours=n)) for n in range(5)]
    young = keep(YOUNG)
    before = stored(project, young)
    done = cleanup.run()
    assert (done["prompts"], done["images"]) == (5, 5)
    for request_id in old:
        request = stored(project, request_id)
        assert (request["prompt"], request["source"], request["imageUrl"]) == ("", None, None)
        assert request["image"] is None
        assert "deletionDueAt" not in request
        kept = (request["userId"], request["status"], request["credits"], request["fingerprint"])
        assert kept == ("ann", "completed", 1, "f")
    assert stored(project, young) == before
    assert [*bucket.objects] == [f"generations/{young}/attempt.png"]


def test_each_kind_has_its_own_time_and_0_keeps_it_for_ever(
    project: firestore.Client, keep: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMPT_RETENTION_DAYS", "0")
    keep(timedelta(days=3000))
    assert cleanup.run()["prompts"] == 0
    assert stored(project, "r0")["prompt"] == "secret"
    assert stored(project, "r0")["source"] is not None
    monkeypatch.setenv("PROMPT_RETENTION_DAYS", "10")
    monkeypatch.setenv("IMAGE_RETENTION_DAYS", "0")
    assert keep(YOUNG) == "r1"
    cleanup.run()
    prompts = [stored(project, request_id)["prompt"] for request_id in ("r0", "r1")]
    assert prompts == ["", ""]
    assert "imageDeletedAt" not in stored(project, "r1")


def test_the_books_are_right_after_it(project: firestore.Client, keep: Callable[..., str]) -> None:
    entry = {
        "type": "deduction",
        "credits": 1,
        "delta": -1,
        "lots": [{"lot": "opening", "credits": 1}],
        "generationRequestId": "r0",
        "balanceAfter": 4,
        "sequence": 1,
        "timestamp": now(),
        "reason": "generation",
    }
    project.document("users/ann").set({"credits": 4, "ledgerSequence": 1})
    project.document("users/ann/transactions/r0-deduction").set(entry)
    keep(OLD)
    cleanup.run()
    assert stored(project, "r0")["imageUrl"] is None
    assert check_books(project, "ann", opening=5) == 4


def test_a_request_is_read_once_and_a_run_without_work_reads_the_position_alone(
    project: firestore.Client,
    emulator: str,
    keep: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(4):
        keep(OLD, image=None)  # at a mock's URL, so there are no bytes
    proxy = FirestoreProxy(emulator)
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", proxy.address)
    through = firestore.Client(project=PROJECT)
    monkeypatch.setattr(firestore_client, "_client", through)
    while retention.delete_prompts():
        pass
    # The position before each of two pages and after them; a page is written with the position.
    assert proxy.traffic.documents_read == 4 + 3
    assert proxy.traffic.documents_written == 4 + 2
    proxy.reset()
    assert retention.delete_prompts() == 0
    assert proxy.traffic.documents_read == 1
    through.close()
    proxy.stop()


def test_two_runs_at_once_do_the_work_of_one(
    project: firestore.Client, bucket: FakeBucket, keep: Callable[..., str]
) -> None:
    for _ in range(11):
        keep(OLD)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: cleanup.run(), range(4)))
    requests = [each.to_dict() or {} for each in project.collection("generationRequests").stream()]
    assert {(each["prompt"], each["imageUrl"]) for each in requests} == {("", None)}
    assert not any("deletionDueAt" in each for each in requests)
    assert bucket.objects == {}


def test_a_run_that_died_is_continued(
    project: firestore.Client,
    bucket: FakeBucket,
    keep: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(5):
        keep(OLD)
    tried: list[str] = []

    def dies(request: RequestDocument) -> RequestDocument:
        tried.append(request.id)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(deletion, "_finish", dies)
        with pytest.raises(KeyboardInterrupt):
            cleanup.run()
    assert tried
    assert len(bucket.objects) == 5
    for document in project.collection("generationRequests").stream():
        if "deletionDueAt" in (document.to_dict() or {}):
            document.reference.update({"deletionDueAt": now()})  # as if ten minutes had passed
    cleanup.run()
    for number in range(5):
        assert stored(project, f"r{number}")["prompt"] == ""
    assert len(bucket.objects) == 0


def test_a_page_whose_reply_is_lost_is_not_repeated(
    project: firestore.Client,
    emulator: str,
    keep: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(3):
        keep(OLD)
    proxy = FirestoreProxy(emulator)
    proxy.lose_reply_to_commit()
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", proxy.address)
    through = firestore.Client(project=PROJECT)
    monkeypatch.setattr(firestore_client, "_client", through)
    assert [retention.delete_prompts() for _ in range(3)] == [2, 1, 0]
    assert {stored(project, f"r{n}")["prompt"] for n in range(3)} == {""}
    through.close()
    proxy.stop()


def test_what_the_user_has_deleted_meanwhile_stays_as_it_is(
    project: firestore.Client, keep: Callable[..., str]
) -> None:
    request_id = keep(OLD)
    request = RequestDocument(db.read(db.generation_request(request_id))[0])
    deleted = deletion.delete(request)
    cleanup.run()
    after = RequestDocument(db.read(db.generation_request(request_id))[0])
    assert after.image_deleted_at == deleted.image_deleted_at


def test_a_document_that_is_malformed_does_not_stop_the_others(
    project: firestore.Client, bucket: FakeBucket, keep: Callable[..., str]
) -> None:
    keep(OLD + timedelta(hours=2), status=7, userId=None)
    keep(OLD, image="x")
    last = keep(OLD)
    cleanup.run()
    assert stored(project, last)["imageUrl"] is None
    assert stored(project, "r0")["prompt"] == ""


def test_a_sweep_that_fails_is_named_and_the_others_go_on(
    project: firestore.Client, keep: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(OLD)

    def fails() -> int:
        raise BackendUnavailable

    monkeypatch.setitem(cleanup.SWEEPS, "prompts", fails)
    with pytest.raises(ImagegenError, match="prompts could not be cleaned up"):
        cleanup.run()
    assert stored(project, "r0")["prompt"] == "secret"
    assert stored(project, "r0")["imageUrl"] is None


def test_sweeps_take_turns_until_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[str] = []

    def endless(name: str) -> Callable[[], int]:
        def sweep() -> int:
            turns.append(name)
            return 1

        return sweep

    monkeypatch.setattr(cleanup, "SWEEPS", {"a": endless("a"), "b": endless("b")})
    monkeypatch.setattr(cleanup, "RUN_SECONDS", 0.05)
    done = cleanup.run()
    assert turns[:4] == ["a", "b", "a", "b"]
    assert done == {"a": turns.count("a"), "b": turns.count("b")}
