"""Operators have the books audited in the background."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from google.cloud import firestore
from support.admin_calls import actions_about
from support.operators import OPERATOR, bearer

from imagegen import clock, db, tasks
from imagegen.audit import project, runs
from imagegen.audit.findings import Finding
from imagegen.audit.project import Audit
from imagegen.errors import BackendUnavailable

Call = Callable[..., Any]
WHY = {"reason": "before the release"}
LONGEST_SECONDS = 120


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the audits that were put on the queue, which nobody runs."""
    ids: list[str] = []
    monkeypatch.setattr(tasks, "enqueue_audit", ids.append)
    return ids


def broken_user(client: firestore.Client, new_user: Callable[..., str]) -> str:
    user_id = new_user(5)
    entry = {"type": "grant", "credits": 9, "sequence": 1, "balanceAfter": 9, "timestamp": "now"}
    client.document(f"users/{user_id}/transactions/x-grant").set(entry)
    return user_id


def test_an_audit_runs_in_the_background_and_says_what_it_found(
    admin: Call, client: firestore.Client, new_user: Callable[..., str], queued: list[str]
) -> None:
    broken_user(client, new_user)
    audit_id = admin("POST", "/audit", 202, json=WHY)["auditId"]
    assert queued == [audit_id]
    begun = admin("GET", f"/audits/{audit_id}")
    assert (begun["status"], begun["by"], begun["endedAt"]) == ("running", OPERATOR, None)
    runs.run({"auditId": audit_id})
    done = admin("GET", f"/audits/{audit_id}")
    assert done["status"] == "done"
    assert min(done["users"], done["entries"], done["findingCount"]) >= 1
    found = done["findings"][0].keys()
    assert found == {"severity", "invariant", "userId", "path", "message"}
    (listed, *_) = admin("GET", "/audits?pageSize=1")["audits"]
    assert (listed["auditId"], listed["findings"]) == (audit_id, [])
    (action,) = actions_about(client, f"audits/{audit_id}")
    assert (action["action"], action["reason"]) == ("audit", WHY["reason"])


def test_a_task_that_is_delivered_twice_is_one_audit(
    admin: Call, queued: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[int] = []

    def audited(*_: Any) -> Audit:
        ran.append(1)
        return Audit(users=3)

    monkeypatch.setattr(project, "run", audited)
    admin("POST", "/audit", 202, json=WHY)
    for _ in range(2):
        runs.run({"auditId": queued[0]})
    assert ran == [1]
    assert admin("GET", f"/audits/{queued[0]}")["users"] == 3


@pytest.mark.parametrize(
    "message",
    [
        f"its type {900_000 * 'é'} is unknown",  # whatever is stored may be in it
        f"lot {1499 * 'l'} holds 1, by the ledger it should hold 2",
    ],
)
def test_findings_of_any_length_are_stored_as_far_as_a_document_holds_them(
    admin: Call,
    queued: list[str],
    monkeypatch: pytest.MonkeyPatch,
    message: str,
) -> None:
    user_id = 1499 * "u"
    path = f"users/{user_id}/transactions/{1499 * 'e'}"
    found = Audit()
    for _ in range(300):
        found.add(Finding("I2", user_id, path, message))
    monkeypatch.setattr(project, "run", lambda *_: found)
    admin("POST", "/audit", 202, json=WHY)
    runs.run({"auditId": queued[0]})
    done = admin("GET", f"/audits/{queued[0]}")
    assert (done["status"], done["findingCount"]) == ("done", 300)
    assert len(done["findings"]) >= 100
    assert message.startswith(done["findings"][0]["message"])


def test_an_audit_goes_on_when_its_progress_cannot_be_stored(
    admin: Call, queued: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its reads outlast a minute without Firestore, and may have taken many before."""

    def audited(_: object, progress: Callable[[Audit], None]) -> Audit:
        with monkeypatch.context() as outage:
            outage.setattr(runs, "PROGRESS_SECONDS", 0.0)
            outage.setattr(db, "transact", refuse)
            progress(Audit())
        return Audit(users=3)

    def refuse(*_: Any, **__: Any) -> None:
        raise BackendUnavailable

    monkeypatch.setattr(project, "run", audited)
    admin("POST", "/audit", 202, json=WHY)
    runs.run({"auditId": queued[0]})
    assert admin("GET", f"/audits/{queued[0]}")["users"] == 3


def test_an_audit_that_fails_says_why(
    admin: Call, queued: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Audit:
        raise RuntimeError("users came out of order")

    monkeypatch.setattr(project, "run", fail)
    admin("POST", "/audit", 202, json=WHY)
    with pytest.raises(RuntimeError):
        runs.run({"auditId": queued[0]})
    failed = admin("GET", f"/audits/{queued[0]}")
    assert failed["status"] == "failed"
    assert "users came out of order" in failed["error"]


def test_an_audit_whose_instance_has_ended_counts_as_failed(
    admin: Call, queued: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any) -> Audit:
        raise SystemExit

    monkeypatch.setattr(project, "run", die)
    admin("POST", "/audit", 202, json=WHY)
    with pytest.raises(SystemExit):
        runs.run({"auditId": queued[0]})
    assert admin("GET", f"/audits/{queued[0]}")["status"] == "running"
    later = datetime.now(UTC) + runs.SILENCE + timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    failed = admin("GET", f"/audits/{queued[0]}")
    assert (failed["status"], "5 minutes" in failed["error"]) == ("failed", True)
    (listed, *_) = admin("GET", "/audits?pageSize=1")["audits"]
    assert listed["status"] == "failed"


def test_an_audit_that_the_queue_refuses_has_failed(
    admin: Call, client: firestore.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: str) -> None:
        raise BackendUnavailable("The queue is out of reach.")

    monkeypatch.setattr(tasks, "enqueue_audit", refuse)
    admin("POST", "/audit", 503, json=WHY)
    (newest, *_) = admin("GET", "/audits?pageSize=1")["audits"]
    assert (newest["status"], newest["error"]) == ("failed", "The queue is out of reach.")


def test_the_queue_runs_an_audit(deployed: httpx.Client) -> None:
    audit_id = deployed.post("/admin/audit", json=WHY, headers=bearer()).json()["auditId"]
    deadline = time.monotonic() + LONGEST_SECONDS
    status = "running"
    while status == "running":
        assert time.monotonic() < deadline
        time.sleep(1)
        answer = deployed.get(f"/admin/audits/{audit_id}", headers=bearer())
        status = answer.json()["status"]
    assert status == "done", answer.text
