"""Charge, generate, settle: every way it can go leaves the books right."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import firestore
from support.books import check_books, ledger_of, requests_of
from support.orders import ANYBODY, order, order_body
from support.proxy import Fault, FirestoreProxy

from imagegen import clock, db, parameters, tasks
from imagegen.api import auth
from imagegen.api.auth import Caller
from imagegen.catalogue import catalogue
from imagegen.deadline import Threads
from imagegen.errors import (
    BackendUnavailable,
    GenerationFailed,
    GenerationTimeout,
    ImagegenError,
    InsufficientCredits,
    NotOwner,
    OutcomeUnknown,
    PriceChanged,
    UnknownOption,
    UserNotFound,
)
from imagegen.generation import create as generation
from imagegen.generation import job
from imagegen.generation import request as generation_request
from imagegen.generation.orders import CreateGenerationRequest
from imagegen.generation.replies import Generation
from imagegen.generation.request import RequestDocument
from imagegen.generation.settle import Outcome, settle
from imagegen.providers import registry as providers
from imagegen.providers import run
from imagegen.providers.base import GeneratedImage, GenerationJob, GeneratorError


class FakeGenerator:
    """Does what it is told instead of painting."""

    def __init__(self, behave: Callable[[GenerationJob], GeneratedImage]) -> None:
        self._behave = behave

    def generate(self, job: GenerationJob, *, deadline: float) -> GeneratedImage:
        return self._behave(job)


@pytest.fixture
def behave(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Replaces the mock generator by one that behaves as given."""

    def replace(behaviour: Callable[[GenerationJob], GeneratedImage]) -> None:
        monkeypatch.setitem(providers.GENERATORS, "mock", FakeGenerator(behaviour))

    return replace


def create(wanted: CreateGenerationRequest, caller: Caller = ANYBODY) -> Generation:
    body = generation.create(wanted, caller).body
    assert isinstance(body, Generation)
    return body


def test_a_success_charges_the_price_of_the_size_and_answers_with_the_image(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(10)
    made = create(order(user_id, size="1024x1024", model="sure-model"))
    assert (made.deducted_credits, made.image_url) == (3, "https://example.com/sure.png")
    (request,) = requests_of(client, user_id)
    assert request["id"] == made.generation_request_id
    assert (request["status"], request["model"], request["credits"]) == (
        "completed",
        "Sure Model",
        3,
    )
    assert request["completedAt"] >= request["startedAt"] >= request["createdAt"]
    assert check_books(client, user_id, opening=10) == 7


def test_a_failed_generation_is_refunded(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(10)
    with pytest.raises(GenerationFailed) as failed:
        generation.create(order(user_id, model="Doomed Model", size="1024x1792"), ANYBODY)
    (request,) = requests_of(client, user_id)
    assert failed.value.details == {
        "generationRequestId": request["id"], "refundedCredits": 4, "retryable": True,
        "cause": "MOCK_FAILURE",
    }  # fmt: skip
    assert (request["status"], request["imageUrl"]) == ("failed", None)
    assert request["error"]["reason"] == "MOCK_FAILURE"
    assert check_books(client, user_id, opening=10) == 10


def raise_error(error: BaseException) -> GeneratedImage:
    raise error


@pytest.mark.parametrize(
    "behaviour",
    [
        lambda job: raise_error(RuntimeError("a bug in a plug-in")),
        lambda job: raise_error(SystemExit(1)),
        lambda job: raise_error(KeyboardInterrupt()),
        lambda job: raise_error(GeneratorError("SAFETY", "no", retryable=False)),
        lambda job: GeneratedImage(),
        lambda job: None,
    ],
    ids=["bug", "exit", "interrupt", "refusal", "no image", "nothing"],
)
def test_whatever_a_generator_raises_or_returns_instead_of_an_image_is_refunded(
    client: firestore.Client,
    new_user: Callable[..., str],
    behave: Callable[..., None],
    behaviour: Callable[[GenerationJob], GeneratedImage],
) -> None:
    behave(behaviour)
    user_id = new_user(5)
    with pytest.raises(GenerationFailed) as failed:
        generation.create(order(user_id), ANYBODY)
    assert failed.value.details["retryable"] is False
    assert check_books(client, user_id, opening=5) == 5


def test_a_generator_past_its_deadline_is_refunded_and_its_late_result_dropped(
    client: firestore.Client,
    new_user: Callable[..., str],
    behave: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    finish = threading.Event()

    def hang(job: GenerationJob) -> GeneratedImage:
        finish.wait(10)
        return GeneratedImage(url="https://example.com/late.png")

    behave(hang)
    monkeypatch.setenv("GENERATION_DEADLINE_SECONDS", "1")
    user_id = new_user(5)
    started = time.monotonic()
    with pytest.raises(GenerationTimeout) as timeout:
        generation.create(order(user_id), ANYBODY)
    assert time.monotonic() - started < 4
    assert timeout.value.details["refundedCredits"] == 1
    finish.set()
    time.sleep(0.2)
    (request,) = requests_of(client, user_id)
    assert (request["status"], request["imageUrl"]) == ("failed", None)
    assert check_books(client, user_id, opening=5) == 5


def test_a_model_whose_provider_has_gone_since_it_was_offered_is_refunded(
    client: firestore.Client, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CATALOGUE_TTL_SECONDS", "3600")
    catalogue.current()
    monkeypatch.delitem(providers.GENERATORS, "mock")
    user_id = new_user(5)
    with pytest.raises(GenerationFailed):
        generation.create(order(user_id), ANYBODY)
    assert check_books(client, user_id, opening=5) == 5


def test_a_defect_of_ours_after_the_charge_is_refunded_too(
    client: firestore.Client, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "GenerationJob", lambda **_: 1 / 0)
    user_id = new_user(5)
    with pytest.raises(GenerationFailed):
        generation.create(order(user_id), ANYBODY)
    (request,) = requests_of(client, user_id)
    assert request["error"]["reason"] == "DEFECT"
    assert check_books(client, user_id, opening=5) == 5


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"model": "Model Z"}, UnknownOption),
        ({"style": "cubism"}, UnknownOption),
        ({"color": "sepia"}, UnknownOption),
        ({"size": "640x480"}, UnknownOption),
        ({"size": "1024x1792"}, InsufficientCredits),
        ({"userId": "nobody-at-all"}, UserNotFound),
    ],
)
def test_a_refused_order_changes_nothing(
    client: firestore.Client,
    new_user: Callable[..., str],
    changes: dict[str, str],
    error: type[ImagegenError],
) -> None:
    user_id = new_user(2)
    with pytest.raises(error):
        generation.create(order(user_id, **changes), ANYBODY)
    assert requests_of(client, user_id) == []
    assert ledger_of(client, user_id) == []
    assert check_books(client, user_id, opening=2) == 2


def test_nobody_spends_the_credits_of_another(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    with pytest.raises(NotOwner):
        generation.create(order(user_id), Caller(uid="stranger"))
    generation.create(order(user_id), Caller(uid=user_id))
    assert check_books(client, user_id, opening=5) == 4


def test_of_ten_threads_and_three_affordable_requests_exactly_three_succeed(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(9)
    start = threading.Barrier(10)

    def create(_: int) -> str:
        start.wait()
        try:
            generation.create(order(user_id, size="1024x1024"), ANYBODY)
        except InsufficientCredits:
            return "refused"
        return "made"

    with ThreadPoolExecutor(10) as pool:
        outcomes = list(pool.map(create, range(10)))
    assert sorted(outcomes) == ["made"] * 3 + ["refused"] * 7
    assert check_books(client, user_id, opening=9) == 0


def test_settling_twice_is_one_refund(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    with pytest.raises(GenerationFailed) as failed:
        generation.create(order(user_id, model="Doomed Model"), ANYBODY)
    (request,) = db.read(db.generation_request(failed.value.details["generationRequestId"]))
    again = Outcome.failed(GeneratorError("AGAIN", "again", retryable=True))
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda _: settle(RequestDocument(request), again), range(5)))
    assert [entry["type"] for entry in ledger_of(client, user_id)] == ["deduction", "refund"]
    assert check_books(client, user_id, opening=5) == 5


@pytest.mark.parametrize("rpc_number", [1, 2, 3, 4])
@pytest.mark.parametrize("reply_lost", [False, True], ids=["refused", "reply lost"])
@pytest.mark.parametrize("code", ["UNAVAILABLE", "ABORTED", "DEADLINE_EXCEEDED", "INTERNAL"])
@pytest.mark.parametrize("model", ["Sure Model", "Doomed Model"])
def test_one_fault_at_any_rpc_is_survived(
    client: firestore.Client,
    proxy: FirestoreProxy,
    new_user: Callable[..., str],
    rpc_number: int,
    reply_lost: bool,
    code: str,
    model: str,
) -> None:
    user_id = new_user(5)
    seen = 0

    def fault_for(rpc: str) -> Fault | None:
        nonlocal seen
        seen += 1
        return Fault(grpc.StatusCode[code], reply_lost=reply_lost) if seen == rpc_number else None

    proxy.fault_for = fault_for
    try:
        generation.create(order(user_id, model=model), ANYBODY)
    except GenerationFailed:
        assert model == "Doomed Model"
    left = check_books(client, user_id, opening=5)
    assert left == (4 if model == "Sure Model" else 5)
    assert len(requests_of(client, user_id)) == 1


def test_when_firestore_goes_away_after_the_charge_the_answer_names_the_request(
    client: firestore.Client,
    proxy: FirestoreProxy,
    new_user: Callable[..., str],
    behave: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def cut_the_line(job: GenerationJob) -> GeneratedImage:
        monkeypatch.setattr(db, "DEADLINE_SECONDS", 0.3)
        proxy.fault_for = lambda rpc: Fault()
        return GeneratedImage(url="https://example.com/x.png")

    behave(cut_the_line)
    user_id = new_user(5)
    with pytest.raises(BackendUnavailable) as unavailable:
        generation.create(order(user_id), ANYBODY)
    (request,) = requests_of(client, user_id)
    assert unavailable.value.details == {"generationRequestId": request["id"]}
    assert request["status"] == "pending"


def test_when_firestore_is_away_from_the_start_no_charge_is_claimed(
    client: firestore.Client,
    proxy: FirestoreProxy,
    new_user: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(db, "DEADLINE_SECONDS", 0.3)
    user_id = new_user(5)
    proxy.fault_for = lambda rpc: Fault()
    with pytest.raises(BackendUnavailable) as unavailable:
        generation.create(order(user_id), ANYBODY)
    assert unavailable.value.details == {}
    assert requests_of(client, user_id) == []


def test_a_request_of_a_deleted_account_ends_without_bringing_the_account_back(
    client: firestore.Client, new_user: Callable[..., str], behave: Callable[..., None]
) -> None:
    user_id = new_user(5)

    def delete_the_account(job: GenerationJob) -> GeneratedImage:
        client.document(db.user(user_id)).delete()
        raise GeneratorError("NO", "no", retryable=False)

    behave(delete_the_account)
    with pytest.raises(UserNotFound):  # there is nobody to refund, so no refund is claimed
        generation.create(order(user_id), ANYBODY)
    assert not client.document(db.user(user_id)).get().exists
    (request,) = requests_of(client, user_id)
    assert (request["status"], request["refundedCredits"]) == ("failed", 0)


@pytest.mark.parametrize(
    ("reason", "message"),
    [("BAD", b"bytes"), ("BAD", "\ud800"), ("X" * 5000, "y" * 2_000_000), (None, None)],
    ids=["bytes", "surrogate", "too long", "nothing"],
)
def test_whatever_a_provider_says_is_stored_and_refunded(
    client: firestore.Client,
    new_user: Callable[..., str],
    behave: Callable[..., None],
    reason: Any,
    message: Any,
) -> None:
    user_id = new_user(5)
    behave(lambda job: raise_error(GeneratorError(reason, message, retryable=False)))
    with pytest.raises(GenerationFailed):
        generation.create(order(user_id), ANYBODY)
    (request,) = requests_of(client, user_id)
    assert len(request["error"]["message"]) <= 1000
    assert check_books(client, user_id, opening=5) == 5


@pytest.mark.parametrize("url", ["https://x/\udcff", "https://x/" + "y" * 5000, 7])
def test_a_url_that_cannot_be_stored_is_a_failure_and_refunded(
    client: firestore.Client, new_user: Callable[..., str], behave: Callable[..., None], url: Any
) -> None:
    user_id = new_user(5)
    behave(lambda job: GeneratedImage(url=url))
    with pytest.raises(GenerationFailed):
        generation.create(order(user_id), ANYBODY)
    assert check_books(client, user_id, opening=5) == 5


def test_an_order_dearer_than_its_limit_is_refused_uncharged(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    with pytest.raises(PriceChanged) as refused:
        generation.create(order(user_id, size="1024x1024", maxCredits=2), ANYBODY)
    assert refused.value.details == {"credits": 3}
    assert requests_of(client, user_id) == []
    assert generation.create(order(user_id, maxCredits=1), ANYBODY).code == 200
    keyed = order(user_id, maxCredits=1, idempotencyKey="k")
    assert generation.create(keyed, ANYBODY).code == 200
    # The limit is not part of what was ordered: a repeated call may state another.
    again = order(user_id, maxCredits=3, idempotencyKey="k")
    assert generation.create(again, ANYBODY).headers == {"Idempotency-Replayed": "true"}


def test_a_repeated_call_needs_no_catalogue(
    new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keyed = order(new_user(5), idempotencyKey="k")
    first = generation.create(keyed, ANYBODY)

    def unavailable() -> None:
        raise BackendUnavailable

    monkeypatch.setattr(catalogue, "current", unavailable)
    assert generation.create(keyed, ANYBODY).body == first.body
    with pytest.raises(BackendUnavailable) as failed:
        generation.create(order(keyed.user_id, idempotencyKey="another"), ANYBODY)
    assert "generationRequestId" in failed.value.details


@pytest.mark.parametrize(
    "error", [exceptions.Unauthenticated, exceptions.PermissionDenied, exceptions.DataLoss]
)
def test_any_error_after_a_sent_commit_leaves_the_outcome_unknown(
    client: firestore.Client,
    new_user: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
) -> None:
    user_id = new_user(5)
    connection = db.connection()

    class Lost:
        query = staticmethod(connection.query)
        read = staticmethod(connection.read)

        def commit(self, writes: list[Any], timeout_seconds: float) -> Any:
            connection.commit(writes, timeout_seconds)
            raise error("after it was applied")

    with monkeypatch.context() as losing:
        losing.setattr(db, "connection", Lost)
        with pytest.raises(OutcomeUnknown) as unknown:
            generation.create(order(user_id), ANYBODY)
    (request,) = requests_of(client, user_id)
    assert unknown.value.details["generationRequestId"] == request["id"]


def test_what_could_not_end_within_the_functions_time_is_refused_before_the_charge(
    client: firestore.Client, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = new_user(5)
    create(order(user_id, idempotencyKey="done"))
    monkeypatch.setattr(clock, "seconds_into_call", lambda: 15.1)  # of 90: 45 + 2 × 15 remain
    with pytest.raises(BackendUnavailable, match="nothing was charged"):
        generation.create(order(user_id), ANYBODY)
    assert check_books(client, user_id, opening=5) == 4
    # What needs no more time is done: a replay, and a request that is generated later.
    create(order(user_id, idempotencyKey="done"))
    monkeypatch.setattr(tasks, "enqueue", lambda request_id, **_: None)
    generation.create(order(user_id, mode="async"), ANYBODY)
    monkeypatch.setattr(clock, "seconds_into_call", lambda: 14.9)
    create(order(user_id))
    assert check_books(client, user_id, opening=5) == 2


def test_the_longest_deadline_leaves_time_for_what_comes_before_the_charge(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A call has run for some milliseconds, or seconds at a cold start, when it charges."""
    _, longest = parameters.RANGES["GENERATION_DEADLINE_SECONDS"]
    monkeypatch.setenv("GENERATION_DEADLINE_SECONDS", str(longest))
    assert generation._latest_charge_seconds() >= 10


def test_the_time_that_the_catalogue_takes_counts_before_the_charge(
    client: firestore.Client, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new instance may load it for longer than a charge takes, while Firestore is slow."""
    user_id, offer, into_call = new_user(5), catalogue.current(), 0.0

    def slowly() -> catalogue.Catalogue:
        nonlocal into_call
        into_call += 40
        return offer

    monkeypatch.setattr(clock, "seconds_into_call", lambda: into_call)
    monkeypatch.setattr(catalogue, "current", slowly)
    with pytest.raises(BackendUnavailable, match="nothing was charged"):
        generation.create(order(user_id), ANYBODY)
    assert check_books(client, user_id, opening=5) == 5


def test_without_a_thread_for_the_model_an_order_is_refused_before_the_charge(
    client: firestore.Client, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = new_user(5)
    create(order(user_id, idempotencyKey="done"))
    monkeypatch.setattr(run, "threads", Threads(lambda: 0))
    with pytest.raises(BackendUnavailable, match="nothing was charged"):
        generation.create(order(user_id), ANYBODY)
    create(order(user_id, idempotencyKey="done"))
    monkeypatch.setattr(tasks, "enqueue", lambda request_id, **_: None)
    generation.create(order(user_id, mode="async"), ANYBODY)
    assert check_books(client, user_id, opening=5) == 3


def test_the_time_that_counts_begins_before_the_caller_is_known(
    call: Callable[..., Any],
    client: firestore.Client,
    new_user: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def slow(_: str | None) -> Caller:
        time.sleep(0.3)
        return ANYBODY

    monkeypatch.setattr(auth, "identify", slow)
    monkeypatch.setattr(generation_request, "FUNCTION_TIMEOUT_SECONDS", 75.2)
    user_id = new_user(5)
    response = call("createGenerationRequest", json=order_body(user_id))
    assert response.status_code == 503
    assert check_books(client, user_id, opening=5) == 5
    create(order(user_id))  # outside of the call that was slow
