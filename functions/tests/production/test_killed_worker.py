"""A worker that is killed between a vendor's job and its image: another one resumes that job."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from google.cloud import firestore
from google.cloud.storage import Bucket
from studio.server import Studio
from support.books import check_books
from support.instance import Instance
from support.orders import ANYBODY, now, order

from imagegen import db, tasks
from imagegen.generation import create as generation

LONGEST_SECONDS = 30


@pytest.mark.parametrize("generator", ["fal", "replicate"])
def test_a_job_of_a_killed_worker_is_resumed_and_paid_for_once(
    client: firestore.Client,
    new_user: Callable[..., str],
    studio_model: Callable[..., str],
    studio: Studio,
    emulated_bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    generator: str,
) -> None:
    monkeypatch.setattr(tasks, "enqueue", lambda *_, **__: None)  # the test delivers
    studio.seconds = 2
    environment = {
        "FUNCTIONS_EMULATOR": "true",  # the vendor is on loopback
        "STORAGE_EMULATOR_HOST": os.environ["STORAGE_EMULATOR_HOST"],
        "IMAGE_BUCKET": emulated_bucket.name,
        **{name: os.environ[name] for name in ("GENERATOR_SECRETS", "STUDIO_KEY")},
    }
    user_id, model = new_user(5), studio_model(generator, fit="native")
    made = generation.create(order(user_id, model=model, mode="async"), ANYBODY)
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
