"""The same key and body is one charge and the same answer, whatever happened to the first call."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.cloud import firestore
from support.books import check_books, requests_of
from support.orders import ANYBODY, order, order_body
from support.proxy import Fault, FirestoreProxy

from imagegen import db
from imagegen.errors import (
    GenerationFailed,
    IdempotencyKeyReused,
    InsufficientCredits,
    OutcomeUnknown,
    RequestInProgress,
    UnknownOption,
)
from imagegen.generation import create as generation

Call = Callable[..., Any]


def post(call: Call, user_id: str, key: str | None = "k", **changes: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return call("createGenerationRequest", json=order_body(user_id, **changes), headers=headers)


def test_a_success_is_answered_again_without_a_second_charge(
    call: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    first, second = post(call, user_id), post(call, user_id)
    assert first.get_json() == second.get_json()
    assert (first.status_code, second.status_code) == (200, 200)
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" in second.headers["Access-Control-Expose-Headers"]
    assert check_books(client, user_id, opening=5) == 4
    assert len(requests_of(client, user_id)) == 1


def test_a_failure_is_answered_again_without_a_second_try(
    call: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    first = post(call, user_id, model="Doomed Model")
    second = post(call, user_id, model="Doomed Model")
    assert (first.status_code, second.status_code) == (500, 500)
    assert first.get_json() == second.get_json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert check_books(client, user_id, opening=5) == 5


def test_a_key_header_that_arrives_twice_is_one_key_and_two_keys_are_none(
    call: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)

    def send(*keys: str) -> Any:
        headers = [("Idempotency-Key", key) for key in keys]
        return call("createGenerationRequest", json=order_body(user_id), headers=headers)

    first = send("k")
    assert send("k", "k").get_json() == first.get_json()
    assert send("k,k").get_json() == first.get_json()  # joined by a server on the way
    for keys in (("k", "l"), ("k,l",), ("k,",), (",",)):
        response = send(*keys)
        assert response.status_code == 400
        (violation,) = response.get_json()["error"]["details"]["fieldViolations"]
        assert violation["field"] == "idempotencyKey"
    assert check_books(client, user_id, opening=5) == 4
    assert send('"k,l"').status_code == 200


def test_the_key_may_come_as_a_field_and_must_not_contradict_the_header(
    call: Call, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    by_header = post(call, user_id, key='"k"')
    by_field = post(call, user_id, key=None, idempotencyKey="k")
    assert by_header.get_json() == by_field.get_json()
    both = post(call, user_id, key="k", idempotencyKey="other")
    assert both.get_json()["error"]["details"]["reason"] == "INVALID_FIELD"


def test_another_body_under_the_same_key_is_422_and_changes_nothing(
    call: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    post(call, user_id)
    reused = post(call, user_id, prompt="something else")
    assert reused.status_code == 422
    assert reused.get_json()["error"]["details"]["reason"] == "IDEMPOTENCY_KEY_REUSED"
    assert check_books(client, user_id, opening=5) == 4


def test_the_same_key_of_another_user_is_unrelated(
    call: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    ann, bob = new_user(5), new_user(5)
    ids = {post(call, user_id).get_json()["generationRequestId"] for user_id in (ann, bob)}
    assert len(ids) == 2
    assert check_books(client, ann, opening=5) == check_books(client, bob, opening=5) == 4


def test_a_request_that_is_still_running_is_409_with_its_id(
    call: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    made = post(call, user_id).get_json()
    running = client.document(db.generation_request(made["generationRequestId"]))
    running.update({"status": "pending", "imageUrl": None, "completedAt": None})
    again = post(call, user_id)
    assert again.status_code == 409
    details = again.get_json()["error"]["details"]
    assert details["reason"] == "REQUEST_IN_PROGRESS"
    assert details["generationRequestId"] == made["generationRequestId"]
    assert int(again.headers["Retry-After"]) > 0


def test_refusals_do_not_use_up_the_key(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(0)
    with pytest.raises(UnknownOption):
        generation.create(order(user_id, idempotencyKey="k", style="cubism"), ANYBODY)
    with pytest.raises(InsufficientCredits):
        generation.create(order(user_id, idempotencyKey="k"), ANYBODY)
    client.document(db.user(user_id)).update({"credits": 1})
    assert generation.create(order(user_id, idempotencyKey="k"), ANYBODY).code == 200


def test_an_answer_stays_the_same_when_its_option_is_gone_or_its_price_has_changed(
    client: firestore.Client,
    new_user: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CATALOGUE_TTL_SECONDS", "0")
    model = client.document("models/Passing Fashion")
    model.set({"generator": "mock", "imageUrl": "https://example.com/f.png", "failureRate": 0})
    user_id = new_user(5)
    wanted = order(user_id, model="Passing Fashion", idempotencyKey="k")
    try:
        first = generation.create(wanted, ANYBODY)
        model.delete()
        assert generation.create(wanted, ANYBODY).body == first.body
    finally:
        model.delete()


def test_ten_calls_at_once_with_one_key_are_one_charge(
    client: firestore.Client, new_user: Callable[..., str], call: Call
) -> None:
    user_id = new_user(9)
    start = threading.Barrier(10)
    post(call, user_id, key="warm")

    def send(_: int) -> int:
        start.wait()
        return int(post(call, user_id, key="one").status_code)

    with ThreadPoolExecutor(10) as pool:
        codes = set(pool.map(send, range(10)))
    assert codes <= {200, 409}
    assert 200 in codes
    assert check_books(client, user_id, opening=9) == 7


@pytest.mark.parametrize("reply_lost", [True, False])
def test_after_an_unknown_outcome_the_same_key_finds_out(
    client: firestore.Client,
    proxy: FirestoreProxy,
    new_user: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    reply_lost: bool,
) -> None:
    user_id = new_user(5)
    wanted = order(user_id, idempotencyKey="k")
    proxy.fault_for = once_readable(Fault(reply_lost=reply_lost))
    with monkeypatch.context() as hasty:
        hasty.setattr(db, "DEADLINE_SECONDS", 1)
        with pytest.raises(OutcomeUnknown) as unknown:
            generation.create(wanted, ANYBODY)
    assert unknown.value.details["generationRequestId"]
    proxy.reset()
    if reply_lost:  # charged, and nobody is at work: recovery will refund it
        with pytest.raises(RequestInProgress):
            generation.create(wanted, ANYBODY)
    else:
        assert generation.create(wanted, ANYBODY).code == 200
    assert check_books(client, user_id, opening=5) == 4


def once_readable(commit_fault: Fault) -> Callable[[str], Fault | None]:
    """One read gets through and one commit meets its fault; then Firestore is gone."""
    schedule = iter([("BatchGetDocuments", None), ("Commit", commit_fault)])

    def fault_for(rpc: str) -> Fault | None:
        expected = next(schedule, None)
        return expected[1] if expected and expected[0] == rpc else Fault()

    return fault_for


def test_costs_are_three_rpcs_for_a_keyed_create_and_one_for_its_replay(
    proxy: FirestoreProxy, new_user: Callable[..., str]
) -> None:
    wanted = order(new_user(5), idempotencyKey="k")
    generation.create(wanted, ANYBODY)
    assert proxy.reset().rpcs == {"BatchGetDocuments": 1, "Commit": 2}
    generation.create(wanted, ANYBODY)
    assert proxy.reset().rpcs == {"BatchGetDocuments": 1}


def test_a_key_reused_costs_one_read(proxy: FirestoreProxy, new_user: Callable[..., str]) -> None:
    user_id = new_user(5)
    with pytest.raises(GenerationFailed):
        generation.create(order(user_id, model="Doomed Model", idempotencyKey="k"), ANYBODY)
    proxy.reset()
    with pytest.raises(IdempotencyKeyReused):
        generation.create(order(user_id, idempotencyKey="k"), ANYBODY)
    assert proxy.traffic.rpcs == {"BatchGetDocuments": 1}
