"""The weekly report: read the week once, add it up, check it, judge it, store it.

    earlier reports ──▶ the moment of reading
                          ├─▶ requests, streamed ──▶ a tally a day ──┐
                          ├─▶ purchases, entries, lots of users ─────┤
                          └─▶ aggregations, ledger, new users ───────┴─▶ reports/{isoWeek}

All reads see the moment of the first, so the numbers belong together, whatever is written
meanwhile. A day that cannot be read fails the run, which is safe to repeat; a check that cannot be
made becomes a finding in the report, never a zero.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime

from google.cloud import firestore

from imagegen import clock, config, db, logger
from imagegen.notifications import outbox
from imagegen.notifications.event import EventType
from imagegen.report import (
    aggregations,
    checks,
    credit_flows,
    digest,
    earlier,
    facts,
    money,
    requests,
    weeks,
)
from imagegen.report.aggregations import Measured
from imagegen.report.anomalies.find import Findings, find
from imagegen.report.anomalies.history import WeekNumbers
from imagegen.report.anomalies.thresholds import Thresholds
from imagegen.report.checks import finding, unreadable
from imagegen.report.document import SCHEMA_VERSION, Finding, Liability, WeeklyReport
from imagegen.report.earlier import EarlierReports
from imagegen.report.money import Money
from imagegen.report.numbers import Tally, UserNumbers, users_of_week
from imagegen.report.source import Source
from imagegen.report.user_history import UserHistory, UserHistoryUnavailable
from imagegen.report.weeks import Day, Week

STREAMS = 2  # one waits for Firestore while the other decodes; more wait for each other
CHECKS_AT_ONCE = 2


def run(schedule_time: datetime | None = None, *, week: str | None = None) -> WeeklyReport:
    """Make the report of `week`, or of the one that had ended by `schedule_time`, and store it.

    Running a week again gives the same report, but for `generated_at` and `revision`.

    Raises ValueError for a week that does not exist or is not over, BackendUnavailable when the
    week's requests cannot be read or the report cannot be stored.
    """
    began = time.monotonic()
    thresholds = Thresholds.parse(config.REPORT_THRESHOLDS.value)
    chosen = _choose(schedule_time, week)
    with closing(Source()) as source:
        before = earlier.read(chosen, source)
        if source.read_time < chosen.end:
            raise ValueError(f"{chosen.name} is not over before {chosen.end:%Y-%m-%d %H:%M} UTC")
        user_history = UserHistory(before, source)
        report = _make(chosen, source, before, user_history, thresholds)
    stored = _store(report)
    _log_end(stored, users_read=user_history.documents_read, seconds=time.monotonic() - began)
    return digest.send(stored)


def _make(
    week: Week,
    source: Source,
    before: EarlierReports,
    user_history: UserHistory,
    thresholds: Thresholds,
) -> WeeklyReport:
    """The report, but for its revision."""
    known = before.revision.liability if before.revision is not None else None
    days, measured, taken = _read_week(week, source, known)
    users = users_of_week(days)
    values = facts.values_by_day(days)
    numbers = WeekNumbers(
        week=week.name,
        daily={date: tally.numbers for date, tally in days.items()},
        values=values,
        new_users=measured.known_new_users,
    )
    found, not_judged = _judge(numbers, users, before, user_history, thresholds)
    totals, tables = facts.totals(days.values(), users, measured.new_users), facts.by_value(values)
    return WeeklyReport(
        iso_week=week.name,
        time_zone=week.zone,
        period_start=week.start,
        period_end=week.end,
        report_status="success",
        schema_version=SCHEMA_VERSION,
        generated_at=clock.now(),
        data_as_of=facts.data_as_of(week, days),
        totals=totals,
        by_day=facts.by_day(days, measured.new_users),
        by_model=tables["model"],
        by_style=tables["style"],
        by_color=tables["color"],
        by_size=tables["size"],
        daily_values=values,
        top_users=facts.top_users(users),
        revenue=taken.revenue.rows if taken.revenue is not None else None,
        credits_by_kind=(
            credit_flows.by_kind(taken.flows, days) if taken.flows is not None else None
        ),
        liability=taken.liability,
        deltas=earlier.deltas(totals, before),
        anomalies=found.anomalies,
        bands=found.bands,
        tests=found.tests,
        thresholds=found.thresholds,
        data_quality=[
            *checks.findings(days.values(), measured),
            *checks.of_money(taken, measured),
            *facts.findings(days, values),
            *not_judged,
        ],
        memory=found.memory,
        user_history=user_history.to_store(week.name, users),
    )


def _choose(schedule_time: datetime | None, week: str | None) -> Week:
    if week is not None:
        return weeks.named(week, clock.time_zone())
    if schedule_time is None:
        raise ValueError("either a week or a schedule time is needed")
    return weeks.ended_by(schedule_time, clock.time_zone())


def _read_week(
    week: Week, source: Source, known: Liability | None
) -> tuple[dict[str, Tally], Measured, Money]:
    """The days' tallies by ISO date, what Firestore and the ledger count beside them, the money."""
    with (
        ThreadPoolExecutor(CHECKS_AT_ONCE) as checkers,
        ThreadPoolExecutor(STREAMS) as readers,
    ):
        outcome = aggregations.start(week, source, checkers)
        taken = money.start(week, source, checkers, known)
        parts = [
            readers.submit(_read_days, week, days, source)
            for days in (week.days[:4], week.days[4:])
        ]
        try:
            days = {date: tally for part in parts for date, tally in part.result().items()}
        except BaseException:
            checkers.shutdown(wait=False, cancel_futures=True)
            source.close()  # ends the other stream
            raise
        return days, outcome(), taken()


def _read_days(week: Week, days: Sequence[Day], source: Source) -> dict[str, Tally]:
    began = time.monotonic()
    tallies = {}
    for day, tally in requests.tallies(days, source, week.end):
        tallies[day.date] = tally
        logger.info(
            "report day read",
            isoWeek=week.name,
            date=day.date,
            requests=tally.numbers.requests,
            elapsedMs=round((time.monotonic() - began) * 1000),
        )
    return tallies


def _judge(
    numbers: WeekNumbers,
    users: Mapping[str, UserNumbers],
    before: EarlierReports,
    user_history: UserHistory,
    thresholds: Thresholds,
) -> tuple[Findings, list[Finding]]:
    """The anomalies, and what could not be judged."""
    reports = [earlier.week_numbers(each) for each in before.newest(earlier.WEEKS)]
    not_judged = []
    try:
        found = find(numbers, reports, users, thresholds, user_history)
    except UserHistoryUnavailable:
        found = find(numbers, reports, {}, thresholds)
        message = "Single users were not judged: their earlier weeks could not be read."
        not_judged.append(finding("userHistory", "unavailable", message))
    if user_history.left_out:
        what = "top spenders were not judged: their usage is malformed or their id is no document's"
        paths = [f"users/{each}" for each in user_history.left_out]
        not_judged.append(unreadable("userHistory", what, paths, len(paths)))
    if found.insufficient_history:
        message = (
            "Counts were not tested: "
            f"it takes {thresholds.min_history_days} days of earlier reports."
        )
        not_judged.append(finding("anomalies", "insufficient_history", message))
    return found, not_judged


def _store(report: WeeklyReport) -> WeeklyReport:
    """Replace the stored report whole; of two runs at once, each gets a revision of its own."""
    path, fields = f"reports/{report.iso_week}", report.to_firestore()

    def decide(transaction: db.Transaction) -> None:
        stored = transaction[path]
        if not stored.exists:
            transaction.create(path, {**fields, "revision": 1})
            outbox.record(transaction, EventType.REPORT_STORED, path, clock.now())
        elif stored.get("generatedAt") != report.generated_at:  # else ours; the reply was lost
            gone = dict.fromkeys(stored.fields or {}, firestore.DELETE_FIELD)
            revision = WeeklyReport.from_firestore(stored.fields or {}).revision + 1
            transaction.update(path, {**gone, **fields, "revision": revision})
            outbox.record(transaction, EventType.REPORT_STORED, path, clock.now())

    document = db.transact(decide, path)[path]
    return report.model_copy(update={"revision": document["revision"]})


def _log_end(report: WeeklyReport, *, users_read: int, seconds: float) -> None:
    for each in report.data_quality:
        if each.severity != "info":
            about = {"check": each.check, "problem": each.problem, "paths": each.paths}
            logger.warn(each.message, isoWeek=report.iso_week, **about)
    logger.info(
        "report stored",
        isoWeek=report.iso_week,
        revision=report.revision,
        requests=report.totals.requests,
        anomalies=len(report.anomalies),
        dataQuality=len(report.data_quality),
        userDocumentsRead=users_read,
        durationMs=round(seconds * 1000),
    )
