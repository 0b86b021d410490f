"""A provider is paid at most once for a request, whatever dies, fails or comes twice."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from google.cloud import firestore
from support.books import check_books
from support.orders import ANYBODY, now, order

from imagegen import clock, db, tasks
from imagegen.errors import ContentRefused
from imagegen.generation import create as generation
from imagegen.generation import recovery, worker
from imagegen.providers import bucket, registry
from imagegen.providers.base import GeneratedImage, GenerationJob
from imagegen.providers.failures import Reason, failure

IMAGE = GeneratedImage(url="https://example.com/paid.png")


@dataclass
class Vendor:
    """Answers with one outcome after another, and counts what it was paid for."""

    outcomes: list[Any]
    paid: int = 0

    def generate(self, job: GenerationJob, *, deadline: float) -> GeneratedImage:
        self.paid += 1
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return IMAGE


@dataclass
class JobVendor:
    """Works on jobs: `pending` polls find the job at work, then come the outcomes."""

    outcomes: list[Any] = field(default_factory=list)
    paid: int = 0
    polled: list[str] = field(default_factory=list)
    canceled: list[str] = field(default_factory=list)

    def submit(self, job: GenerationJob, *, deadline: float) -> str:
        self.paid += 1
        return f"job-{self.paid}"

    def poll(
        self, job: GenerationJob, provider_job: str, *, deadline: float
    ) -> GeneratedImage | None:
        self.polled.append(provider_job)
        outcome = self.outcomes.pop(0) if self.outcomes else IMAGE
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def cancel(self, job: GenerationJob, provider_job: str, *, deadline: float) -> None:
        self.canceled.append(provider_job)


class Died(BaseException):
    """The process is gone."""


@pytest.fixture
def sell(
    client: firestore.Client, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Any], Callable[..., str]]:
    """Puts a vendor's model on offer; the answer accepts orders for it in the background."""
    monkeypatch.setattr(tasks, "enqueue", lambda *_, **__: None)
    monkeypatch.setattr(bucket, "name", lambda: "pictures")

    def offer(vendor: Any) -> Callable[..., str]:
        # "mock" is what the catalogue of the tests names; only its vendor is replaced.
        monkeypatch.setitem(registry.GENERATORS, "mock", vendor)
        monkeypatch.setattr(registry, "FREE_OF_CHARGE", frozenset())

        def accept(user_id: str) -> str:
            body = generation.create(order(user_id, mode="async"), ANYBODY).body
            return body.generation_request_id

        return accept

    return offer


def deliver(request_id: str) -> None:
    worker.process({"generationRequestId": request_id})


def stored(client: firestore.Client, request_id: str) -> dict[str, Any]:
    return client.document(db.generation_request(request_id)).get().to_dict() or {}


def later(monkeypatch: pytest.MonkeyPatch, **delta: float) -> None:
    moment = now() + timedelta(**delta)
    monkeypatch.setattr(clock, "now", lambda: moment)


def test_a_paid_image_is_delivered_and_the_call_stands_on_the_request(
    client: firestore.Client, new_user: Callable[..., str], sell: Callable[..., Any]
) -> None:
    vendor = Vendor([IMAGE])
    request_id = sell(vendor)(user_id := new_user(5))
    deliver(request_id)
    request = stored(client, request_id)
    assert (request["status"], request["imageUrl"]) == ("completed", IMAGE.url)
    assert request["providerCall"] == {"attemptId": request["attemptId"], "state": "sent"}
    assert check_books(client, user_id, opening=5) == 4


def test_after_a_crash_during_the_paid_call_nobody_pays_again(
    client: firestore.Client,
    new_user: Callable[..., str],
    sell: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vendor = Vendor([IMAGE])
    request_id = sell(vendor)(user_id := new_user(5))
    with monkeypatch.context() as dying:

        def die(*_: object, **__: object) -> None:
            raise Died

        dying.setattr(worker, "settle", die)  # the process ends when the image has been paid for
        with pytest.raises(Died):
            deliver(request_id)
    later(monkeypatch, minutes=5)
    deliver(request_id)
    assert vendor.paid == 1
    assert stored(client, request_id)["error"]["reason"] == "OUTCOME_UNKNOWN"
    assert check_books(client, user_id, opening=5) == 5


def test_a_refusal_that_cost_nothing_may_be_tried_again(
    client: firestore.Client, new_user: Callable[..., str], sell: Callable[..., Any]
) -> None:
    vendor = Vendor([failure(Reason.PROVIDER_BUSY), IMAGE])
    request_id = sell(vendor)(new_user(5))
    deliver(request_id)
    assert stored(client, request_id)["providerCall"] is None
    deliver(request_id)
    assert stored(client, request_id)["status"] == "completed"


@pytest.mark.parametrize(
    "reason", [Reason.IMAGE_NOT_STORED, Reason.OUTCOME_UNKNOWN, Reason.NO_IMAGE]
)
def test_what_may_have_been_billed_is_refunded_and_not_tried_again(
    client: firestore.Client,
    new_user: Callable[..., str],
    sell: Callable[..., Any],
    reason: Reason,
) -> None:
    vendor = Vendor([failure(reason), IMAGE])
    request_id = sell(vendor)(user_id := new_user(5))
    deliver(request_id)
    deliver(request_id)
    assert vendor.paid == 1
    assert stored(client, request_id)["error"]["reason"] == reason
    assert check_books(client, user_id, opening=5) == 5


def test_a_job_is_resumed_by_the_next_delivery_and_not_paid_again(
    client: firestore.Client,
    new_user: Callable[..., str],
    sell: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vendor = JobVendor([Died()])
    request_id = sell(vendor)(user_id := new_user(5))
    with monkeypatch.context() as dying:

        def die(*_: object, **__: object) -> None:
            raise Died

        dying.setattr(worker, "settle", die)
        with pytest.raises(Died):
            deliver(request_id)
    assert stored(client, request_id)["providerJob"] == "job-1"
    later(monkeypatch, minutes=5)
    deliver(request_id)
    assert (vendor.paid, set(vendor.polled)) == (1, {"job-1"})
    assert stored(client, request_id)["status"] == "completed"
    assert check_books(client, user_id, opening=5) == 4


def test_a_job_that_takes_longer_than_an_attempt_is_resumed(
    client: firestore.Client,
    new_user: Callable[..., str],
    sell: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ASYNC_ATTEMPT_SECONDS", "1")
    vendor = JobVendor([None, None, None])
    request_id = sell(vendor)(new_user(5))
    deliver(request_id)
    assert stored(client, request_id)["status"] == "processing"
    deliver(request_id)
    assert stored(client, request_id)["status"] == "completed"
    assert vendor.paid == 1


def test_a_job_of_a_request_that_is_refunded_is_canceled_at_the_vendor(
    client: firestore.Client,
    new_user: Callable[..., str],
    sell: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vendor = JobVendor()
    request_id = sell(vendor)(user_id := new_user(5))
    fields = {"status": "processing", "providerJob": "job-7", "attemptId": "gone"}
    client.document(db.generation_request(request_id)).update(fields)
    later(monkeypatch, hours=1)
    recovery.recover()
    assert stored(client, request_id)["status"] == "failed"
    assert vendor.canceled == ["job-7"]
    assert check_books(client, user_id, opening=5) == 5


def test_a_refused_prompt_is_told_apart_and_refunded(
    client: firestore.Client, new_user: Callable[..., str], sell: Callable[..., Any]
) -> None:
    sell(Vendor([failure(Reason.CONTENT_REFUSED)]))
    user_id = new_user(5)
    keyed = order(user_id, idempotencyKey="k")
    for _ in range(2):
        with pytest.raises(ContentRefused) as refused:
            generation.create(keyed, ANYBODY)
        assert refused.value.details["refundedCredits"] == 1
    assert check_books(client, user_id, opening=5) == 5
