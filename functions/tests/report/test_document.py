"""The report as it is stored: an older or damaged one is read as far as it goes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from imagegen.report.anomalies.anomaly import Dimension
from imagegen.report.anomalies.memory import Flag, Level
from imagegen.report.document import DigestRecord, Finding, Row, WeeklyReport
from imagegen.report.numbers import Numbers, UserWeek

STORED: dict[str, Any] = {
    "isoWeek": "2026-W10",
    "periodStart": datetime(2026, 3, 2, tzinfo=UTC),
    "schemaVersion": 1,
    "totals": {"requests": 3, "successRate": 0.5, "newUsers": None, "inFlight": 1},
    "byStyle": {"a.b `c`": {"requests": 3}},
    "dailyValues": {"style": {"anime": {"2026-03-02": [7, 1, 2, 3, 4, 5, 6]}}},
    "memory": {
        "flags": [
            {
                "metric": "failureRate",
                "dimension": {"name": "style", "value": "anime"},
                "direction": "up",
                "days": ["2026-03-02"],
                "lasting": False,
                "weeks": 2,
            }
        ],
        "levels": [{"metric": "requests", "dimension": None, "from": "2026-03-02"}],
        "userScores": {"known": {"week": 1.5}},
    },
    "userHistory": [{"userId": "ada", "weeks": {"2026-W09": [20, 8]}}],
}


def test_names_and_lists_of_firestore_become_attributes_and_come_back() -> None:
    report = WeeklyReport.from_firestore(STORED)
    assert report.totals.success_rate == 0.5
    assert report.by_style["a.b `c`"].requests == 3
    packed = Numbers(7, 1, 2, 3, 4, credits_charged=5, credits_refunded=6)
    assert report.daily_values["style"]["anime"]["2026-03-02"] == packed
    assert report.memory.flags[0].dimension == Dimension("style", "anime")
    assert report.memory.levels == [Level(metric="requests", start="2026-03-02")]
    assert report.user_history[0].weeks == {"2026-W09": UserWeek(20, 8)}
    written = report.to_firestore()
    for name in ("isoWeek", "periodStart", "dailyValues", "memory", "userHistory"):
        assert written[name] == STORED[name]
    assert WeeklyReport.from_firestore(written) == report


@pytest.mark.parametrize("stored", [{}, {"old": "report"}, dict.fromkeys(STORED, "nonsense")])
def test_whatever_is_stored_can_be_read(stored: dict[str, Any]) -> None:
    report = WeeklyReport.from_firestore(stored)
    assert (report.schema_version, report.totals.requests, report.user_history) == (0, 0, [])


def test_a_malformed_field_has_its_default_and_the_others_are_read() -> None:
    totals = {"requests": "many", "completed": 2, "newUsers": 1}
    report = WeeklyReport.from_firestore({**STORED, "totals": totals, "deltas": 7})
    assert (report.totals.requests, report.totals.completed) == (0, 2)
    assert (report.deltas, report.iso_week) == ({}, "2026-W10")


def test_a_shorter_list_of_an_older_report_is_read_by_what_it_has() -> None:
    values = {"style": {"anime": {"2026-03-02": [3, 2]}}}
    report = WeeklyReport.from_firestore({**STORED, "dailyValues": values})
    assert report.daily_values["style"]["anime"]["2026-03-02"] == Numbers(3, 2)


def test_what_the_code_itself_makes_is_checked() -> None:
    with pytest.raises(ValidationError):
        Flag(metric="requests", direction="sideways")


def test_whole_numbers_stay_whole() -> None:
    row = Row.of(Numbers(requests=2, completed=2, credits_charged=2)).to_firestore()
    assert {name: type(value) for name, value in row.items() if name != "successRate"} == {
        name: int for name in row if name != "successRate"
    }


def test_only_what_a_finding_or_a_digest_has_is_stored() -> None:
    assert set(Finding(check="requests").to_firestore()) == {
        "type", "check", "problem", "severity", "message",
    }  # fmt: skip
    claim = DigestRecord(channel="c", revision=1, status="sending", claim="x")
    assert set(claim.to_firestore()) == {"channel", "revision", "status", "claim"}
