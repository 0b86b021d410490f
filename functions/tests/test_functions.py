"""The functions as the Functions emulator serves them, over HTTP."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from google.cloud import firestore
from support.books import check_books, ledger_of, requests_of
from support.orders import order_body


def test_the_imported_users_are_there(deployed: httpx.Client) -> None:
    for user_id in ("testUser1", "testUser2"):
        answer = deployed.get("/getUserCredits", params={"userId": user_id})
        assert answer.status_code == 200
        assert answer.json()["currentCredits"] >= 0


def test_a_generation_is_charged_and_shown_in_the_history(
    deployed: httpx.Client, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(10)
    made = deployed.post("/createGenerationRequest", json=order_body(user_id, size="1024x1792"))
    assert made.status_code == 200
    assert made.json()["deductedCredits"] == 4
    credits = deployed.get("/getUserCredits", params={"userId": user_id}).json()
    assert credits["currentCredits"] == 6
    assert [e["type"] for e in credits["transactions"]] == ["deduction"]
    assert check_books(client, user_id, opening=10) == 6


def test_a_failure_is_refunded(
    deployed: httpx.Client, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(10)
    failed = deployed.post(
        "/createGenerationRequest", json=order_body(user_id, model="Doomed Model")
    )
    assert failed.status_code == 500
    assert failed.json()["error"]["message"] == "AI generation failed, credits refunded."
    credits = deployed.post("/getUserCredits", json={"userId": user_id}).json()
    assert credits["currentCredits"] == 10
    assert [entry["type"] for entry in credits["transactions"]] == ["refund", "deduction"]


def test_fifty_calls_at_once_against_ten_credits(
    deployed: httpx.Client, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(10)

    def create(_: int) -> int:
        return deployed.post("/createGenerationRequest", json=order_body(user_id)).status_code

    with ThreadPoolExecutor(50) as pool:
        codes = list(pool.map(create, range(50)))
    assert sorted(codes) == [200] * 10 + [402] * 40
    assert len(ledger_of(client, user_id)) == 10
    assert check_books(client, user_id, opening=10) == 0


@pytest.mark.parametrize("model", ["Model A", "Model B"])
def test_the_placeholder_of_a_mock_really_loads(
    deployed: httpx.Client, client: firestore.Client, new_user: Callable[..., str], model: str
) -> None:
    user_id = new_user(20)
    for _ in range(10):  # the mocks fail now and then, as models do
        answer = deployed.post("/createGenerationRequest", json=order_body(user_id, model=model))
        if answer.status_code == 200:
            break
    path = httpx.URL(answer.json()["imageUrl"]).path
    image = httpx.get(os.environ["HOSTING_URL"] + path)
    assert (image.status_code, image.headers["Content-Type"]) == (200, "image/png")
    assert image.headers["Access-Control-Allow-Origin"] == "*"
    check_books(client, user_id, opening=20)


def test_an_error_reaches_a_browser_with_its_cors_headers(deployed: httpx.Client) -> None:
    refused = deployed.post(
        "/createGenerationRequest", json={}, headers={"Origin": "https://a.example"}
    )
    assert refused.status_code == 400
    assert refused.headers["Access-Control-Allow-Origin"] in ("*", "https://a.example")


def test_what_has_expired_is_deleted_when_it_is_triggered(deployed: httpx.Client) -> None:
    answer = deployed.post("/deleteExpiredData-0")
    assert (answer.status_code, answer.json()) == (200, {"cleanupStatus": "success"})


def test_the_weekly_report_is_made_when_it_is_triggered(
    deployed: httpx.Client, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(10)
    made = deployed.post("/createGenerationRequest", json=order_body(user_id))
    (request,) = requests_of(client, user_id)
    assert request["id"] == made.json()["generationRequestId"]
    last_week = datetime.now(UTC) - timedelta(weeks=1)
    client.document(f"generationRequests/{request['id']}").update({"createdAt": last_week})
    answer = deployed.post("/scheduleWeeklyReport-0")
    assert (answer.status_code, answer.json()) == (200, {"reportStatus": "success"})
    year, week, _ = last_week.isocalendar()
    report = client.document(f"reports/{year}-W{week:02d}").get().to_dict() or {}
    assert report["reportStatus"] == "success"
    assert report["totals"]["requests"] >= 1
    assert report["byModel"]["Sure Model"]["completed"] >= 1
