"""A fallback model: once, where nothing can have been billed; and models that are suspended."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from google.cloud import firestore
from support.books import check_books, requests_of
from support.orders import ANYBODY, now, order
from support.proxy import FirestoreProxy

from imagegen import clock, db, tasks
from imagegen.catalogue import catalogue, suspension
from imagegen.catalogue.endpoints import ListModels, list_models
from imagegen.errors import GenerationFailed, ModelUnavailable
from imagegen.generation import create as generation
from imagegen.generation import worker
from imagegen.providers import bucket, registry
from imagegen.providers.base import GeneratedImage, GenerationJob
from imagegen.providers.failures import FALLBACK_REASONS, Reason, failure

FIRST, SECOND = "First Model", "Second Model"


class Vendor:
    """Fails with what it is told to, by model, and counts what it was asked for."""

    def __init__(self) -> None:
        self.fails: dict[str, Reason] = {}
        self.billed: bool | None = None
        self.asked: list[str] = []

    def generate(self, job: GenerationJob, *, deadline: float) -> GeneratedImage:
        self.asked.append(job.model)
        if job.model in self.fails:
            raise failure(self.fails[job.model], billed=self.billed)
        return GeneratedImage(url=f"https://example.com/{job.model[:5]}.png")


@pytest.fixture
def vendor(client: firestore.Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    """Two models of one vendor; the first has the second as its fallback."""
    made = Vendor()
    monkeypatch.setitem(registry.GENERATORS, "vendor", made)
    monkeypatch.setattr(bucket, "name", lambda: "pictures")
    monkeypatch.setattr(tasks, "enqueue", lambda *_, **__: None)
    suspension._in_a_row.clear()
    paths = [f"models/{FIRST}", f"models/{SECOND}"]
    client.document(paths[0]).set({"generator": "vendor", "fallbackModel": SECOND})
    client.document(paths[1]).set({"generator": "vendor"})
    catalogue.forget()
    yield made
    for path in (*paths, *(f"modelSuspensions/{name}" for name in (FIRST, SECOND))):
        client.document(path).delete()
    catalogue.forget()


def alone(client: firestore.Client) -> None:
    """Take the first model's fallback away."""
    client.document(f"models/{FIRST}").update({"fallbackModel": None})
    catalogue.forget()


def fail(user_id: str, model: str = FIRST) -> None:
    with pytest.raises(GenerationFailed):
        generation.create(order(user_id, model=model), ANYBODY)


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("reason", sorted(FALLBACK_REASONS))
def test_a_model_that_is_not_available_is_replaced_at_the_same_price(
    client: firestore.Client,
    new_user: Callable[..., str],
    vendor: Vendor,
    reason: Reason,
    mode: str,
) -> None:
    vendor.fails = {FIRST: reason}
    user_id = new_user(5)
    made = generation.create(order(user_id, model=FIRST, mode=mode), ANYBODY).body
    if mode == "async":
        worker.process({"generationRequestId": made.generation_request_id})
    (request,) = requests_of(client, user_id)
    assert (request["status"], request["model"], request["fallbackModel"]) == (
        "completed",
        FIRST,
        SECOND,
    )
    assert vendor.asked == [FIRST, SECOND]
    assert check_books(client, user_id, opening=5) == 4


@pytest.mark.parametrize("reason", sorted(set(Reason) - FALLBACK_REASONS))
def test_after_any_other_failure_no_fallback_is_tried(
    client: firestore.Client, new_user: Callable[..., str], vendor: Vendor, reason: Reason
) -> None:
    vendor.fails = {FIRST: reason}
    user_id = new_user(5)
    with pytest.raises(Exception, match="refunded"):
        generation.create(order(user_id, model=FIRST), ANYBODY)
    assert vendor.asked == [FIRST]
    assert check_books(client, user_id, opening=5) == 5


def test_what_may_have_been_billed_is_never_followed_by_a_fallback(
    new_user: Callable[..., str], vendor: Vendor
) -> None:
    vendor.fails, vendor.billed = {FIRST: Reason.PROVIDER_AUTH}, True
    fail(new_user(5))
    assert vendor.asked == [FIRST]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_fallback_that_fails_ends_the_request(
    client: firestore.Client, new_user: Callable[..., str], vendor: Vendor, mode: str
) -> None:
    vendor.fails = {FIRST: Reason.PROVIDER_BUSY, SECOND: Reason.PROVIDER_BUSY}
    user_id = new_user(5)
    if mode == "sync":
        fail(user_id)
    else:
        made = generation.create(order(user_id, model=FIRST, mode=mode), ANYBODY).body
        for _ in range(2):
            worker.process({"generationRequestId": made.generation_request_id})
    (request,) = requests_of(client, user_id)
    assert (request["status"], request["fallbackModel"]) == ("failed", SECOND)
    assert vendor.asked == [FIRST, SECOND]
    assert check_books(client, user_id, opening=5) == 5


def test_a_fallback_that_is_disabled_or_gone_is_not_tried(
    client: firestore.Client, new_user: Callable[..., str], vendor: Vendor
) -> None:
    vendor.fails = {FIRST: Reason.PROVIDER_BUSY}
    client.document(f"models/{SECOND}").update({"enabled": False})
    catalogue.forget()
    fail(new_user(5))
    client.document(f"models/{SECOND}").delete()
    catalogue.forget()
    fail(new_user(5))
    assert vendor.asked == [FIRST, FIRST]


@pytest.mark.parametrize("reason", [Reason.PROVIDER_AUTH, Reason.PROVIDER_QUOTA])
def test_a_model_is_suspended_after_failures_in_a_row_and_charges_nobody_then(
    client: firestore.Client,
    new_user: Callable[..., str],
    vendor: Vendor,
    capsys: pytest.CaptureFixture[str],
    reason: Reason,
) -> None:
    alone(client)
    vendor.fails = {FIRST: reason}
    for _ in range(3):
        fail(new_user(5))
    user_id = new_user(5)
    with pytest.raises(ModelUnavailable) as refused:
        generation.create(order(user_id, model=FIRST), ANYBODY)
    assert 290 <= int(refused.value.headers["Retry-After"]) <= 300
    assert requests_of(client, user_id) == []
    assert FIRST not in [each.name for each in list_models(ListModels(), ANYBODY).models]
    assert "model suspended" in capsys.readouterr().err
    assert vendor.asked == [FIRST] * 3


def test_an_image_in_between_and_other_failures_suspend_nothing(
    client: firestore.Client, new_user: Callable[..., str], vendor: Vendor
) -> None:
    alone(client)
    for reason in (Reason.PROVIDER_AUTH, Reason.PROVIDER_AUTH, None, Reason.PROVIDER_AUTH):
        vendor.fails = {FIRST: reason} if reason else {}
        if reason:
            fail(new_user(5))
        else:
            generation.create(order(new_user(5), model=FIRST), ANYBODY)
    vendor.fails = {FIRST: Reason.PROVIDER_REJECTED}
    for _ in range(5):
        fail(new_user(5))
    assert catalogue.current().suspended == {}


def test_a_model_that_has_a_working_fallback_stays_on_offer(
    new_user: Callable[..., str], vendor: Vendor
) -> None:
    vendor.fails = {FIRST: Reason.PROVIDER_QUOTA}
    for _ in range(5):
        generation.create(order(new_user(5), model=FIRST), ANYBODY)
    assert vendor.asked == [FIRST, SECOND] * 5


def test_suspension_can_be_switched_off(
    client: firestore.Client,
    new_user: Callable[..., str],
    vendor: Vendor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MODEL_SUSPEND_AFTER", "0")
    alone(client)
    vendor.fails = {FIRST: Reason.PROVIDER_AUTH}
    for _ in range(5):
        fail(new_user(5))


@pytest.fixture
def on_probation(
    client: firestore.Client, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> Vendor:
    """The first model, whose suspension has just ended."""
    alone(client)
    fields = SUSPENDED | {"suspendedUntil": now() - timedelta(seconds=1)}
    client.document(f"modelSuspensions/{FIRST}").set(fields)
    catalogue.forget()
    return vendor


SUSPENDED = {"reason": "PROVIDER_AUTH", "seconds": 300, "suspendedAt": now()}


def test_on_probation_an_image_lifts_the_suspension(
    client: firestore.Client, new_user: Callable[..., str], on_probation: Vendor
) -> None:
    assert FIRST in [each.name for each in list_models(ListModels(), ANYBODY).models]
    generation.create(order(new_user(5), model=FIRST), ANYBODY)
    assert client.document(f"modelSuspensions/{FIRST}").get().get("suspendedUntil") is None
    assert catalogue.current().suspended == {}


def test_on_probation_one_failure_suspends_for_twice_as_long(
    client: firestore.Client, new_user: Callable[..., str], on_probation: Vendor
) -> None:
    on_probation.fails = {FIRST: Reason.PROVIDER_AUTH}
    fail(new_user(5))
    assert client.document(f"modelSuspensions/{FIRST}").get().get("seconds") == 600
    with pytest.raises(ModelUnavailable):
        generation.create(order(new_user(5), model=FIRST), ANYBODY)
    assert on_probation.asked == [FIRST]


def test_on_probation_one_order_at_a_time_is_let_through(
    client: firestore.Client,
    new_user: Callable[..., str],
    on_probation: Vendor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    background = {"model": FIRST, "mode": "async"}
    generation.create(order(new_user(5), **background), ANYBODY)
    user_id = new_user(5)
    with pytest.raises(ModelUnavailable) as refused:
        generation.create(order(user_id, **background), ANYBODY)
    assert int(refused.value.headers["Retry-After"]) <= suspension.PROBE_SECONDS
    assert requests_of(client, user_id) == []
    later = now() + timedelta(seconds=suspension.PROBE_SECONDS + 1)
    monkeypatch.setattr(clock, "now", lambda: later)  # whatever became of the first
    generation.create(order(user_id, **background), ANYBODY)


def test_an_order_of_a_model_that_works_costs_nothing_more(
    proxy: FirestoreProxy, new_user: Callable[..., str]
) -> None:
    generation.create(order(new_user(5)), ANYBODY)
    assert proxy.traffic.rpcs == {"BatchGetDocuments": 1, "Commit": 2}


def test_a_request_is_replayed_while_its_model_is_suspended(
    client: firestore.Client, new_user: Callable[..., str], vendor: Vendor
) -> None:
    keyed = order(new_user(5), model=FIRST, idempotencyKey="k")
    first = generation.create(keyed, ANYBODY).body
    fields = SUSPENDED | {"suspendedUntil": now() + timedelta(minutes=5)}
    client.document(f"modelSuspensions/{FIRST}").set(fields)
    catalogue.forget()
    assert generation.create(keyed, ANYBODY).body == first
    assert db.read(db.generation_request(first.generation_request_id))[0].exists
