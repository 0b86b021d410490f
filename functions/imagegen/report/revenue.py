"""The money of the week: purchases whose credits came in, by product and currency.

A refund or dispute counts with its purchase, however late it comes, as a failed generation counts
with its request: the report of the week shows it when it is made again. A purchase belongs to the
week in which its credits came in, so that it can be compared with the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from imagegen.firestore.store import Query
from imagegen.firestore.stored import MalformedDocument
from imagegen.purchases.purchase import PurchaseDocument
from imagegen.report.aggregations import Sum
from imagegen.report.document import Revenue
from imagegen.report.numbers import SAMPLES
from imagegen.report.source import Source
from imagegen.report.weeks import Week

FIELDS = ("productId", "currency", "isTest", "credits", "amount", "reversals")


@dataclass
class Taken:
    """The revenue of a week, and what was read for it."""

    rows: list[Revenue]
    credits: Sum  # purchases, and the credits that they brought
    unreadable: list[str] = field(default_factory=list)  # paths
    unreadable_count: int = 0


def of_week(week: Week, source: Source) -> Taken:
    """Reads each purchase of the week once; memory depends on products and currencies only.

    Errors are google.api_core's.
    """
    rows: dict[tuple[bool, str, str], Revenue] = {}
    taken, count, credits = Taken([], Sum(0, 0)), 0, 0
    for document in source.read(query(week)):
        purchase = PurchaseDocument(document)
        try:
            key = purchase.is_test, purchase.product_id, purchase.currency
            rows[key] = _with(rows.get(key), purchase)
        except MalformedDocument:
            taken.unreadable_count += 1
            taken.unreadable = sorted([*taken.unreadable, document.path])[:SAMPLES]
            continue
        count, credits = count + 1, credits + purchase.credits
    taken.rows = [rows[key] for key in sorted(rows)]
    taken.credits = Sum(count, credits)
    return taken


def query(week: Week) -> Query:
    """The purchases whose credits came in in the week."""
    return Query(
        "purchases",
        where=[("bookedAt", ">=", week.start), ("bookedAt", "<", week.end)],
        order_by=("bookedAt", "ASCENDING"),
        select=[*FIELDS, "bookedAt"],
    )


def _with(row: Revenue | None, purchase: PurchaseDocument) -> Revenue:
    """A row with one purchase more. Raises MalformedDocument."""
    before = row or Revenue(
        product_id=purchase.product_id, currency=purchase.currency, is_test=purchase.is_test
    )
    known, amount = purchase.reversals, purchase.amount
    refunded = known.refunded(amount)
    disputed = min(amount - refunded, known.disputed)
    return before.model_copy(
        update={
            "purchases": before.purchases + 1,
            "credits": before.credits + purchase.credits,
            "gross": before.gross + amount,
            "refunded": before.refunded + refunded,
            "disputed": before.disputed + disputed,
            "net": before.net + amount - refunded - disputed,
        }
    )
