"""The digest: who is told what, and that they are told once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import yaml
from support.past_app import MONDAY, AppWithHistory, empty_client
from support.paths import FUNCTIONS
from support.receiver import Receiver, report_webhook

from imagegen import db
from imagegen.errors import OutcomeUnknown
from imagegen.firestore import client as firestore_client
from imagegen.report import digest, weekly
from imagegen.report.document import WeeklyReport

WEEK = "2026-W10"


@pytest.fixture
def app(emulator: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppWithHistory]:
    client = empty_client()
    monkeypatch.setattr(firestore_client, "_client", client)
    app = AppWithHistory(client)
    app.request(MONDAY)
    yield app
    client.close()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    yield from report_webhook(monkeypatch)


def report(**changes: Any) -> WeeklyReport:
    totals = {"requests": 1236, "successRate": 0.951, "creditsNet": 2400, "activeUsers": 80}
    stored = {
        "isoWeek": WEEK,
        "revision": 1,
        "totals": totals,
        "deltas": {"requests": {"lastWeekChange": 0.124}},
        "anomalies": [],
    }
    return WeeklyReport.from_firestore(stored | changes)


def anomaly(severity: str, message: str) -> dict[str, Any]:
    named = {"id": "a1", "status": "new", "metric": "requests"}
    return {**named, "severity": severity, "message": message}


def test_the_message_has_the_headline_what_matters_and_a_link() -> None:
    anomalies = [anomaly("high", "Generations: 3.0× <expected>"), anomaly("low", "A little more")]
    message = digest.message(report(anomalies=anomalies))
    lines = message["text"].split("\n")
    assert lines[0] == "*Weekly report 2026-W10*"
    assert lines[1] == (
        "1,236 generations (+12% on the week before), 95.1% successful, 2,400 credits spent by 80 "
        "users. 2 anomalies: 1 high, 1 low."
    )
    assert lines[2] == "• *high*: Generations: 3.0× &lt;expected&gt;"
    assert lines[3].endswith("/reports/2026-W10|Open the report>")
    assert len(lines) == 4
    assert [each["severity"] for each in message["report"]["anomalies"]] == ["high"]
    assert message["report"]["totals"]["requests"] == 1236


def test_the_message_says_what_was_earned_and_what_is_outstanding() -> None:
    sold = {"productId": "pack", "purchases": 2, "gross": 1980, "refunded": 495}
    revenue = [
        sold | {"currency": "usd", "net": 1485},
        sold | {"currency": "usd", "net": 15},
        sold | {"currency": "jpy", "net": 500},
        sold | {"currency": "usd", "net": 9900, "isTest": True},
    ]
    liability = {"paid": 1200, "free": 30, "byKind": {"purchase": 1200, "trial": 30}}
    message = digest.message(report(revenue=revenue, liability=liability))
    assert message["text"].split("\n")[2] == (
        "Revenue 15.00 USD, 500 JPY, net of refunds and disputes; "
        "1,200 paid and 30 free credits outstanding."
    )
    assert message["report"]["liability"] == liability
    assert message["report"]["revenue"][3]["isTest"]
    test_only = digest.message(report(revenue=revenue[3:], liability={"paid": 0, "free": 0}))
    assert "Revenue" not in test_only["text"]
    assert "outstanding" not in test_only["text"]


def test_a_quiet_first_week_has_a_headline_as_well() -> None:
    totals = {"requests": 0, "successRate": None, "creditsNet": 0, "activeUsers": 0}
    quiet = report(totals=totals, deltas={"requests": {"lastWeekChange": None}})
    assert digest.headline(quiet) == (
        "0 generations, 0 credits spent by 0 users. Nothing out of the ordinary."
    )


def test_a_long_list_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GCLOUD_PROJECT", "my-app")
    message = digest.message(report(anomalies=[anomaly("medium", "More")] * 13))
    assert "… and 3 more." in message["text"]
    assert "<https://my-app.web.app/reports/2026-W10|" in message["text"]


def test_every_revision_is_told_once_and_the_report_says_so(
    app: AppWithHistory, receiver: Receiver
) -> None:
    first = weekly.run(week=WEEK)
    assert len(receiver.messages) == 1
    assert first.digest is not None
    assert (first.digest.status, first.digest.attempts) == ("sent", 1)
    assert app.stored(WEEK) == first.to_firestore()
    assert "secret" not in json.dumps(first.to_firestore(), default=str)
    digest.send(first)  # a repetition after a lost reply
    assert len(receiver.messages) == 1
    second = weekly.run(week=WEEK)
    assert [each["report"]["revision"] for each in receiver.messages] == [1, 2]
    before, after = first.to_firestore(), second.to_firestore()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"generatedAt", "revision", "digest"}


def test_runs_at_once_do_not_tell_the_same_thing_twice(
    app: AppWithHistory, receiver: Receiver
) -> None:
    stored = weekly.run(week=WEEK)
    app.client.document(f"reports/{WEEK}").update({"digest": None})
    receiver.messages.clear()
    with ThreadPoolExecutor(8) as runs:
        list(runs.map(digest.send, [stored] * 8))
    assert len(receiver.messages) == 1
    assert app.stored(WEEK)["digest"]["status"] == "sent"


def test_an_older_revision_is_not_told_any_more(app: AppWithHistory, receiver: Receiver) -> None:
    old = weekly.run(week=WEEK)
    weekly.run(week=WEEK)
    told = len(receiver.messages)
    assert digest.send(old.model_copy(update={"digest": None})).digest is None
    assert len(receiver.messages) == told


def test_without_a_webhook_nobody_is_told_and_nothing_is_recorded(
    app: AppWithHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REPORT_WEBHOOK_URL", raising=False)
    assert "digest" not in weekly.run(week=WEEK).to_firestore()


def test_a_failed_delivery_does_not_fail_the_report(
    app: AppWithHistory, receiver: Receiver
) -> None:
    receiver.answers = [404]
    made = weekly.run(week=WEEK)
    assert made.report_status == "success"
    told = app.stored(WEEK)["digest"]
    assert (told["status"], told["attempts"], told["error"]) == ("failed", 1, "HTTP 404")


def test_a_claim_that_is_in_doubt_is_not_sent(
    app: AppWithHistory, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = weekly.run(week=WEEK)
    receiver.messages.clear()

    def transact(*_: Any) -> None:
        raise OutcomeUnknown

    monkeypatch.setattr(db, "transact", transact)
    assert digest.send(made) == made
    assert receiver.messages == []


@pytest.mark.parametrize("is_on", [False, True])
def test_the_secret_is_asked_for_only_where_the_digest_is_on(
    is_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORT_DIGEST", str(is_on).lower())
    program = (
        "from firebase_functions.private import serving as s; "
        "print(s.functions_as_yaml(s.get_functions()))"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=FUNCTIONS, capture_output=True, check=True
    )
    manifest = yaml.safe_load(told.stdout)
    secrets = [each["name"] for each in manifest["params"] if each["type"] == "secret"]
    bound = manifest["endpoints"]["scheduleWeeklyReport"]["secretEnvironmentVariables"]
    assert secrets == ["REPORT_WEBHOOK_URL"] * is_on
    assert bound == [{"key": "REPORT_WEBHOOK_URL"}] * is_on
