"""Generation requests, streamed once in the order they were made, decoding only what is needed.

`Query.stream()` turns every field of every document into Python objects, which is where nine
tenths of its time goes. Here the query goes to the public low-level client with a projection, and
each message is read as the protocol buffer it is; and the channel hands messages over on the
reading thread instead of through another one (gRPC's SingleThreadedUnaryStream). Together that is
six to eight times faster (bench/report.py).

A stream that breaks off goes on after the last document it gave, so nothing counts twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from google.api_core import exceptions
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport
from google.cloud.firestore_v1.types import Cursor, RunQueryRequest, RunQueryResponse, Value
from google.cloud.firestore_v1.types import StructuredQuery as Q

from imagegen import db
from imagegen.errors import BackendUnavailable
from imagegen.firestore import client as firestore_client
from imagegen.report.metrics import DIMENSIONS, NO_VALUE, Request, Tally
from imagegen.report.weeks import Day

COLLECTION = "generationRequests"
FIELDS = ("userId", *DIMENSIONS, "status", "credits", "createdAt", "completedAt")
REFUNDED = frozenset(("failed", "canceled"))
STATUSES = frozenset(("pending", "processing", "completed", "failed", "canceled"))
LONGEST_VALUE = 100  # characters; what the catalogue allows
STREAM_TIMEOUT_SECONDS = 300.0
ATTEMPTS = 4  # in a row without a single document
FIRST_BACKOFF_SECONDS = 0.25


class Source:
    """Where requests are streamed from, all as of `read_time`: one channel, for any thread."""

    def __init__(self, read_time: datetime) -> None:
        self._channel, self._database, self._metadata = firestore_client.connect(db.client())
        self._api = FirestoreClient(transport=FirestoreGrpcTransport(channel=self._channel))
        self._read_time = read_time

    def close(self) -> None:
        self._channel.close()

    def documents(self, query: Q) -> Iterator[Any]:
        """The raw documents that match, in one streaming RPC."""
        request = RunQueryRequest(
            parent=f"{self._database}/documents",
            structured_query=query,
            read_time=self._read_time,
        )
        stream = self._api.run_query(
            request=request, metadata=self._metadata, timeout=STREAM_TIMEOUT_SECONDS
        )
        for response in stream:
            message = RunQueryResponse.pb(response)
            if message.HasField("document"):
                yield message.document


def tallies(days: Sequence[Day], source: Source, week_end: datetime) -> Iterator[tuple[Day, Tally]]:
    """The requests of consecutive days in one stream, folded; each day as soon as it is complete.

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
    query, last = _query(days), None
    failures = 0
    while True:
        try:
            for document in source.documents(query):
                last, failures = document, 0
                yield document
            return
        except (*db.OUT_OF_REACH, exceptions.Aborted) as error:
            failures += 1
            if failures == ATTEMPTS:
                raise BackendUnavailable("The week's requests cannot be read.") from error
            time.sleep(FIRST_BACKOFF_SECONDS * 2 ** (failures - 1))
            query = _query(days, after=last)


def _query(days: Sequence[Day], after: Any = None) -> Q:
    """The days' requests by createdAt and name, which the built-in index serves."""
    created_at = Q.FieldReference(field_path="createdAt")
    name = Q.FieldReference(field_path="__name__")
    bounds = [
        Q.Filter(field_filter=Q.FieldFilter(field=created_at, op=op, value=_timestamp(moment)))
        for op, moment in (
            (Q.FieldFilter.Operator.GREATER_THAN_OR_EQUAL, days[0].start),
            (Q.FieldFilter.Operator.LESS_THAN, days[-1].end),
        )
    ]
    query = Q(
        from_=[Q.CollectionSelector(collection_id=COLLECTION)],
        select=Q.Projection(fields=[Q.FieldReference(field_path=each) for each in FIELDS]),
        where=Q.Filter(
            composite_filter=Q.CompositeFilter(op=Q.CompositeFilter.Operator.AND, filters=bounds)
        ),
        order_by=[
            Q.Order(field=each, direction=Q.Direction.ASCENDING) for each in (created_at, name)
        ],
    )
    if after is not None:
        position = [Value.wrap(after.fields["createdAt"]), Value(reference_value=after.name)]
        query.start_at = Cursor(values=position, before=False)
    return query


def _timestamp(moment: datetime) -> Value:
    return Value(timestamp_value=moment)


def as_request(document: Any, week_end: float) -> Request:
    """The request in a raw document; what is missing or mistyped is replaced and marked.

    `week_end`, in epoch seconds, is a midnight: whole seconds decide what came before it.
    """
    fields = document.fields
    user_id = fields["userId"].string_value
    values = tuple([_label(fields[dimension].string_value) for dimension in DIMENSIONS])
    status = fields["status"].string_value
    credits = fields["credits"].integer_value
    readable = bool(user_id) and NO_VALUE not in values and credits > 0 and status in STATUSES
    changed = document.update_time
    return Request(
        id=document.name.rpartition("/")[2],
        user_id=user_id,
        values=values,
        status=status,
        credits=cast(int, max(0, credits)),
        refunded_in_week=status in REFUNDED
        and 0 < fields["completedAt"].timestamp_value.seconds < week_end,
        changed_at=changed.seconds * 1_000_000 + changed.nanos // 1000,
        readable=readable,
    )


@lru_cache(maxsize=1024)
def _label(value: str) -> str:
    """A value as the key of a map in a report, where some names are not allowed."""
    value = value[:LONGEST_VALUE] or NO_VALUE
    return f"({value})" if value.startswith("__") else value
