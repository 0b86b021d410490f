"""Operators look at images that were reported, dismiss the reports or delete the images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.cloud import firestore
from support.admin_calls import actions_about
from support.books import check_books, requests_of
from support.operators import OPERATOR
from support.orders import order_body

from imagegen import db

Call = Callable[..., Any]
WHY = {"reason": "looked at it"}


@pytest.fixture
def reported(call: Call, client: firestore.Client, new_user: Callable[..., str]) -> tuple[str, str]:
    """The ids of a user and of the user's request, whose image was reported."""
    user_id = new_user(5)
    call("createGenerationRequest", json=order_body(user_id))
    (request,) = requests_of(client, user_id)
    body = {"generationRequestId": request["id"], "reason": "violence", "comment": "look"}
    assert call("reportImage", json=body).status_code == 200
    return user_id, request["id"]


def test_a_report_is_listed_with_its_image_and_dismissed(
    admin: Call, client: firestore.Client, reported: tuple[str, str]
) -> None:
    user_id, report_id = reported
    shown = admin("GET", f"/imageReports/{report_id}")
    assert (shown["status"], shown["reason"], shown["userId"]) == ("open", "violence", user_id)
    assert shown["imageUrl"] == "https://example.com/sure.png"
    assert shown in admin("GET", "/imageReports?pageSize=100")["imageReports"]
    body = {"status": "dismissed"} | WHY
    for _ in range(2):
        done = admin("PUT", f"/imageReports/{report_id}", json=body)
        assert (done["status"], done["resolvedBy"]) == ("dismissed", OPERATOR)
    (action,) = actions_about(client, f"imageReports/{report_id}")
    assert (action["reason"], action["userId"]) == (WHY["reason"], user_id)
    assert action["after"] == {"status": "dismissed"}
    admin("GET", "/imageReports/not-there", 404)


def test_the_image_of_a_report_is_deleted_and_stays_paid(
    admin: Call, client: firestore.Client, reported: tuple[str, str]
) -> None:
    user_id, report_id = reported
    for _ in range(2):
        done = admin("DELETE", f"/imageReports/{report_id}/image", query_string=WHY)
        assert (done["status"], done["imageUrl"], done["prompt"]) == ("image_deleted", None, "")
    assert check_books(client, user_id, opening=5) == 4
    request = client.document(db.generation_request(report_id)).get().to_dict() or {}
    assert request["status"] == "completed"
    assert len(actions_about(client, f"imageReports/{report_id}")) == 1
    listed = admin("GET", "/imageReports?status=image_deleted&pageSize=100")["imageReports"]
    assert report_id in {each["generationRequestId"] for each in listed}
