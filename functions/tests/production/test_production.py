"""A function as production runs it: as many calls at once as are declared, and a hard end.

bench/production.py measures the same; here nothing depends on how fast the machine is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from google.cloud import firestore
from google.cloud.storage import Bucket
from support import projects
from support.instance import PAINTER, Answers, Instance
from support.projects import BALANCE, orders, requests_with

PROJECT = "demo-production"
# As deployed, but for the ID tokens, which only real users have.
ENVIRONMENT = {"AUTH_MODE": "optional", "MOCK_FAILURE_RATE": "0"}
SHORT, LONG = "Short Model", "Long Model"
MODELS: dict[str, dict[str, Any]] = {
    SHORT: {"generator": "mock", "imageUrl": "https://example.com/x.png", "latencySeconds": 6},
    LONG: {"generator": "mock", "imageUrl": "https://example.com/x.png", "latencySeconds": 44},
    "Painter": {"generator": "painter", "fit": "native"},
}
LONGEST_CHARGES_SECONDS = 40  # the long model still runs then for who was charged first


@pytest.fixture
def project(emulator: str) -> firestore.Client:
    """A project with the catalogue and models that take their time."""
    return projects.fresh(PROJECT, MODELS)


@pytest.fixture
def instance(project: firestore.Client) -> Iterator[Instance]:
    with Instance("createGenerationRequest", PROJECT, ENVIRONMENT) as running:
        yield running


def codes(answers: Answers) -> list[int]:
    return [each.status_code for each in answers if isinstance(each, httpx.Response)]


def test_what_is_declared_is_served_at_once_and_nothing_is_lost_when_the_instance_is_killed(
    project: firestore.Client, instance: Instance
) -> None:
    count = instance.declared.concurrency
    answers = instance.posted(*orders(project, count, LONG))
    projects.wait_until_pending(project, count, LONGEST_CHARGES_SECONDS)
    assert instance.peak_memory_mb < instance.declared.memory_mb

    assert not instance.terminate()  # the models take longer than the grace
    assert codes(answers.result()) == []
    assert projects.balances(project) == {BALANCE - 1}
    projects.expire_pending(project)
    with Instance("recoverLostGenerations", PROJECT) as recovery:
        assert codes(recovery.post({})) == [200]
    assert len(requests_with(project, "failed")) == count
    assert projects.balances(project) == {BALANCE}
    assert projects.findings(project) == []


def test_calls_that_end_within_the_grace_are_answered_by_an_instance_that_is_stopped(
    project: firestore.Client, instance: Instance
) -> None:
    answers = instance.posted(*orders(project, 8, SHORT))
    projects.wait_until_pending(project, 8, LONGEST_CHARGES_SECONDS)
    assert instance.terminate()
    assert codes(answers.result()) == [200] * 8
    assert projects.balances(project) == {BALANCE - 1}
    assert projects.findings(project) == []


def test_images_that_models_give_as_bytes_fit_into_the_memory_that_is_declared(
    project: firestore.Client, emulated_bucket: Bucket
) -> None:
    stores = ENVIRONMENT | {"IMAGE_BUCKET": emulated_bucket.name}
    with Instance("createGenerationRequest", PROJECT, stores, source=PAINTER) as instance:
        count = instance.declared.concurrency
        assert codes(instance.post(*orders(project, count, "Painter"))) == [200] * count
        assert instance.peak_memory_mb < instance.declared.memory_mb
    sizes = [blob.size for blob in emulated_bucket.list_blobs()]
    assert sum(size > 3_000_000 for size in sizes) == count
