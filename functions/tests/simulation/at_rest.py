"""The books once more when nothing runs any more, from the documents alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from imagegen import db
from imagegen.audit.findings import Account, findings, of_purchases
from imagegen.audit.purchases import Purchases
from imagegen.firestore.store import Document
from simulation.books import OPEN, Books
from simulation.lot_books import is_paid
from simulation.painters import Painters
from simulation.vendors import Vendors
from simulation.world import EPOCH, Violation, World

PAID_MODELS = ("Model C", "Model D")


def check_at_rest(
    world: World, documents: Mapping[str, Document], books: Books, painters: Painters
) -> None:
    """Every invariant over the whole store; raises Violation."""
    requests = _under("generationRequests/", documents)
    named = {entry.get("path") for entry in world.log}
    for request_id, request in requests.items():
        if request["status"] in OPEN:
            if not books.is_broken(request_id):
                raise Violation(f"{request_id} is still {request['status']}")
            if db.generation_request(request_id) not in named:
                raise Violation(f"{request_id} is malformed, and recovery has not named it")
        _check_image(request_id, request, painters)
    _check_audit(documents, requests, books)
    for user_id, account in books.accounts.items():
        user = _fields(documents, user_id)
        if user is not None and not account.broken:
            _check_debt(user_id, user)
        has_usage = not account.spoiled and user_id not in books.tombstones.values()
        if user is not None and has_usage and account.entries:
            _check_usage(user, account.entries)
        for request_id, until in _in_flight(user).items():
            is_edited = request_id in books.deleted or books.is_broken(request_id)
            if isinstance(until, datetime) and not is_edited:
                raise Violation(f"the place of {request_id} in flight is still taken")


def _check_image(request_id: str, request: Mapping[str, Any], painters: Painters) -> None:
    is_shown = request["status"] == "completed" and "imageDeletedAt" not in request
    if is_shown and painters.painting(request["imageUrl"]) is None:
        raise Violation(f"the image of {request_id} is no longer there")


def check_bills(documents: Mapping[str, Document], vendors: Vendors) -> None:
    """No request was paid for twice, and an image of a vendor once; raises Violation."""
    for request_id, request in _under("generationRequests/", documents).items():
        bills, model = vendors.billed[request_id], request.get("fallbackModel") or request["model"]
        if bills > 1:
            raise Violation(f"{request_id} was paid for {bills} times")
        if request["status"] == "completed" and (bills == 1) != (model in PAID_MODELS):
            raise Violation(f"an image of {model} was billed {bills} times")


def _check_audit(
    documents: Mapping[str, Document], requests: Mapping[str, Mapping[str, Any]], books: Books
) -> None:
    """The audit finds whatever was deleted or made malformed by hand, and nothing else."""
    expected = {db.generation_request(each) for each in books.deleted | books.unrefunded}
    expected |= {db.generation_request(each) for each in books.broken}
    found, purchases, followed = set(), _under("purchases/", documents), Purchases()
    for user_id, account in books.accounts.items():
        is_gone = _fields(documents, user_id) is None
        if account.orphaned or (account.entries if is_gone else account.broken):
            expected.add(db.user(user_id))
        entries = _under(f"users/{user_id}/transactions/", documents)
        own = {each: r for each, r in requests.items() if r["userId"] == user_id}
        bought = {each: p for each, p in purchases.items() if p.get("userId") == user_id}
        audited = Account(user_id, _fields(documents, user_id), entries, own, bought)
        opening = None if account.deleted else account.opening
        # None is open: any time will do.
        for finding in findings(audited, EPOCH, opening, followed):
            if finding.path not in expected and account.orphaned:
                continue  # the numbers of two accounts are mixed
            if finding.path not in expected:
                raise Violation(f"{finding.user_id}: {finding.invariant}, {finding.message}")
            found.add(finding.path)
    for finding in of_purchases(followed):
        raise Violation(f"{finding.user_id}: {finding.invariant}, {finding.message}")
    if found != expected:
        raise Violation(f"the audit did not find {expected - found}")


def _under(prefix: str, documents: Mapping[str, Document]) -> dict[str, Mapping[str, Any]]:
    return {
        path.removeprefix(prefix): document.fields or {}
        for path, document in documents.items()
        if path.startswith(prefix)
    }


def _fields(documents: Mapping[str, Document], user_id: str) -> Mapping[str, Any] | None:
    document = documents.get(db.user(user_id))
    return document.fields if document is not None else None


def _in_flight(user: Mapping[str, Any] | None) -> Mapping[str, Any]:
    places = (user or {}).get("inFlight")
    return places if isinstance(places, Mapping) else {}


def _check_debt(user_id: str, user: Mapping[str, Any]) -> None:
    """Nobody has both, paid credits and debt."""
    paid = [lot_id for lot_id, lot in user.get("lots", {}).items() if is_paid(lot)]
    if user.get("debt") and paid:
        raise Violation(f"{user_id} keeps {paid}, and owes {user['debt']}")


def _check_usage(user: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> None:
    """The user document says of each day what was charged on it and not refunded."""
    days: dict[str, int] = {}
    charged_on: dict[str, str] = {}
    for entry in entries:
        moment: datetime = entry["timestamp"]
        if entry["type"] == "deduction":
            charged_on[entry["generationRequestId"]] = moment.astimezone(UTC).date().isoformat()
        if entry["type"] in ("deduction", "refund"):
            day = charged_on[entry["generationRequestId"]]
            days[day] = days.get(day, 0) - entry["delta"]
    days = {day: spent for day, spent in days.items() if spent}
    weeks: dict[str, dict[str, int]] = {}
    for day, spent in days.items():
        year, week, _ = datetime.fromisoformat(day).isocalendar()
        of_week = weeks.setdefault(f"{year}-W{week:02d}", {"credits": 0, "busiestDay": 0})
        of_week["credits"] += spent
        of_week["busiestDay"] = max(of_week["busiestDay"], spent)
    usage = user.get("usage")
    if charged_on and usage != {"days": days, "weeks": weeks}:
        raise Violation(f"usage {usage}; the requests say {days}, {weeks}")
