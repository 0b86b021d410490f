"""A worker that is killed between a vendor's job and its image: another one resumes that job."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from google.cloud import firestore
from google.cloud.storage import Bucket
from studio.server import Studio
from support.books import check_books
from support.instance import Instance
from support.models import settings_at
from support.orders import ANYBODY, now, order

from imagegen import db, tasks
from imagegen.catalogue import catalogue
from imagegen.generation import create as generation

MODEL = "Patient Model"
LONGEST_SECONDS = 30


@pytest.fixture
def sells_by_jobs(client: firestore.Client, studio: Studio) -> Iterator[Callable[[str], None]]:
    """Offers a model of the studio by the protocol of a vendor with jobs."""
    document = client.document(f"models/{MODEL}")

    def write(generator: str) -> None:
        settings = {**settings_at(studio, generator), "fit": "native"}
        shown = {"description": "Takes its time.", "enabled": True, "sortOrder": 96}
        document.set({"generator": generator, **shown, **settings})
        catalogue.forget()

    yield write
    document.delete()
    catalogue.forget()


@pytest.mark.parametrize("generator", ["fal", "replicate"])
def test_a_job_of_a_killed_worker_is_resumed_and_paid_for_once(
    client: firestore.Client,
    new_user: Callable[..., str],
    sells_by_jobs: Callable[[str], None],
    studio: Studio,
    emulated_bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    generator: str,
) -> None:
    monkeypatch.setattr(tasks, "enqueue", lambda *_, **__: None)  # the test delivers
    studio.seconds = 4
    environment = {
        "FUNCTIONS_EMULATOR": "true",  # the vendor is on loopback
        "STORAGE_EMULATOR_HOST": os.environ["STORAGE_EMULATOR_HOST"],
        "IMAGE_BUCKET": emulated_bucket.name,
        "GENERATOR_SECRETS": f"STUDIO_KEY:{studio.host}",
        "STUDIO_KEY": "sk-studio",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    sells_by_jobs(generator)
    user_id = new_user(5)
    made = generation.create(order(user_id, model=MODEL, mode="async"), ANYBODY)
    request = client.document(db.generation_request(made.body.generation_request_id))
    task = {"data": {"generationRequestId": request.id}}
    project = os.environ["GCLOUD_PROJECT"]

    with Instance("processGeneration", project, environment) as first:
        first.posted(task)
        _wait(lambda: _stored(request).get("providerJob") is not None)
    # Killed; the queue delivers again, when the lease of the dead worker is over.
    request.update({"leasedUntil": now() - timedelta(seconds=1)})
    with Instance("processGeneration", project, environment) as second:
        (answer,) = second.post(task)
    assert isinstance(answer, httpx.Response)
    assert answer.status_code in {200, 204}, answer.text
    assert _stored(request)["status"] == "completed"
    assert studio.billed == 1
    assert len(studio.jobs) == 1
    assert check_books(client, user_id, opening=5) == 4


def _stored(request: firestore.DocumentReference) -> dict[str, Any]:
    return request.get().to_dict() or {}


def _wait(is_so: Callable[[], bool]) -> None:
    latest = time.monotonic() + LONGEST_SECONDS
    while not is_so():
        assert time.monotonic() < latest
        time.sleep(0.1)
