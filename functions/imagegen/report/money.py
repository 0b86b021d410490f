"""Revenue, credits by kind and liability of a week, read beside its requests.

Each part that cannot be read is None, and becomes a finding in the report.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from imagegen.firestore.store import Query
from imagegen.report import credit_flows, liability, revenue
from imagegen.report.aggregations import Sum, outcome, sum_of
from imagegen.report.credit_flows import ByKind
from imagegen.report.document import Liability
from imagegen.report.liability import Outstanding
from imagegen.report.revenue import Taken
from imagegen.report.source import Source
from imagegen.report.weeks import Week


@dataclass(frozen=True)
class Money:
    """What was read; None where it could not be.

    `known` is the liability as an earlier run of this report has counted it.
    """

    revenue: Taken | None
    flows: ByKind | None
    outstanding: Outstanding | None
    balances: Sum | None  # of all users, as Firestore counts and sums them
    known: Liability | None

    @property
    def liability(self) -> Liability | None:
        if self.known is not None:
            return self.known
        return self.outstanding.liability if self.outstanding is not None else None


def start(
    week: Week, source: Source, executor: Executor, known: Liability | None
) -> Callable[[], Money]:
    """Begin to read; the result waits for it. A liability that is `known` is not counted again."""
    taken = executor.submit(revenue.of_week, week, source)
    flows = executor.submit(credit_flows.of_week, week, source)
    outstanding = balances = None
    if known is None:
        outstanding = executor.submit(liability.at, week.end, source)
        balances = executor.submit(sum_of, Query("users"), source)

    def money() -> Money:
        return Money(
            revenue=outcome("revenue", taken),
            flows=outcome("creditsByKind", flows),
            outstanding=outcome("liability", outstanding) if outstanding else None,
            balances=outcome("balances", balances) if balances else None,
            known=known,
        )

    return money
