"""The books once more when nothing runs any more, from the documents alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from imagegen.audit.findings import Account, findings
from imagegen.firestore.store import Document
from simulation.books import OPEN, Books
from simulation.world import EPOCH, Violation


def check_at_rest(documents: Mapping[str, Document], books: Books) -> None:
    """Every invariant over the whole store; raises Violation."""
    requests = _under("generationRequests/", documents)
    for request_id, request in requests.items():
        if request["status"] in OPEN:
            raise Violation(f"{request_id} is still {request['status']}")
    for user_id, account in books.accounts.items():
        document = documents.get(f"users/{user_id}")
        user = document.fields or {} if document else None
        entries = _under(f"users/{user_id}/transactions/", documents)
        own = {each: r for each, r in requests.items() if r["userId"] == user_id}
        audited = Account(user_id, user, entries, own)
        for finding in findings(audited, EPOCH, account.opening):  # none is open: any time will do
            raise Violation(f"{finding.user_id}: {finding.invariant}, {finding.message}")
        _check_usage(user or {}, own)
        if user and user.get("inFlight"):
            raise Violation(f"places in flight are still taken: {user['inFlight']}")


def _under(prefix: str, documents: Mapping[str, Document]) -> dict[str, Mapping[str, Any]]:
    return {
        path.removeprefix(prefix): document.fields or {}
        for path, document in documents.items()
        if path.startswith(prefix)
    }


def _check_usage(user: Mapping[str, Any], requests: Mapping[str, Mapping[str, Any]]) -> None:
    """The user document says of each day what was charged on it and not refunded."""
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
