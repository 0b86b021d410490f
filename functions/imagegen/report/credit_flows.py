"""Credits by kind: what came in, what was spent, what went.

What generations cost is in their requests, which the report reads anyway. All else is in ledger
entries, of which there is one for each purchase, grant, expiry and clawback of the week; each says
the kinds of the lots that it changed. Entries of releases before there were kinds count as
NO_KIND.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from imagegen import db
from imagegen.credits.entries import SIGNS, EntryType
from imagegen.firestore.store import Query
from imagegen.report.document import CreditsOfKind
from imagegen.report.numbers import NO_KIND, Tally
from imagegen.report.source import STREAM_TIMEOUT_SECONDS, Source
from imagegen.report.weeks import Week

# The field of CreditsOfKind that entries of a type add to.
FLOWS: Mapping[EntryType, str] = {
    EntryType.PURCHASE: "sold",
    EntryType.GRANT: "granted",
    EntryType.EXPIRY: "expired",
    EntryType.CLAWBACK: "clawed_back",
    EntryType.REINSTATEMENT: "reinstated",
}

ByKind = dict[str, dict[str, int]]  # kind -> field of CreditsOfKind -> credits


def of_week(week: Week, source: Source) -> ByKind:
    """What came in and went in the week, beside generations. Errors are google.api_core's."""
    wanted = query([*FLOWS], ("timestamp", ">=", week.start), ("timestamp", "<", week.end))

    def fold(_seconds: float) -> ByKind:
        found: ByKind = {}
        for entry in source.stream(wanted):
            name = FLOWS[EntryType(entry.fields["type"].string_value)]
            for kind, credits, _expires_at in parts(entry):
                of_kind = found.setdefault(kind, {})
                of_kind[name] = of_kind.get(name, 0) + credits
        return found

    return db.retry(fold, db.RETRYABLE_READ, STREAM_TIMEOUT_SECONDS)


def changes_since(moment: Any, source: Source) -> Mapping[str, int]:
    """By kind, how entries from `moment` on have changed what does not expire before it."""
    wanted = query([*EntryType], ("timestamp", ">=", moment))
    limit = moment.timestamp()

    def fold(_seconds: float) -> dict[str, int]:
        found: dict[str, int] = {}
        for entry in source.stream(wanted):
            sign = SIGNS[EntryType(entry.fields["type"].string_value)]
            for kind, credits, expires_at in parts(entry):
                if expires_at is None or expires_at > limit:
                    found[kind] = found.get(kind, 0) + sign * credits
        return found

    return db.retry(fold, db.RETRYABLE_READ, STREAM_TIMEOUT_SECONDS)


def query(types: list[EntryType], *within: tuple[str, str, Any]) -> Query:
    """Ledger entries of all users, in the order of the index that sums them by type, too."""
    return Query(
        "transactions",
        where=[("type", "in", [str(each) for each in types]), *within],
        order_by=("timestamp", "ASCENDING"),
        then_by="credits",
        select=["type", "credits", "timestamp", "lots"],
        in_group=True,
    )


def parts(entry: Any) -> Iterator[tuple[str, int, float | None]]:
    """Kind, credits and expiry (epoch seconds) of the parts of lots in a raw entry or request."""
    told = 0
    for value in entry.fields["lots"].array_value.values:
        fields = value.map_value.fields
        credits = fields["credits"].integer_value
        kind = fields["kind"].string_value
        expires_at = None
        if "expiresAt" in fields:
            stamp = fields["expiresAt"].timestamp_value
            expires_at = stamp.seconds + stamp.nanos / 1e9
        told += credits
        yield kind or NO_KIND, credits, expires_at
    whole = entry.fields["credits"].integer_value
    if told < whole:
        yield NO_KIND, whole - told, None


def by_kind(flows: ByKind, days: Mapping[str, Tally]) -> dict[str, CreditsOfKind]:
    """With what generations were charged and got back, by kind, in the order of their names."""
    found: ByKind = {kind: dict(names) for kind, names in flows.items()}
    for tally in days.values():
        for kind, (charged, refunded) in tally.kinds.items():
            of_kind = found.setdefault(kind, {})
            of_kind["charged"] = of_kind.get("charged", 0) + charged
            of_kind["refunded"] = of_kind.get("refunded", 0) + refunded
    return {kind: CreditsOfKind(**found[kind]) for kind in sorted(found)}
