"""The books once more when all is at rest, from nothing but the documents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from imagegen.firestore.store import Document
from simulation.books import OPEN, REFUNDED, Books
from simulation.world import Violation


def check_at_rest(documents: Mapping[str, Document], books: Books) -> None:
    """Every invariant over the whole store; raises Violation."""
    requests = _under("generationRequests/", documents)
    for request_id, request in requests.items():
        if request["status"] in OPEN:
            raise Violation(f"{request_id} is still {request['status']}")
    for user_id, account in books.accounts.items():
        user = documents[f"users/{user_id}"].fields or {}
        entries = _under(f"users/{user_id}/transactions/", documents)
        own = {each: r for each, r in requests.items() if r["userId"] == user_id}
        _check_ledger(user, entries, account.opening)
        _check_requests(own, entries)
        _check_usage(user, own)
        if user.get("inFlight"):
            raise Violation(f"places in flight are still taken: {user['inFlight']}")


def _under(prefix: str, documents: Mapping[str, Document]) -> dict[str, Mapping[str, Any]]:
    return {
        path.removeprefix(prefix): document.fields or {}
        for path, document in documents.items()
        if path.startswith(prefix)
    }


def _check_ledger(
    user: Mapping[str, Any], entries: Mapping[str, Mapping[str, Any]], opening: int
) -> None:
    balance = opening
    in_order = sorted(entries.values(), key=lambda entry: int(entry["sequence"]))
    for sequence, entry in enumerate(in_order, start=1):
        balance += {"deduction": -1, "refund": 1, "grant": 1}[entry["type"]] * entry["credits"]
        if (entry["sequence"], entry["balanceAfter"]) != (sequence, balance) or balance < 0:
            raise Violation(f"the ledger breaks at {entry}")
    if (user["credits"], user.get("ledgerSequence", 0)) != (balance, len(entries)):
        raise Violation(f"{user['credits']} credits; the ledger says {balance}")


def _check_requests(
    requests: Mapping[str, Mapping[str, Any]], entries: Mapping[str, Mapping[str, Any]]
) -> None:
    expected: dict[tuple[str, str], int] = {}
    for request_id, request in requests.items():
        expected[request_id, "deduction"] = request["credits"]
        if request["status"] in REFUNDED:
            expected[request_id, "refund"] = request["credits"]
    found = [
        ((entry["generationRequestId"], entry["type"]), entry["credits"])
        for entry in entries.values()
        if entry["type"] != "grant"
    ]
    if sorted(found) != sorted(expected.items()):
        raise Violation(f"entries {sorted(found)} for requests {sorted(expected.items())}")


def _check_usage(user: Mapping[str, Any], requests: Mapping[str, Mapping[str, Any]]) -> None:
    """What the user's document says was spent each day is what was charged and not given back."""
    days: dict[str, int] = {}
    for request in requests.values():
        if request["status"] == "completed":
            moment: datetime = request["createdAt"]
            day = moment.astimezone(UTC).date().isoformat()
            days[day] = days.get(day, 0) + request["credits"]
    weeks: dict[str, dict[str, int]] = {}
    for day, spent in days.items():
        year, week, _ = datetime.fromisoformat(day).isocalendar()
        of_week = weeks.setdefault(f"{year}-W{week:02d}", {"credits": 0, "busiestDay": 0})
        of_week["credits"] += spent
        of_week["busiestDay"] = max(of_week["busiestDay"], spent)
    usage = user.get("usage") or {"days": {}, "weeks": {}}
    if (usage["days"], usage["weeks"]) != (days, weeks):
        raise Violation(f"usage {usage}; the requests say {days}, {weeks}")
