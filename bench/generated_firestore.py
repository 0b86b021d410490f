"""A stand-in for Firestore that answers the weekly report about any number of requests.

    functions/venv/bin/python bench/generated_firestore.py REQUESTS     # prints its address

No emulator holds a million documents. This server makes each when it is asked for it: the requests
of one week, evenly spread, by a twentieth as many users, with the ledger that belongs to them. It
knows the queries of the report and nothing else.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import grpc
from google.cloud.firestore_v1 import types

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
WEEK_SECONDS = 7 * 86_400
READ_TIME = MONDAY + timedelta(days=8)
SERVICE = "/google.firestore.v1.Firestore/"
MODELS, STYLES = ("Model A", "Model B"), ("realistic", "anime", "oil painting", "sketch", "noir")
COLORS = ("vibrant", "monochrome", "pastel", "neon", "vintage")
SIZES = (("512x512", 1), ("1024x1024", 3), ("1024x1792", 4))
FAILED_ONE_IN, REQUESTS_OF_A_USER = 20, 20
MIX = 2_654_435_761  # Knuth's multiplicative hash, so that neighbors differ

Document = types.Document.pb()
RunQueryResponse = types.RunQueryResponse.pb()


class Requests:
    """The generated requests, by their place in the week."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._users = max(1, count // REQUESTS_OF_A_USER)

    def first_from(self, moment: float) -> int:
        """The first request that is created at that epoch second or later."""
        place = -int((MONDAY.timestamp() - moment) * self.count // WEEK_SECONDS)
        return min(self.count, max(0, place))

    @cached_property
    def sums(self) -> dict[str, tuple[int, int]]:
        """Count and credits of what the report's aggregations ask for."""
        prices = [SIZES[mix % 3][1] for mix in map(_mix, range(self.count))]
        refunded = prices[::FAILED_ONE_IN]
        everything = (self.count, sum(prices))
        failed = (len(refunded), sum(refunded))
        completed = (everything[0] - failed[0], everything[1] - failed[1])
        return {"all": everything, "completed": completed, "refund": failed, "none": (0, 0)}

    def document(self, place: int, parent: str) -> Any:
        """One request, with the fields that the report selects."""
        mix = _mix(place)
        size, credits = SIZES[mix % 3]
        created = MONDAY.timestamp() + place * WEEK_SECONDS / self.count
        document = Document(name=f"{parent}/generationRequests/{mix:016x}{place:016x}")
        fields = document.fields
        fields["userId"].string_value = f"user{mix // 7 % self._users:08}"
        fields["model"].string_value = MODELS[mix // 3 % 2]
        fields["style"].string_value = STYLES[mix // 11 % 5]
        fields["color"].string_value = COLORS[mix // 13 % 5]
        fields["size"].string_value = size
        fields["status"].string_value = "completed" if place % FAILED_ONE_IN else "failed"
        fields["credits"].integer_value = credits
        for name, when in (("createdAt", created), ("completedAt", created + 0.001)):
            fields[name].timestamp_value.FromNanoseconds(int(when * 1e6) * 1000)
        document.update_time.CopyFrom(fields["completedAt"].timestamp_value)
        return document


def _mix(place: int) -> int:
    return place * MIX % 2**32


class GeneratedFirestore:
    """Serves on `address`."""

    def __init__(self, count: int) -> None:
        self._requests = Requests(count)
        self._server = grpc.server(ThreadPoolExecutor(32))
        self._server.add_generic_rpc_handlers((_Handler(self),))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def batch_get_documents(self, data: bytes) -> Iterator[bytes]:
        """There are no reports yet, and no user is known."""
        for name in types.BatchGetDocumentsRequest.deserialize(data).documents:
            missing = types.BatchGetDocumentsResponse(missing=name, read_time=READ_TIME)
            yield types.BatchGetDocumentsResponse.serialize(missing)

    def commit(self, data: bytes) -> bytes:
        writes = types.CommitRequest.deserialize(data).writes
        results = [types.WriteResult(update_time=READ_TIME) for _ in writes]
        return bytes(
            types.CommitResponse.serialize(
                types.CommitResponse(write_results=results, commit_time=READ_TIME)
            )
        )

    def run_query(self, data: bytes) -> Iterator[bytes]:
        request = types.RunQueryRequest.deserialize(data)
        conditions = _conditions(request.structured_query)
        if not {("createdAt", ">="), ("createdAt", "<")} <= conditions.keys():
            nothing = types.RunQueryResponse(read_time=READ_TIME)
            yield types.RunQueryResponse.serialize(nothing)
            return
        first, end = (
            self._requests.first_from(conditions["createdAt", operator].timestamp())
            for operator in (">=", "<")
        )
        for place in range(first, end):
            document = self._requests.document(place, request.parent)
            yield RunQueryResponse(document=document).SerializeToString()

    def run_aggregation_query(self, data: bytes) -> Iterator[bytes]:
        query = types.RunAggregationQueryRequest.deserialize(data).structured_aggregation_query
        count, credits = self._requests.sums[_kind(query.structured_query)]
        fields = {"count": {"integer_value": count}}
        if len(query.aggregations) > 1:
            fields["credits"] = {"integer_value": credits}
        result = types.AggregationResult(aggregate_fields=fields)
        response = types.RunAggregationQueryResponse(result=result, read_time=READ_TIME)
        yield types.RunAggregationQueryResponse.serialize(response)


def _kind(query: types.StructuredQuery) -> str:
    """Which of `Requests.sums` an aggregation asks for."""
    conditions = _conditions(query)
    if query.from_[0].collection_id == "users" or ("completedAt", ">=") in conditions:
        return "none"  # nobody is new, and no request of an earlier week ends in this one
    kinds = {"completed": "completed", "refund": "refund"}
    asked = conditions.get(("status", "==")) or conditions.get(("type", "=="))
    return kinds.get(asked, "all") if isinstance(asked, str) else "all"


def _conditions(query: types.StructuredQuery) -> dict[tuple[str, str], Any]:
    """The values of the query's filters by field and operator."""
    operators = types.StructuredQuery.FieldFilter.Operator
    signs = {
        operators.EQUAL: "==",
        operators.LESS_THAN: "<",
        operators.GREATER_THAN_OR_EQUAL: ">=",
    }
    found: dict[tuple[str, str], Any] = {}
    for each in query.where.composite_filter.filters:
        value = each.field_filter.value
        key = (each.field_filter.field.field_path, signs.get(each.field_filter.op, "?"))
        found[key] = value.timestamp_value if "timestamp_value" in value else value.string_value
    return found


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, firestore: GeneratedFirestore) -> None:
        self._streamed = {
            "BatchGetDocuments": firestore.batch_get_documents,
            "RunQuery": firestore.run_query,
            "RunAggregationQuery": firestore.run_aggregation_query,
        }
        self._commit = firestore.commit

    def service(self, handler_call_details: Any) -> Any:
        rpc = handler_call_details.method.removeprefix(SERVICE)
        if rpc == "Commit":
            return grpc.unary_unary_rpc_method_handler(lambda data, _: self._commit(data))
        answer = self._streamed[rpc]
        return grpc.unary_stream_rpc_method_handler(lambda data, _: answer(data))


def main() -> None:
    served = GeneratedFirestore(int(sys.argv[1]))
    print(served.address, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
