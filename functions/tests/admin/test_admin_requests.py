"""Operators find generation requests and look at them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from support.admin_calls import path_of
from support.orders import now

Call = Callable[..., Any]


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
