"""Operators cancel generation requests, give their price, and try them again."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.cloud import firestore
from support.admin_calls import actions_about, path_of
from support.books import check_books, ledger_of, requests_of
from support.operators import OPERATOR
from support.orders import order_body
from support.proxy import FirestoreProxy

from imagegen import db
from imagegen.generation import amends, worker
from imagegen.generation.request import Status

Call = Callable[..., Any]
REASON = {"reason": "the provider was out of order"}


def test_goodwill_is_a_grant_of_the_price_once(
    admin: Call, client: firestore.Client, ordered: Callable[..., tuple[str, str]]
) -> None:
    user_id, request_id = ordered(size="1024x1024")
    first = admin("POST", path_of(request_id, "/goodwill"), json=REASON)
    second = admin("POST", path_of(request_id, "/goodwill"), json={"reason": "another"})
    assert (first["isNew"], second["isNew"]) == (True, False)
    assert first["currentCredits"] == second["currentCredits"] == 5
    assert check_books(client, user_id, opening=5) == 5
    _, entry = ledger_of(client, user_id)
    assert (entry["type"], entry["credits"]) == ("grant", 3)
    assert entry["generationRequestId"] == request_id
    assert admin("GET", path_of(request_id))["entries"][-1]["id"] == entry["id"]
    (action,) = actions_about(client, db.user(user_id))
    assert (action["by"], action["reason"]) == (OPERATOR, REASON["reason"])


def test_of_goodwill_for_several_reasons_at_once_one_is_granted(
    admin: Call, client: firestore.Client, ordered: Callable[..., tuple[str, str]]
) -> None:
    user_id, request_id = ordered()

    def give(number: int) -> bool:
        body = {"reason": f"reason {number}"}
        granted = admin("POST", path_of(request_id, "/goodwill"), json=body)
        assert granted["currentCredits"] == 5
        return bool(granted["isNew"])

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(give, range(8))) == [False] * 7 + [True]
    assert check_books(client, user_id, opening=5) == 5
    assert len(actions_about(client, db.user(user_id))) == 1


def test_goodwill_is_for_completed_requests_only(
    admin: Call, client: firestore.Client, ordered: Callable[..., tuple[str, str]]
) -> None:
    user_id, request_id = ordered(model="Doomed Model")
    refused = admin("POST", path_of(request_id, "/goodwill"), 409, json=REASON)
    assert refused["error"]["details"] == {
        "reason": "NOT_COMPLETED",
        "generationRequestId": request_id,
        "status": "failed",
    }
    assert check_books(client, user_id, opening=5) == 5


@pytest.mark.usefixtures("queued_requests")
def test_a_pending_request_is_canceled_and_refunded(
    admin: Call, client: firestore.Client, ordered: Callable[..., tuple[str, str]]
) -> None:
    user_id, request_id = ordered(mode="async")
    for _ in range(2):
        canceled = admin("POST", path_of(request_id, "/cancel"), json=REASON)
        assert (canceled["status"], canceled["refundedCredits"]) == ("canceled", 1)
    assert check_books(client, user_id, opening=5) == 5
    (action,) = actions_about(client, db.generation_request(request_id))
    assert (action["action"], action["userId"]) == ("cancel", user_id)


def test_what_has_ended_is_not_canceled(
    admin: Call, client: firestore.Client, ordered: Callable[..., tuple[str, str]]
) -> None:
    user_id, request_id = ordered()
    refused = admin("POST", path_of(request_id, "/cancel"), 409, json=REASON)
    assert refused["error"]["details"]["reason"] == "NOT_CANCELABLE"
    assert actions_about(client, db.generation_request(request_id)) == []
    assert check_books(client, user_id, opening=5) == 4


def test_a_failed_request_is_tried_again_for_free_and_once(
    admin: Call,
    client: firestore.Client,
    ordered: Callable[..., tuple[str, str]],
    queued_requests: list[str],
) -> None:
    user_id, request_id = ordered(model="Doomed Model")
    first = admin("POST", path_of(request_id, "/retry"), 202, json=REASON)
    second = admin("POST", path_of(request_id, "/retry"), 202, json=REASON)
    assert (first["isNew"], first["status"], second["isNew"]) == (True, "pending", False)
    assert first["generationRequestId"] == second["generationRequestId"]
    new_id = first["generationRequestId"]
    assert queued_requests == [new_id]
    assert check_books(client, user_id, opening=5) == 5
    *_, grant, deduction = ledger_of(client, user_id)
    assert (grant["type"], grant["credits"]) == ("grant", 1)
    assert (deduction["type"], deduction["generationRequestId"]) == ("deduction", new_id)
    assert grant["timestamp"] == deduction["timestamp"]
    (action,) = actions_about(client, db.generation_request(request_id))
    assert action["after"] == {"generationRequestId": new_id, "grantedCredits": 1}
    assert admin("GET", path_of(request_id))["retryId"] == new_id


@pytest.mark.usefixtures("queued_requests")
def test_a_retry_that_is_repeated_is_the_same_request_though_the_prompt_was_deleted(
    admin: Call, call: Call, client: firestore.Client, ordered: Callable[..., tuple[str, str]]
) -> None:
    user_id, request_id = ordered(model="Doomed Model")
    first = admin("POST", path_of(request_id, "/retry"), 202, json=REASON)
    assert call("deleteImage", json={"generationRequestId": request_id}).status_code == 200
    again = admin("POST", path_of(request_id, "/retry"), 202, json=REASON)
    assert again == first | {"isNew": False}
    assert check_books(client, user_id, opening=5) == 5


def test_a_retry_needs_no_credits_and_its_failure_is_refunded_as_any(
    admin: Call,
    client: firestore.Client,
    ordered: Callable[..., tuple[str, str]],
    call: Call,
    queued_requests: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ASYNC_MAX_ATTEMPTS", "1")
    user_id, request_id = ordered(model="Doomed Model")
    for _ in range(5):
        call("createGenerationRequest", json=order_body(user_id))
    assert check_books(client, user_id, opening=5) == 0
    retried = admin("POST", path_of(request_id, "/retry"), 202, json=REASON)
    assert check_books(client, user_id, opening=5) == 0
    worker.process({"generationRequestId": retried["generationRequestId"]})
    ended = amends.find(retried["generationRequestId"])
    assert ended.status is Status.FAILED
    assert check_books(client, user_id, opening=5) == 1


@pytest.mark.usefixtures("queued_requests")
def test_retries_at_the_same_time_are_one(
    client: firestore.Client, ordered: Callable[..., tuple[str, str]], admin: Call
) -> None:
    user_id, request_id = ordered(model="Doomed Model")

    def retry(_: int) -> bool:
        answer = admin("POST", path_of(request_id, "/retry"), 202, json=REASON)
        return bool(answer["isNew"])

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(retry, range(8))) == [False] * 7 + [True]
    assert check_books(client, user_id, opening=5) == 5
    assert len(requests_of(client, user_id)) == 2


@pytest.mark.usefixtures("queued_requests")
def test_a_retry_whose_commit_was_answered_to_nobody_is_found_by_itself(
    admin: Call,
    client: firestore.Client,
    ordered: Callable[..., tuple[str, str]],
    proxy: FirestoreProxy,
) -> None:
    user_id, request_id = ordered(model="Doomed Model")
    proxy.lose_reply_to_commit()
    answer = admin("POST", path_of(request_id, "/retry"), 202, json=REASON)
    assert answer["isNew"] is True
    assert check_books(client, user_id, opening=5) == 5
    assert len(actions_about(client, db.generation_request(request_id))) == 1


def test_only_a_failed_request_is_tried_again(
    admin: Call, client: firestore.Client, ordered: Callable[..., tuple[str, str]]
) -> None:
    user_id, request_id = ordered()
    refused = admin("POST", path_of(request_id, "/retry"), 409, json=REASON)
    assert refused["error"]["details"]["reason"] == "NOT_RETRYABLE"
    assert check_books(client, user_id, opening=5) == 4


def test_a_request_that_cannot_be_ordered_any_more_is_not_tried_again(
    admin: Call, client: firestore.Client, ordered: Callable[..., tuple[str, str]]
) -> None:
    user_id, request_id = ordered(model="Doomed Model")
    client.document(db.generation_request(request_id)).update({"prompt": ""})
    admin("POST", path_of(request_id, "/retry"), 409, json=REASON)
    assert check_books(client, user_id, opening=5) == 5
