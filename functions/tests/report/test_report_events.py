"""A weekly report that is stored is told, each revision once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from support.events import Outbox
from support.receiver import Receiver

from imagegen.notifications import registration
from imagegen.report import weekly
from imagegen.report.document import WeeklyReport


def test_each_revision_of_a_report_is_told_once(
    in_outbox: Outbox, consumer: Callable[[], Receiver]
) -> None:
    registration.register(consumer().url, ["report.stored"])
    stored = {"isoWeek": "2026-W46", "generatedAt": in_outbox.moment}
    report = WeeklyReport.from_firestore(stored)
    weekly._store(report)
    weekly._store(report)  # the reply to the first was lost
    assert [each.about for each in in_outbox.events()] == ["reports/2026-W46"]
    later = in_outbox.moment + timedelta(hours=1)
    weekly._store(report.model_copy(update={"generated_at": later}))
    assert [each.type for each in in_outbox.events()] == ["report.stored", "report.stored"]


def test_a_report_is_told_to_nobody_where_nobody_asked(in_outbox: Outbox) -> None:
    weekly._store(WeeklyReport.from_firestore({"isoWeek": "2026-W46"}))
    assert in_outbox.events() == []
