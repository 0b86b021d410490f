"""The weekly report: read the week once, fold it, check it, judge it, store it.

    earlier reports ──▶ the moment of reading
                          ├─▶ requests, streamed ──▶ a tally a day ──┐
                          └─▶ aggregations, ledger, new users ───────┴─▶ reports/{isoWeek}

All reads see the moment of the first, so the numbers belong together whatever happens meanwhile. A
day that cannot be read fails the run, which is safe to repeat; a check that cannot be made becomes
a finding in the report, never a zero.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from typing import Any

from firebase_functions import logger
from google.cloud import firestore

from imagegen import clock, config, db
from imagegen.report import (
    aggregations,
    anomalies,
    checks,
    digest,
    document,
    earlier,
    requests,
    weeks,
)
from imagegen.report.aggregations import Measured
from imagegen.report.anomalies import Findings
from imagegen.report.checks import finding
from imagegen.report.earlier import Earlier
from imagegen.report.numbers import Tally, UserNumbers, WeekNumbers, users_of_week
from imagegen.report.source import Source
from imagegen.report.thresholds import Thresholds
from imagegen.report.user_history import Pasts, PastsUnavailable
from imagegen.report.weeks import Day, Week

STREAMS = 2  # one waits for Firestore while the other decodes; more wait for each other
CHECKS_AT_ONCE = 2


def run(schedule_time: datetime | None = None, *, week: str | None = None) -> dict[str, Any]:
    """Make the report of `week`, or of the one that had ended by `schedule_time`; as stored.

    Running a week again gives the same report, but for `generatedAt` and `revision`.

    Raises ValueError for a week that is none or is not over, BackendUnavailable when the week's
    requests cannot be read or the report cannot be stored.
    """
    began = time.monotonic()
    limits = Thresholds.parse(config.REPORT_THRESHOLDS.value)
    chosen = _choose(schedule_time, week)
    with closing(Source()) as source:
        before = earlier.read(chosen, source)
        if source.read_time < chosen.end:
            raise ValueError(f"{chosen.name} is not over before {chosen.end:%Y-%m-%d %H:%M} UTC")
        pasts = Pasts(before, source)
        report = _make(chosen, source, before, pasts, limits)
    stored = _store(report)
    _log_ending(stored, users_read=pasts.documents_read, seconds=time.monotonic() - began)
    return digest.send(stored)


def _make(
    week: Week, source: Source, before: Earlier, pasts: Pasts, limits: Thresholds
) -> dict[str, Any]:
    """The report, but for its revision."""
    days, measured = _read_week(week, source)
    users = users_of_week(days)
    values = document.values_by_day(days)
    facts = document.facts(week, days, users, values, measured.new_users)
    numbers = WeekNumbers(
        week=week.name,
        daily={date: tally.numbers for date, tally in days.items()},
        values=values,
        new_users=measured.known_new_users,
    )
    found, unjudged = _judge(numbers, users, before, pasts, limits)
    return {
        **facts,
        "reportStatus": "success",
        "schemaVersion": earlier.SCHEMA_VERSION,
        "generatedAt": clock.now(),
        "deltas": earlier.deltas(facts["totals"], before),
        "anomalies": found.anomalies,
        "bands": found.bands,
        "tests": found.tests,
        "thresholds": found.thresholds,
        "dataQuality": [
            *checks.findings(days.values(), measured),
            *document.fold_findings(days, values),
            *unjudged,
        ],
        "memory": found.memory,
        "userHistory": pasts.to_store(week.name, users),
    }


def _choose(schedule_time: datetime | None, week: str | None) -> Week:
    if week is not None:
        return weeks.named(week, clock.time_zone())
    if schedule_time is None:
        raise ValueError("either a week or a schedule time is needed")
    return weeks.ended_by(schedule_time, clock.time_zone())


def _read_week(week: Week, source: Source) -> tuple[dict[str, Tally], Measured]:
    """The days' tallies by ISO date, and what Firestore and the ledger count beside them."""
    with (
        ThreadPoolExecutor(CHECKS_AT_ONCE) as checkers,
        ThreadPoolExecutor(STREAMS) as readers,
    ):
        outcome = aggregations.start(week, source, checkers)
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
        return days, outcome()


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
    before: Earlier,
    pasts: Pasts,
    limits: Thresholds,
) -> tuple[Findings, list[dict[str, Any]]]:
    """The anomalies, and what could not be judged."""
    history = before.as_week_numbers()
    unjudged = []
    try:
        found = anomalies.find(numbers, history, users.items(), limits, pasts)
    except PastsUnavailable:
        found = anomalies.find(numbers, history, (), limits)
        message = "Single users were not judged: their earlier weeks could not be read."
        unjudged.append(finding("userHistory", "unavailable", message))
    if found.insufficient_history:
        message = (
            f"Counts were not tested: it takes {limits.min_history_days} days of earlier reports."
        )
        unjudged.append(finding("anomalies", "insufficient_history", message))
    return found, unjudged


def _store(report: Mapping[str, Any]) -> dict[str, Any]:
    """Replace the stored report whole; of two runs at once, each gets a revision of its own."""
    path = f"reports/{report['isoWeek']}"

    def decide(transaction: db.Transaction) -> None:
        stored = transaction[path]
        if not stored.exists:
            transaction.create(path, {**report, "revision": 1})
        elif stored.get("generatedAt") != report["generatedAt"]:  # else the lost reply was a yes
            gone = dict.fromkeys(stored.fields or {}, firestore.DELETE_FIELD)
            revision = stored.get("revision", 0) + 1
            transaction.update(path, {**gone, **report, "revision": revision})

    document_stored = db.transact(decide, path)[path]
    return {**report, "revision": document_stored["revision"]}


def _log_ending(report: Mapping[str, Any], *, users_read: int, seconds: float) -> None:
    logger.info(
        "report stored",
        isoWeek=report["isoWeek"],
        revision=report["revision"],
        requests=report["totals"]["requests"],
        anomalies=len(report["anomalies"]),
        dataQuality=len(report["dataQuality"]),
        userDocumentsRead=users_read,
        durationMs=round(seconds * 1000),
    )
