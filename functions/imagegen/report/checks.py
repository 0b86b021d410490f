"""The report against itself: its numbers, Firestore's aggregations and the ledger must agree.

Everything is read as of one moment, so requests that settle while the report runs change nothing.
What is compared, count and credits each:

- the report's requests, and the completed ones, with aggregations over the same range;
- the report's charges with the ledger's deductions: both are written with one timestamp;
- the credits of the week's purchases with those that the ledger says came in with them;
- the balances that the liability was counted from with Firestore's sum of all;
- the ledger's refunds of the week with the requests refunded in it, the report's and those of
  earlier weeks: a refund has the `completedAt` of its request.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from imagegen.report.aggregations import Measured, Sum
from imagegen.report.document import Finding
from imagegen.report.liability import Outstanding
from imagegen.report.money import Money
from imagegen.report.numbers import SAMPLES, Tally
from imagegen.report.revenue import Taken

# check -> what is compared, in words: the report's side first
SIDES = {
    "requests": ("requests in the report", "requests counted by Firestore"),
    "completed": ("completed requests in the report", "completed ones counted by Firestore"),
    "ledgerDeductions": ("requests in the report", "deductions in the ledger"),
    "ledgerRefunds": ("requests refunded in the week", "refunds in the ledger"),
    "purchases": ("purchases booked in the week", "purchases in the ledger"),
    "balances": ("balances in the liability", "balances counted by Firestore"),
}


def finding(check: str, problem: str, message: str, **details: Any) -> Finding:
    """A finding with the severity of its problem."""
    severity = "warning" if problem in {"mismatch", "unavailable", "unreadable"} else "info"
    return Finding(check=check, problem=problem, severity=severity, message=message, **details)


def unreadable(check: str, what: str, paths: Iterable[str], count: int) -> Finding:
    """A finding that names the first of `count` documents, of which it says `what`."""
    first = sorted(paths)[:SAMPLES]
    named = ", ".join(first) + (", …" if count > len(first) else "")
    return finding(
        check, "unreadable", f"{count:,} {what}: {named}.", actual={"count": count}, paths=first
    )


def findings(days: Iterable[Tally], measured: Measured) -> list[Finding]:
    """Where two sources disagree or one is missing, in a fixed order."""
    total = Tally()
    for day in days:
        total.merge(day)
    numbers, sums = total.numbers, measured.sums
    charged = Sum(numbers.requests, numbers.credits_charged)
    completed = Sum(numbers.completed, total.credits_completed)
    return [
        *_compared("requests", charged, sums["requests"]),
        *_compared("completed", completed, sums["completed"]),
        *_compared("ledgerDeductions", charged, sums["ledgerDeductions"]),
        *_compared("ledgerRefunds", _refunded_in_week(total, measured), sums["ledgerRefunds"]),
        *_late(measured),
        *_undated(measured.undated),
        *[
            finding(
                "newUsers", "unavailable", f"New users of {date} could not be counted.", date=date
            )
            for date, number in measured.new_users.items()
            if number is None
        ],
    ]


def of_money(money: Money, measured: Measured) -> list[Finding]:
    """Where revenue, credits by kind or liability disagree with the ledger, or are missing."""
    found, taken, outstanding = list[Finding](), money.revenue, money.outstanding
    if money.flows is None:
        message = "Credits by kind could not be read."
        found.append(finding("creditsByKind", "unavailable", message))
    if money.liability is None:
        found.append(finding("liability", "unavailable", "The liability could not be counted."))
    if taken is None:
        found.append(finding("revenue", "unavailable", "Revenue could not be read."))
    else:
        found += _unread("revenue", "purchases are malformed and not part of revenue", taken)
        if not taken.unreadable_count:
            found += _compared("purchases", taken.credits, measured.sums["purchases"])
    if outstanding is not None:
        what = "accounts are malformed and not part of the liability"
        found += _unread("liability", what, outstanding)
        if not outstanding.unreadable_count:
            found += _compared("balances", outstanding.balances, money.balances)
    return found


def _unread(check: str, what: str, read: Taken | Outstanding) -> list[Finding]:
    if not read.unreadable_count:
        return []
    return [unreadable(check, what, read.unreadable, read.unreadable_count)]


def _refunded_in_week(total: Tally, measured: Measured) -> Sum | None:
    if measured.late is None:
        return None
    late = measured.late.refunded
    return Sum(total.refunds_in_week + late.count, total.credits_refunded_in_week + late.credits)


def _compared(check: str, ours: Sum | None, theirs: Sum | None) -> list[Finding]:
    left, right = SIDES[check]
    if ours is None or theirs is None:
        unread = right if theirs is None else left
        return [finding(check, "unavailable", f"Not checked: the {unread} could not be read.")]
    if ours == theirs:
        return []
    return [
        finding(
            check,
            "mismatch",
            f"{ours.count:,} {left} ({ours.credits:,} credits), "
            f"but {theirs.count:,} {right} ({theirs.credits:,} credits).",
            expected={"count": ours.count, "credits": ours.credits},
            actual={"count": theirs.count, "credits": theirs.credits},
        )
    ]


def _undated(paths: Sequence[str] | None) -> list[Finding]:
    if paths is None:
        return [finding("createdAt", "unavailable", "Requests without a time were not looked for.")]
    if not paths:
        return []
    what = "requests belong to no week, because their createdAt is no timestamp"
    return [unreadable("createdAt", what, paths, len(paths))]


def _late(measured: Measured) -> list[Finding]:
    """Requests of earlier weeks that ended in this one, perhaps after those weeks' reports."""
    check = "lateSettlements"
    if measured.late is None:
        return [finding(check, "unavailable", "Late settlements could not be counted.")]
    ended, refunded = measured.late.ended, measured.late.refunded
    if ended.count == 0:
        return []
    message = (
        f"{ended.count:,} requests of earlier weeks ended in this one, {refunded.count:,} of them "
        f"refunded ({refunded.credits:,} credits); a report made before that counts them as in "
        "flight until it is run again."
    )
    details = {
        "count": ended.count,
        "credits": ended.credits,
        "refunds": refunded.count,
        "creditsRefunded": refunded.credits,
    }
    return [finding(check, "late", message, actual=details)]
