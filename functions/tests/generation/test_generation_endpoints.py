"""Looking at generation requests: one, a listing with filters and pages, and canceling."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from google.cloud import firestore
from support.books import check_books, ledger_of, requests_of
from support.orders import ANYBODY, now, order, order_body
from support.proxy import FirestoreProxy

from imagegen import db, tasks
from imagegen.accounts.endpoints import merge_account
from imagegen.admin.amends import cancel_for_user
from imagegen.api.auth import Caller
from imagegen.api.endpoint import declaration_of
from imagegen.api.schema import Reply
from imagegen.errors import (
    AccountUnusable,
    GenerationRequestNotFound,
    InvalidField,
    NotCancelable,
    NotOwner,
)
from imagegen.generation import create as generation
from imagegen.generation.endpoints import (
    CancelGenerationRequest,
    GetGenerationStatus,
    ListGenerationRequests,
    cancel_generation_request,
    get_generation_status,
    list_generation_requests,
)
from imagegen.generation.replies import Generation, GenerationRequest
from imagegen.providers import registry as providers
from imagegen.providers.base import GeneratedImage, GenerationJob

Call = Callable[..., Any]


@pytest.fixture(autouse=True)
def _no_deliveries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "enqueue", lambda _: None)


def create(user_id: str, **changes: Any) -> str:
    body = generation.create(order(user_id, **changes), ANYBODY).body
    assert isinstance(body, Generation)
    return body.generation_request_id


def look(request_id: str, caller: Caller = ANYBODY) -> Reply[GenerationRequest]:
    return get_generation_status(GetGenerationStatus(generation_request_id=request_id), caller)


def cancel(request_id: str, caller: Caller = ANYBODY) -> GenerationRequest:
    return cancel_generation_request(
        CancelGenerationRequest(generation_request_id=request_id), caller
    )


def listed(user_id: str, **fields: Any) -> list[GenerationRequest]:
    return listed_by(ANYBODY, user_id, **fields)


def listed_by(caller: Caller, user_id: str, **fields: Any) -> list[GenerationRequest]:
    body = ListGenerationRequests(user_id=user_id, **fields)
    return list_generation_requests(body, caller).generation_requests


def test_a_request_is_shown_whole(call: Call, new_user: Callable[..., str]) -> None:
    user_id = new_user(5)
    source = {"type": "address", "address": "10 Downing Street"}
    request_id = create(user_id, size="1024x1024", source=source)
    response = call("getGenerationStatus", "GET", query_string={"generationRequestId": request_id})
    assert response.status_code == 200
    assert "Retry-After" not in response.headers
    seen = response.get_json()
    for field in ("createdAt", "startedAt", "completedAt"):
        assert seen.pop(field).endswith("Z")
    assert seen == {
        "generationRequestId": request_id,
        "userId": user_id,
        "status": "completed",
        "mode": "sync",
        "model": "Sure Model",
        "style": "anime",
        "color": "neon",
        "size": "1024x1024",
        "prompt": "a lighthouse at dusk",
        "source": source,
        "imageUrl": "https://example.com/sure.png",
        "deductedCredits": 3,
        "refundedCredits": 0,
        "error": None,
    }


def test_a_failed_request_shows_why_and_what_came_back(
    call: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    call("createGenerationRequest", json=order_body(user_id, model="Doomed Model"))
    (request,) = requests_of(client, user_id)
    seen = call("getGenerationStatus", json={"generationRequestId": request["id"]}).get_json()
    assert (seen["status"], seen["deductedCredits"], seen["refundedCredits"]) == ("failed", 1, 1)
    assert seen["error"] == {
        "reason": "MOCK_FAILURE",
        "message": "Doomed Model failed on purpose.",
        "retryable": True,
    }
    assert "source" not in seen


def test_an_open_request_says_when_to_ask_again(call: Call, new_user: Callable[..., str]) -> None:
    request_id = create(new_user(5), mode="async")
    response = call("getGenerationStatus", json={"generationRequestId": request_id})
    assert response.get_json()["status"] == "pending"
    assert response.get_json()["startedAt"] is None
    assert int(response.headers["Retry-After"]) > 0


def test_the_request_of_another_looks_as_if_it_did_not_exist(new_user: Callable[..., str]) -> None:
    request_id = create(new_user(5))
    stranger = Caller(uid="stranger")
    refusals = []
    actions: tuple[Callable[..., Any], ...] = (look, cancel)
    for action in actions:
        for wanted in (request_id, "never-was"):
            with pytest.raises(GenerationRequestNotFound) as refused:
                action(wanted, stranger)
            refusals.append((refused.value.message, refused.value.details.keys()))
    assert all(refusal == refusals[0] for refusal in refusals)
    assert look(request_id, Caller(uid="boss", is_admin=True)).code == 200


FILTERS = {
    "status": ("completed", "failed"),
    "model": ("Sure Model", "Doomed Model"),
    "style": ("anime", "sketch"),
    "color": ("neon", "pastel"),
    "size": ("512x512", "1024x1024"),
}


@pytest.fixture
def assorted(client: firestore.Client, new_user: Callable[..., str]) -> tuple[str, list[Any]]:
    """A user with one request of each combination, written directly; the newest first."""
    user_id, moment = new_user(0), now()
    batch = client.batch()
    documents = []
    for number, values in enumerate(itertools.product(*FILTERS.values())):
        fields = dict(zip(FILTERS, values, strict=True)) | {
            "userId": user_id,
            "mode": "sync",
            "prompt": "p",
            "credits": 1,
            "imageUrl": None,
            "error": None,
            # Pairs share a moment, so that ids have to break the tie.
            "createdAt": moment - timedelta(seconds=number // 2),
            "startedAt": None,
            "completedAt": None,
        }
        reference = client.document(db.generation_request(f"{user_id}-{number:02d}"))
        batch.create(reference, fields)
        documents.append({"id": reference.id, **fields})
    batch.commit()
    documents.sort(key=lambda each: (each["createdAt"], each["id"]), reverse=True)
    return user_id, documents


@pytest.mark.parametrize(
    "names", [c for n in range(len(FILTERS) + 1) for c in itertools.combinations(FILTERS, n)]
)
def test_filters_alone_and_together_choose_exactly_what_they_say(
    assorted: tuple[str, list[Any]], names: tuple[str, ...]
) -> None:
    user_id, documents = assorted
    wanted = {name: FILTERS[name][1] for name in names}
    expected = [d["id"] for d in documents if all(d[n] == v for n, v in wanted.items())]
    found = [request.generation_request_id for request in listed(user_id, page_size=100, **wanted)]
    assert found == expected


@pytest.mark.parametrize("page_size", [1, 3, 7, 32])
def test_pages_lead_through_all_of_it_once_in_order(
    assorted: tuple[str, list[Any]], page_size: int
) -> None:
    user_id, documents = assorted
    found: list[str] = []
    token = None
    for _ in range(len(documents) + 1):
        body = ListGenerationRequests(user_id=user_id, page_size=page_size, page_token=token)
        page = list_generation_requests(body, ANYBODY)
        assert len(page.generation_requests) <= page_size
        found += [request.generation_request_id for request in page.generation_requests]
        token = page.next_page_token
        if token is None:
            break
    assert found == [document["id"] for document in documents]


def test_a_page_has_twenty_requests_and_a_hundred_at_most(
    assorted: tuple[str, list[Any]], call: Call
) -> None:
    user_id, documents = assorted
    assert len(listed(user_id)) == 20
    assert len(listed(user_id, page_size=0)) == 20
    assert len(listed(user_id, page_size=10**6)) == len(documents) == 32
    for bad in ("-1", "many", "2.5"):
        query = {"userId": user_id, "pageSize": bad}
        assert call("listGenerationRequests", "GET", query_string=query).status_code == 400


def test_a_page_token_is_bound_to_its_user_and_filters(assorted: tuple[str, list[Any]]) -> None:
    user_id, _ = assorted
    body = ListGenerationRequests(user_id=user_id, page_size=2, style="anime")
    token = list_generation_requests(body, ANYBODY).next_page_token
    assert token
    assert len(listed(user_id, page_token=token, style="Anime")) == 14
    for changes in ({"style": "sketch"}, {}, {"style": "anime", "status": "failed"}):
        with pytest.raises(InvalidField):
            listed(user_id, page_token=token, **changes)
    with pytest.raises(InvalidField):
        listed("somebody-else", page_token=token, style="anime")


def test_options_may_be_named_by_any_spelling(new_user: Callable[..., str]) -> None:
    user_id = new_user(5)
    create(user_id, style="oil painting")
    assert len(listed(user_id, style="Oil-Painting", model="sure_model")) == 1
    assert listed(user_id, style="no such style") == []


def test_only_the_owner_and_an_admin_list(new_user: Callable[..., str]) -> None:
    user_id = new_user(5)
    create(user_id)
    assert len(listed_by(Caller(uid=user_id), user_id)) == 1
    assert len(listed_by(Caller(uid="boss", is_admin=True), user_id)) == 1
    with pytest.raises(NotOwner):
        listed_by(Caller(uid="stranger"), user_id)


def test_a_listing_is_one_rpc(proxy: FirestoreProxy, assorted: tuple[str, list[Any]]) -> None:
    user_id, _ = assorted
    proxy.reset()
    listed(user_id, status="completed")
    assert proxy.traffic.rpcs == {"RunQuery": 1}


def test_a_pending_request_is_canceled_with_its_refund_and_again_with_the_same_answer(
    call: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    request_id = create(user_id, mode="async")
    first = call("cancelGenerationRequest", json={"generationRequestId": request_id})
    again = call("cancelGenerationRequest", json={"generationRequestId": request_id})
    assert first.status_code == 200
    assert first.get_json() == again.get_json()
    assert first.get_json()["status"] == "canceled"
    assert first.get_json()["refundedCredits"] == 1
    assert [entry["type"] for entry in ledger_of(client, user_id)] == ["deduction", "refund"]
    assert ledger_of(client, user_id)[1]["reason"] == "CANCELED"
    assert check_books(client, user_id, opening=5) == 5


def test_nothing_is_refunded_to_a_malformed_account_and_every_endpoint_says_that_it_may_be(
    client: firestore.Client, new_user: Callable[..., str], call: Call
) -> None:
    request_id = create(user_id := new_user(5), mode="async")
    client.document(db.user(user_id)).update({"credits": "four"})
    refused = call("cancelGenerationRequest", json={"generationRequestId": request_id})
    reason = refused.get_json()["error"]["details"]["reason"]
    assert (refused.status_code, reason) == (409, AccountUnusable.reason)
    # All of these end a request with its refund, or move credits.
    for handler in (cancel_generation_request, cancel_for_user, merge_account):
        assert AccountUnusable in declaration_of(handler).errors
    client.document(db.user(user_id)).update({"credits": 4})
    assert cancel(request_id).refunded_credits == 1


def test_what_has_ended_or_is_at_work_cannot_be_canceled(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    completed, at_work = create(user_id), create(user_id, mode="async")
    client.document(db.generation_request(at_work)).update({"status": "processing"})
    for request_id, status in ((completed, "completed"), (at_work, "processing")):
        with pytest.raises(NotCancelable) as refused:
            cancel(request_id)
        assert refused.value.details["status"] == status
    assert check_books(client, user_id, opening=5) == 3


def test_cancels_at_once_refund_once(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    request_id = create(user_id, mode="async")
    with ThreadPoolExecutor(5) as pool:
        seen = list(pool.map(lambda _: cancel(request_id), range(5)))
    assert {each.status for each in seen} == {"canceled"}
    assert check_books(client, user_id, opening=5) == 5


def test_a_synchronous_request_cannot_be_canceled_while_its_model_runs(
    client: firestore.Client, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Canceling:
        def generate(self, job: GenerationJob, *, deadline: float) -> GeneratedImage:
            with pytest.raises(NotCancelable):
                cancel(job.generation_request_id)
            return GeneratedImage(url="https://example.com/image.png")

    monkeypatch.setitem(providers.GENERATORS, "mock", Canceling())
    user_id = new_user(5)
    assert generation.create(order(user_id), ANYBODY).code == 200
    assert check_books(client, user_id, opening=5) == 4


def test_what_is_on_offer_is_listed_for_anyone(
    call: Call, client: firestore.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTH_MODE", "required")
    response = call("listModels", "GET")
    assert response.status_code == 200
    offers = response.get_json()
    assert offers.keys() == {"models", "styles", "colors", "sizes"}
    shown = {"name", "description", "aliases", "background", "takesPhotos"}
    assert offers["models"][0].keys() == shown
    assert offers["styles"][0].keys() == {"name", "description"}
    assert [size["name"] for size in offers["sizes"]] == ["512x512", "1024x1024", "1024x1792"]
    assert offers["sizes"][1] == {
        "name": "1024x1024",
        "description": offers["sizes"][1]["description"],
        "credits": 3,
        "width": 1024,
        "height": 1024,
    }


@pytest.mark.parametrize(
    "broken",
    [
        {name: firestore.DELETE_FIELD}
        for name in ("error", "imageUrl", "startedAt", "completedAt", "mode", "source", "prompt")
    ]
    + [
        {"error": "text"},
        {"error": {}},
        {"source": {"type": "photo", "url": "https://x/" + "%C3%A9" * 600}},
        {"source": {"type": "drawing"}},
        {"prompt": 7},
        {"imageUrl": ["x"]},
    ],
)
def test_a_stored_request_can_be_shown_whatever_it_lacks(
    client: firestore.Client, new_user: Callable[..., str], broken: dict[str, Any]
) -> None:
    user_id = new_user(5)
    request_id = create(user_id)
    client.document(db.generation_request(request_id)).update(broken)
    page = list_generation_requests(ListGenerationRequests(user_id=user_id), ANYBODY)
    assert [each.generation_request_id for each in page.generation_requests] == [request_id]
    assert page.generation_requests[0].model_dump_json()


@pytest.mark.parametrize(
    "broken",
    [{"credits": firestore.DELETE_FIELD}, {"status": "lost"}, {"createdAt": "yesterday"}],
)
def test_a_request_that_cannot_be_shown_does_not_hide_the_others(
    client: firestore.Client,
    new_user: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
    broken: dict[str, Any],
) -> None:
    user_id = new_user(5)
    malformed, sound = create(user_id), create(user_id)
    client.document(db.generation_request(malformed)).update(broken)
    page = list_generation_requests(ListGenerationRequests(user_id=user_id), ANYBODY)
    assert [each.generation_request_id for each in page.generation_requests] == [sound]
    assert "createdAt" in broken or malformed in capsys.readouterr().err
