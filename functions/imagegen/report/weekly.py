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

from google.cloud import firestore

from imagegen import clock, config, db, logger
from imagegen.errors import BackendUnavailable
from imagegen.report import (
    aggregations,
    anomalies,
    checks,
    digest,
    document,
    history,
    reading,
    weeks,
)
from imagegen.report.aggregations import Measured
from imagegen.report.anomalies import Findings
from imagegen.report.checks import finding
from imagegen.report.history import Earlier
from imagegen.report.metrics import Tally, UserNumbers, WeekNumbers, users_of_week
from imagegen.report.pasts import Pasts, PastsUnavailable
from imagegen.report.reading import Source
from imagegen.report.thresholds import Thresholds
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
    earlier = _read_earlier(chosen)
    days, measured = _read_week(chosen, earlier.read_time)

    users = users_of_week(days)
    values = document.values_by_day(days)
    facts = document.facts(chosen, days, users, values, measured.new_users)
    numbers = WeekNumbers(
        week=chosen.name,
        daily={date: tally.numbers for date, tally in days.items()},
        values=values,
        new_users=measured.known_new_users,
    )
    pasts = Pasts(earlier)
    found, unjudged = _judge(numbers, users, earlier, pasts, limits)
    data_quality = [
        *checks.findings(days.values(), measured),
        *document.fold_findings(days, values),
        *unjudged,
    ]
    stored = _store(
        {
            **facts,
            "reportStatus": "success",
            "schemaVersion": history.SCHEMA_VERSION,
            "generatedAt": clock.now(),
            "deltas": history.deltas(facts["totals"], earlier),
            "anomalies": found.anomalies,
            "bands": found.bands,
            "tests": found.tests,
            "thresholds": found.thresholds,
            "dataQuality": data_quality,
            "memory": found.memory,
            "userHistory": pasts.to_store(chosen.name, users),
        }
    )
    _log_ending(stored, users_read=pasts.documents_read, seconds=time.monotonic() - began)
    return digest.send(stored)


def _choose(schedule_time: datetime | None, week: str | None) -> Week:
    if week is not None:
        return weeks.named(week, clock.time_zone())
    if schedule_time is None:
        raise ValueError("either a week or a schedule time is needed")
    return weeks.ended_by(schedule_time, clock.time_zone())


def _read_earlier(week: Week) -> Earlier:
    try:
        earlier = history.read(week)
    except db.OUT_OF_REACH as error:
        raise BackendUnavailable from error
    if earlier.read_time < week.end:
        raise ValueError(f"{week.name} is not over before {week.end:%Y-%m-%d %H:%M} UTC")
    return earlier


def _read_week(week: Week, read_time: datetime) -> tuple[dict[str, Tally], Measured]:
    """The days' tallies by ISO date, and what Firestore and the ledger count beside them."""
    with (
        closing(Source(read_time)) as source,
        ThreadPoolExecutor(CHECKS_AT_ONCE) as checkers,
        ThreadPoolExecutor(STREAMS) as readers,
    ):
        outcome = aggregations.start(week, read_time, checkers)
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
    for day, tally in reading.tallies(days, source, week.end):
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
    earlier: Earlier,
    pasts: Pasts,
    limits: Thresholds,
) -> tuple[Findings, list[dict[str, Any]]]:
    """The anomalies, and what could not be judged."""
    before = earlier.as_week_numbers()
    unjudged = []
    try:
        found = anomalies.find(numbers, before, users.items(), limits, pasts)
    except PastsUnavailable:
        found = anomalies.find(numbers, before, (), limits)
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
