"""Generation requests, streamed once in the order of their creation, decoded as far as needed.

The query has a projection, and each message is read as the protocol buffer it is; gRPC hands
messages over on the reading thread instead of through another one (`firestore.client`). Together
that is six to eight times faster than `Query.stream()` of the high-level client, which turns every
field of every document into Python objects (bench/report.py).

A stream that breaks off is resumed after the last document received, so nothing counts twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, cast

from imagegen import db
from imagegen.errors import BackendUnavailable
from imagegen.firestore.store import MAX_ID_BYTES, Query
from imagegen.firestore.values import instant
from imagegen.report.numbers import (
    DIMENSIONS,
    MOST_CREDITS,
    NO_KIND,
    NO_VALUE,
    REFUNDED,
    STATUSES,
    Request,
    Tally,
)
from imagegen.report.source import Source
from imagegen.report.weeks import Day

COLLECTION = "generationRequests"
FIELDS = ("userId", *DIMENSIONS, "status", "credits", "createdAt", "completedAt", "lots")
LONGEST_VALUE = 100  # characters; what the catalogue allows
ATTEMPTS = 4  # in a row without a single document
FIRST_BACKOFF_SECONDS = 0.25
MOST_UNDATED = 100
# What Firestore can hold as a timestamp.
EARLIEST, LATEST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def tallies(days: Sequence[Day], source: Source, week_end: datetime) -> Iterator[tuple[Day, Tally]]:
    """The requests of consecutive days, in one stream; each day's tally as soon as it is complete.

    Raises BackendUnavailable when they cannot all be read.
    """
    stream, end = _stream(days, source), week_end.timestamp()
    document = next(stream, None)
    for day in days:
        tally, day_end = Tally(), day.end.timestamp()
        while document is not None and _created_at(document) < day_end:
            tally.count(as_request(document, end))
            document = next(stream, None)
        yield day, tally


def _created_at(document: Any) -> int:
    """In whole epoch seconds, as days end at whole seconds."""
    return cast(int, document.fields["createdAt"].timestamp_value.seconds)


def _stream(days: Sequence[Day], source: Source) -> Iterator[Any]:
    last = None
    failures = 0
    while True:
        try:
            for document in source.stream(_query(days, after=last)):
                last, failures = document, 0
                yield document
            return
        except db.RETRYABLE_READ as error:
            failures += 1
            if failures == ATTEMPTS:
                raise BackendUnavailable("The week's requests cannot be read.") from error
            time.sleep(FIRST_BACKOFF_SECONDS * 2 ** (failures - 1))


def undated(source: Source) -> list[str]:
    """Paths of the requests whose createdAt is no timestamp: no report would ever count them.

    At most MOST_UNDATED from either side of all timestamps in Firestore's order of types. Requests
    without the field are in no such index; the audit finds them. Errors are google.api_core's.
    """
    sides: list[tuple[str, datetime]] = [("DESCENDING", EARLIEST), ("ASCENDING", LATEST)]
    found = []
    for direction, edge in sides:
        query = Query(
            COLLECTION,
            order_by=("createdAt", direction),
            limit=MOST_UNDATED,
            start_after=(edge, "0"),
            select=["createdAt"],
        )
        documents = source.stream(query)
        kinds = ((each, each.fields["createdAt"].WhichOneof("value_type")) for each in documents)
        found += [f"{COLLECTION}/{_id(each)}" for each, kind in kinds if kind != "timestamp_value"]
    return sorted(found)


def _query(days: Sequence[Day], after: Any) -> Query:
    """The days' requests by createdAt and id, which the built-in index serves."""
    start_after = None
    if after is not None:
        created_at = instant(after.fields["createdAt"].timestamp_value)
        start_after = (created_at, _id(after))
    return Query(
        COLLECTION,
        where=[("createdAt", ">=", days[0].start), ("createdAt", "<", days[-1].end)],
        order_by=("createdAt", "ASCENDING"),
        start_after=start_after,
        select=FIELDS,
    )


def _id(document: Any) -> str:
    return cast(str, document.name.rpartition("/")[2])


def as_request(document: Any, week_end: float) -> Request:
    """The request in a raw document; what is missing or of another type is replaced and marked.

    `week_end`, in epoch seconds, is a midnight: whole seconds decide what came before it.
    """
    fields = document.fields
    user_id = fields["userId"].string_value
    if len(user_id) > MAX_ID_BYTES:
        user_id = ""
    values = tuple([_label(fields[dimension].string_value) for dimension in DIMENSIONS])
    status = fields["status"].string_value
    credits = fields["credits"].integer_value or _whole(fields["credits"].double_value)
    if not 0 < credits <= MOST_CREDITS:
        credits = 0
    readable = bool(user_id) and NO_VALUE not in values and credits > 0 and status in STATUSES
    changed = document.update_time
    return Request(
        id=_id(document),
        user_id=user_id,
        values=values,
        status=status,
        credits=cast(int, credits),
        refunded_in_week=status in REFUNDED
        and 0 < fields["completedAt"].timestamp_value.seconds < week_end,
        kinds=_kinds(fields["lots"].array_value.values, cast(int, credits)),
        changed_at=changed.seconds * 1_000_000 + changed.nanos // 1000,
        readable=readable,
    )


def _kinds(parts: Any, credits: int) -> tuple[tuple[str, int], ...]:
    """The kinds of the parts that `credits` consist of; unknown where they do not add up to it."""
    found = []
    for part in parts:
        fields = part.map_value.fields
        found.append((fields["kind"].string_value or NO_KIND, fields["credits"].integer_value))
    if sum(each for _, each in found) != credits:
        return ((NO_KIND, credits),) if credits else ()
    return tuple(found)


def _whole(double: float) -> int:
    """20.0 as JavaScript and Dart write a whole number; 0 for what is none."""
    return int(double) if double.is_integer() else 0


@lru_cache(maxsize=1024)
def _label(value: str) -> str:
    """A value as the key of a map in a report, where some names are not allowed."""
    value = value[:LONGEST_VALUE] or NO_VALUE
    return f"({value})" if value.startswith("__") else value
