"""The digest: one message to a webhook for every revision of a report.

The revision is claimed on the report before its message is sent, so of two runs, or of a run and
its repetition, one sends. Whoever dies in between leaves `sending` behind and nothing is sent:
rather no message than two. Whatever happens here, the report is stored and stays as it is.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from imagegen import clock, config, db, logger
from imagegen.report import webhook

Report = Mapping[str, Any]

TOLD = ("critical", "high", "medium")  # severities worth a message
MOST_ANOMALIES = 10
CONSOLE_IN_EMULATOR = "http://127.0.0.1:5000"


def send(report: Report) -> dict[str, Any]:
    """Tell the webhook, if there is one; the report, with a `digest` that says how it went.

    Never raises: a report does not fail because nobody could be told of it.
    """
    url = config.report_webhook_url()
    if not url:
        return dict(report)
    try:
        record = _send_once(url, report)
    except Exception as error:  # noqa: BLE001 - whatever it is, the report stands
        logger.error("digest not sent", isoWeek=report["isoWeek"], error=repr(error))
        return dict(report)
    return {**report, "digest": record} if record else dict(report)


def _send_once(url: str, report: Report) -> dict[str, Any] | None:
    """What is recorded of the delivery; None when somebody else has claimed the message."""
    path = f"reports/{report['isoWeek']}"
    # Of the URL, which is a secret, only a hash is stored.
    channel = hashlib.sha256(url.encode()).hexdigest()[:12]
    identity = {"channel": channel, "revision": report["revision"]}
    claim = {**identity, "status": "sending", "attempts": 0, "at": clock.now()}
    claim["claim"] = uuid.uuid4().hex
    if not _claimed(path, claim):
        return None
    delivery = webhook.deliver(url, message(report))
    record = {**identity, **asdict(delivery), "at": clock.now()}

    def decide(transaction: db.Transaction) -> None:
        stored = transaction[path]
        if stored.exists and (stored.get("digest") or {}).get("claim") == claim["claim"]:
            transaction.update(path, {"digest": record})

    log = logger.info if delivery.status == "sent" else logger.error
    log("digest", isoWeek=report["isoWeek"], **identity, **asdict(delivery))
    db.transact(decide, path)
    return record


def _claimed(path: str, claim: Mapping[str, Any]) -> bool:
    """Whether the message is ours to send."""
    is_ours = False

    def decide(transaction: db.Transaction) -> None:
        nonlocal is_ours
        stored = transaction[path]
        before = (stored.get("digest") or {}) if stored.exists else {}
        if before.get("claim") == claim["claim"]:  # ours; only the reply of the commit was lost
            is_ours = True
            return
        is_told = (before.get("channel"), before.get("revision")) == (
            claim["channel"],
            claim["revision"],
        )
        # A later run has stored a revision of its own, and tells of that.
        is_current = stored.exists and stored["revision"] == claim["revision"]
        is_ours = is_current and not is_told
        if is_ours:
            transaction.update(path, {"digest": dict(claim)})

    db.transact(decide, path)
    return is_ours


def message(report: Report) -> dict[str, Any]:
    """What is sent: `text` for a chat (in the format of Slack), and the same as data."""
    week = report["isoWeek"]
    told = [each for each in report["anomalies"] if each["severity"] in TOLD]
    lines = [f"*Weekly report {week}*", _escaped(headline(report))]
    lines += [
        f"• *{each['severity']}*: {_escaped(each['message'])}" for each in told[:MOST_ANOMALIES]
    ]
    if len(told) > MOST_ANOMALIES:
        lines.append(f"… and {len(told) - MOST_ANOMALIES} more.")
    lines.append(f"<{link(week)}|Open the report>")
    return {
        "text": "\n".join(lines),
        "report": {
            "isoWeek": week,
            "revision": report["revision"],
            "headline": headline(report),
            "totals": dict(report["totals"]),
            "anomalies": [
                {name: each[name] for name in ("id", "severity", "status", "metric", "message")}
                for each in told
            ],
            "link": link(week),
        },
    }


def headline(report: Report) -> str:
    """The week in one or two sentences."""
    totals, change = report["totals"], report["deltas"]["requests"]["lastWeekChange"]
    than = f" ({change:+.0%} on the week before)" if change is not None else ""
    rate = totals["successRate"]
    parts = [f"{totals['requests']:,} generations{than}"]
    if rate is not None:
        parts.append(f"{rate:.1%} successful")
    parts.append(f"{totals['creditsNet']:,} credits spent by {totals['activeUsers']:,} users")
    return f"{', '.join(parts)}. {_findings(report)}"


def _findings(report: Report) -> str:
    anomalies = report["anomalies"]
    if not anomalies:
        return "Nothing out of the ordinary."
    counts: dict[str, int] = {}
    for each in anomalies:
        counts[each["severity"]] = counts.get(each["severity"], 0) + 1
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
