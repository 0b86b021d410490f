"""Operators run recovery, and make reports again."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from google.cloud import firestore
from support.admin_calls import actions_about
from support.books import check_books
from support.orders import now

from imagegen import db

Call = Callable[..., Any]
WHY = {"reason": "before the release"}


@pytest.mark.usefixtures("queued_requests")
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


def test_a_report_is_made_again(admin: Call, client: firestore.Client) -> None:
    reference = client.document("reports/2020-W02")
    try:
        for revision in (1, 2):
            made = admin("POST", "/reports/2020-W02", json=WHY)
            assert (made["week"], made["revision"]) == ("2020-W02", revision)
        assert (reference.get().to_dict() or {})["revision"] == 2
    finally:
        reference.delete()
    assert len(actions_about(client, "reports/2020-W02")) >= 2


@pytest.mark.parametrize("week", ["2999-W01", "2026-W54", "2026-W00", "today"])
def test_only_the_report_of_a_week_that_is_over_is_made(admin: Call, week: str) -> None:
    refused = admin("POST", f"/reports/{week}", 400, json=WHY)
    (violation,) = refused["error"]["details"]["fieldViolations"]
    assert violation["field"] == "week"
