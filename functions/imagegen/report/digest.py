"""The digest: one message to a webhook for every revision of a report.

A run claims the revision on the report before it sends the message, so of two runs, or of a run and
its repetition, only one sends it. A run that dies in between leaves `sending` behind, and nothing
is sent: no message is better than two. Whatever happens here, the report stays stored.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from imagegen import clock, config, db, logger
from imagegen.firestore.store import Document
from imagegen.purchases import money
from imagegen.report.delivery import deliver
from imagegen.report.document import Delta, DigestRecord, WeeklyReport

SENT = ("critical", "high", "medium")  # severities worth a message
FIELDS_SENT = ("id", "severity", "status", "metric", "message")
MOST_ANOMALIES = 10
CONSOLE_IN_EMULATOR = "http://127.0.0.1:5000"


def send(report: WeeklyReport) -> WeeklyReport:
    """Send the digest if there is a webhook; the report, with a `digest` that says how it went.

    Never raises: a report does not fail because its digest could not be sent.
    """
    url = config.report_webhook_url()
    if not url:
        return report
    try:
        record = _send_once(url, report)
    except Exception as error:  # noqa: BLE001 - whatever it is, the report stands
        logger.error("digest not sent", isoWeek=report.iso_week, error=repr(error))
        return report
    return report.model_copy(update={"digest": record}) if record else report


def _send_once(url: str, report: WeeklyReport) -> DigestRecord | None:
    """How it went; None when another run has claimed the message."""
    path = f"reports/{report.iso_week}"
    # Of the URL, which is a secret, only a hash is stored.
    channel = hashlib.sha256(url.encode()).hexdigest()[:12]
    claim = DigestRecord(
        channel=channel,
        revision=report.revision,
        status="sending",
        attempts=0,
        at=clock.now(),
        claim=uuid.uuid4().hex,
    )
    if not _claimed(path, claim):
        return None
    delivery = deliver(url, message(report))
    record = DigestRecord(
        channel=channel, revision=report.revision, at=clock.now(), **asdict(delivery)
    )

    def decide(transaction: db.Transaction) -> None:
        before = _digest(transaction[path])
        if before and before.claim == claim.claim:
            transaction.update(path, {"digest": record.to_firestore()})

    log = logger.info if delivery.status == "sent" else logger.error
    about = {"channel": channel, "revision": report.revision}
    log("digest", isoWeek=report.iso_week, **about, **asdict(delivery))
    db.transact(decide, path)
    return record


def _digest(stored: Document) -> DigestRecord | None:
    fields = stored.get("digest") if stored.exists else None
    return DigestRecord.from_firestore(fields) if isinstance(fields, Mapping) else None


def _claimed(path: str, claim: DigestRecord) -> bool:
    """Whether the message is ours to send."""
    is_ours = False

    def decide(transaction: db.Transaction) -> None:
        nonlocal is_ours
        stored = transaction[path]
        before = _digest(stored) or DigestRecord()
        if before.claim == claim.claim:  # ours; only the reply of the commit was lost
            is_ours = True
            return
        is_sent = (before.channel, before.revision) == (claim.channel, claim.revision)
        # A later run has stored a revision of its own, and sends that one's digest.
        is_current = stored.exists and stored["revision"] == claim.revision
        is_ours = is_current and not is_sent
        if is_ours:
            transaction.update(path, {"digest": claim.to_firestore()})

    db.transact(decide, path)
    return is_ours


def message(report: WeeklyReport) -> dict[str, Any]:
    """What is sent: `text` for a chat (in the format of Slack), and the same as data."""
    week = report.iso_week
    chosen = [each for each in report.anomalies if each.severity in SENT]
    lines = [f"*Weekly report {week}*", _escaped(headline(report)), _escaped(earned(report))]
    lines = [line for line in lines if line]
    lines += [f"• *{each.severity}*: {_escaped(each.message)}" for each in chosen[:MOST_ANOMALIES]]
    if len(chosen) > MOST_ANOMALIES:
        lines.append(f"… and {len(chosen) - MOST_ANOMALIES} more.")
    lines.append(f"<{link(week)}|Open the report>")
    return {
        "text": "\n".join(lines),
        "report": {
            "isoWeek": week,
            "revision": report.revision,
            "headline": headline(report),
            "totals": report.totals.to_firestore(),
            "revenue": [each.to_firestore() for each in report.revenue or ()],
            "liability": report.liability.to_firestore() if report.liability else None,
            "anomalies": [{name: getattr(each, name) for name in FIELDS_SENT} for each in chosen],
            "link": link(week),
        },
    }


def headline(report: WeeklyReport) -> str:
    """The week in one or two sentences."""
    totals, change = report.totals, report.deltas.get("requests", Delta()).last_week_change
    than = f" ({change:+.0%} on the week before)" if change is not None else ""
    parts = [f"{totals.requests:,} generations{than}"]
    if totals.success_rate is not None:
        parts.append(f"{totals.success_rate:.1%} successful")
    parts.append(f"{totals.credits_net:,} credits spent by {totals.active_users:,} users")
    return f"{', '.join(parts)}. {_findings(report)}"


def earned(report: WeeklyReport) -> str:
    """The money of the week in a sentence; empty where none came in and no credits are out."""
    net: dict[str, int] = {}
    for each in report.revenue or ():
        if not each.is_test:
            net[each.currency] = net.get(each.currency, 0) + each.net
    parts = []
    if net:
        sums = ", ".join(money.shown(amount, currency) for currency, amount in net.items())
        parts.append(f"Revenue {sums}, net of refunds and disputes")
    outstanding = report.liability
    if outstanding is not None and (outstanding.paid or outstanding.free):
        parts.append(f"{outstanding.paid:,} paid and {outstanding.free:,} free credits outstanding")
    return f"{'; '.join(parts)}." if parts else ""


def _findings(report: WeeklyReport) -> str:
    anomalies = report.anomalies
    if not anomalies:
        return "Nothing out of the ordinary."
    counts: dict[str, int] = {}
    for each in anomalies:
        counts[each.severity] = counts.get(each.severity, 0) + 1
    kinds = ", ".join(f"{number} {severity}" for severity, number in counts.items())
    return f"{len(anomalies)} {'anomaly' if len(anomalies) == 1 else 'anomalies'}: {kinds}."


def link(week: str) -> str:
    """The report in the console."""
    project = os.environ.get("GCLOUD_PROJECT", "")
    is_emulator = bool(os.environ.get("FIRESTORE_EMULATOR_HOST"))
    base = CONSOLE_IN_EMULATOR if is_emulator else f"https://{project}.web.app"
    return f"{base}/reports/{week}"


def _escaped(text: str) -> str:
    """Names come from users and must not become links or mentions."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
