"""The liability: the credits that users could still spend when the week ended, by kind.

Nothing that is stored says so for a moment in the past. The lots of all users as they are now are
added up, without those that had expired by the end of the week, and what ledger entries have
changed since then is taken off again. Entries never change, so it does not matter when this is
done. It costs a read for each user and for each entry since the end of the week, which on schedule
is an hour's; a report that is made again keeps the number of the first.

Two things are not in the ledger and would show: a balance that was edited by hand since, and an
allowance that has rolled over under another ALLOWANCE_ROLLOVER.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from imagegen import config
from imagegen.credits.lots import PAID, Kind, Lot
from imagegen.credits.user import UserDocument
from imagegen.errors import AccountUnusable
from imagegen.firestore.store import PATH, Query
from imagegen.report import credit_flows
from imagegen.report.aggregations import Sum
from imagegen.report.document import Liability
from imagegen.report.numbers import NO_KIND, SAMPLES
from imagegen.report.source import Source

USERS = Query("users", order_by=(PATH, "ASCENDING"), select=["credits", "lots"])


@dataclass
class Outstanding:
    """The liability, and what was read for it: users, and the sum of their balances."""

    liability: Liability
    balances: Sum
    unreadable: list[str] = field(default_factory=list)  # paths
    unreadable_count: int = 0


def at(moment: datetime, source: Source) -> Outstanding:
    """What could be spent at `moment`, which is past. Errors are google.api_core's."""
    found: dict[str, int] = {}
    outstanding = Outstanding(Liability(), Sum(0, 0))
    count, credits = 0, 0
    for document in source.read(USERS):
        user = UserDocument(document)
        try:
            held = user.held_lots
        except AccountUnusable:
            outstanding.unreadable_count += 1
            outstanding.unreadable = sorted([*outstanding.unreadable, document.path])[:SAMPLES]
            continue
        count, credits = count + 1, credits + user.credits
        for kind, part in _unexpired(held, moment):
            found[kind] = found.get(kind, 0) + part
    for told, change in credit_flows.changes_since(moment, source).items():
        # A release without lots knows `credits` only, and what it adds is in the lot `opening`.
        kind = Kind.OPENING if told == NO_KIND else told
        found[kind] = found.get(kind, 0) - change
    by_kind = {kind: found[kind] for kind in sorted(found) if found[kind]}
    paid = sum(by_kind.get(kind, 0) for kind in PAID)
    outstanding.liability = Liability(paid=paid, free=sum(by_kind.values()) - paid, by_kind=by_kind)
    outstanding.balances = Sum(count, credits)
    return outstanding


def _unexpired(held: Iterable[Lot], moment: datetime) -> Iterable[tuple[str, int]]:
    """Kind and credits of what had not expired by `moment`, or rolls over when its user comes."""
    rolls_over = config.ALLOWANCE_ROLLOVER.value
    for lot in held:
        if not lot.is_expired(moment):
            yield lot.kind, lot.credits
        elif lot.kind is Kind.ALLOWANCE:
            part = min(rolls_over, lot.credits)
            rolls_over -= part
            yield lot.kind, part
