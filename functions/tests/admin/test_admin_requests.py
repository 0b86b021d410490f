"""Operators look at anybody's generation requests, cancel them, and make amends for them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from google.cloud import firestore
from support.admin_calls import actions_about
from support.books import check_books, ledger_of, requests_of
from support.operators import OPERATOR
from support.orders import now, order_body
from support.proxy import Fault, FirestoreProxy

from imagegen import db, tasks
from imagegen.generation import amends, worker
from imagegen.generation.request import Status

Call = Callable[..., Any]
REASON = {"reason": "the provider was out of order"}


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the requests that were put on the queue, which nobody works on."""
    ids: list[str] = []
    monkeypatch.setattr(tasks, "enqueue", lambda request_id, **_: ids.append(request_id))
    return ids


@pytest.fixture
def ordered(
    call: Call, client: firestore.Client, new_user: Callable[..., str]
) -> Callable[..., tuple[str, str]]:
    """Orders an image, for a user with five credits; the ids of the user and of the request."""

    def make(**changes: Any) -> tuple[str, str]:
        user_id = new_user(5)
        call("createGenerationRequest", json=order_body(user_id, **changes))
        (request,) = requests_of(client, user_id)
        return user_id, request["id"]

    return make


def path_of(request_id: str, what: str = "") -> str:
    return f"/generationRequests/{request_id}{what}"


def test_the_requests_of_all_users_are_listed_newest_first_and_filtered(
    admin: Call, ordered: Callable[..., tuple[str, str]]
) -> None:
    began = now()
    made = [ordered(), ordered(model="Doomed Model"), ordered()]
    ids = [request_id for _, request_id in reversed(made)]

    def listed(**filters: Any) -> list[str]:
        answer = admin("GET", "/generationRequests", query_string=filters)
        return [each["generationRequestId"] for each in answer["generationRequests"]]

    since = {"from": began.isoformat()}
    assert listed(**since)[:3] == ids
    assert made[1][1] in listed(**since, status="failed")
    assert not set(ids) & set(listed(**since, status="canceled"))
    assert made[1][1] in listed(**since, model="doomed-model", status="failed")
    assert listed(userId=made[0][0]) == [made[0][1]]
    assert listed(userId=made[0][0], to=began.isoformat()) == []
    assert listed(query=made[2][1]) == [made[2][1]]
    assert listed(query="not-an-id") == listed(query="no/id") == []


def test_requests_come_in_pages_of_the_same_filters(
    admin: Call, ordered: Callable[..., tuple[str, str]]
) -> None:
    made = [ordered()[1] for _ in range(3)]
    first = admin("GET", "/generationRequests?pageSize=2&status=completed")
    token = {"pageToken": first["nextPageToken"], "pageSize": 2}
    second = admin("GET", "/generationRequests", query_string=token | {"status": "completed"})
    pages = (*first["generationRequests"], *second["generationRequests"])
    assert [each["generationRequestId"] for each in pages][:3] == [*reversed(made)]
    admin("GET", "/generationRequests", 400, query_string=token)


def test_a_request_is_shown_with_what_it_cost_and_how_it_was_worked_on(
    admin: Call, ordered: Callable[..., tuple[str, str]]
) -> None:
    user_id, request_id = ordered(model="Doomed Model")
    shown = admin("GET", path_of(request_id))
    assert (shown["userId"], shown["status"]) == (user_id, "failed")
    assert [(lot["kind"], lot["credits"]) for lot in shown["lots"]] == [("opening", 1)]
    assert [entry["type"] for entry in shown["entries"]] == ["deduction", "refund"]
    assert "retryId" not in shown
    admin("GET", path_of("not-there"), 404)


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


@pytest.mark.usefixtures("queued")
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
    queued: list[str],
) -> None:
    user_id, request_id = ordered(model="Doomed Model")
    first = admin("POST", path_of(request_id, "/retry"), 202, json=REASON)
    second = admin("POST", path_of(request_id, "/retry"), 202, json=REASON)
    assert (first["isNew"], first["status"], second["isNew"]) == (True, "pending", False)
    assert first["generationRequestId"] == second["generationRequestId"]
    new_id = first["generationRequestId"]
    assert queued == [new_id]
    assert check_books(client, user_id, opening=5) == 5
    *_, grant, deduction = ledger_of(client, user_id)
    assert (grant["type"], grant["credits"]) == ("grant", 1)
    assert (deduction["type"], deduction["generationRequestId"]) == ("deduction", new_id)
    assert grant["timestamp"] == deduction["timestamp"]
    (action,) = actions_about(client, db.generation_request(request_id))
    assert action["after"] == {"generationRequestId": new_id, "grantedCredits": 1}
    assert admin("GET", path_of(request_id))["retryId"] == new_id


def test_a_retry_needs_no_credits_and_its_failure_is_refunded_as_any(
    admin: Call,
    client: firestore.Client,
    ordered: Callable[..., tuple[str, str]],
    call: Call,
    queued: list[str],
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


@pytest.mark.usefixtures("queued")
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


@pytest.mark.usefixtures("queued")
def test_a_retry_whose_commit_was_answered_to_nobody_is_found_by_itself(
    admin: Call,
    client: firestore.Client,
    ordered: Callable[..., tuple[str, str]],
    proxy: FirestoreProxy,
) -> None:
    user_id, request_id = ordered(model="Doomed Model")
    faults = iter([Fault(reply_lost=True)])
    proxy.fault_for = lambda rpc: next(faults, None) if rpc == "Commit" else None
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


@pytest.mark.usefixtures("queued")
def test_recovery_runs_now(
    admin: Call, client: firestore.Client, ordered: Callable[..., tuple[str, str]]
) -> None:
    user_id, request_id = ordered(mode="async")
    lost = {"expiresAt": now() - timedelta(seconds=1)}
    client.document(db.generation_request(request_id)).update(lost)
    reason = f"after an outage {uuid.uuid4().hex}"
    done = admin("POST", "/recovery", json={"reason": reason})
    assert done["recoveredRequests"] >= 1
    assert done["failedRequests"] == 0
    assert check_books(client, user_id, opening=5) == 5
    logged = [action for action in actions_about(client, "") if action["reason"] == reason]
    assert [action["action"] for action in logged] == ["recovery"]
