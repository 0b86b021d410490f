"""`Store` on Cloud Firestore.

It hands protocol buffers to the public transport. The high-level client builds and takes apart
every message several times over, which was half of a call's processor time.
"""

import os
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import grpc
from google.api_core.gapic_v1 import routing_header
from google.api_core.grpc_helpers import wrap_errors
from google.cloud import firestore
from google.cloud.firestore_v1 import types
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport
from grpc.experimental import ChannelOptions

from imagegen.firestore.store import Create, Document, Query, Update
from imagegen.firestore.values import Value, decoded, encoded, field_path

# The plain protocol buffers beneath the client's own classes.
BatchGetRequest = types.BatchGetDocumentsRequest.pb()
CommitRequest = types.CommitRequest.pb()
RunQueryRequest = types.RunQueryRequest.pb()

_Operator = types.StructuredQuery.FieldFilter.Operator
OPERATORS = {
    "<": _Operator.LESS_THAN,
    "<=": _Operator.LESS_THAN_OR_EQUAL,
    "==": _Operator.EQUAL,
    ">=": _Operator.GREATER_THAN_OR_EQUAL,
    ">": _Operator.GREATER_THAN,
    "in": _Operator.IN,
}
CHANNEL_OPTIONS = [
    (ChannelOptions.SingleThreadedUnaryStream, 1),  # else every stream of results costs a thread
    ("grpc.keepalive_time_ms", 30_000),  # as the high-level client has it
]


def connect(client: firestore.Client) -> tuple[Any, str, list[tuple[str, str]]]:
    """A new channel to the database of `client` or its emulator, its name, each call's metadata."""
    database = f"projects/{client.project}/databases/(default)"
    metadata = [("google-cloud-resource-prefix", database)]
    emulator = os.environ.get("FIRESTORE_EMULATOR_HOST")
    if not emulator:
        return FirestoreGrpcTransport.create_channel(options=CHANNEL_OPTIONS), database, metadata
    metadata.append(("authorization", "Bearer owner"))  # the rules do not apply to us
    return grpc.insecure_channel(emulator, options=CHANNEL_OPTIONS), database, metadata


class FirestoreStore:
    """`Store` on the database of `client`, or its emulator, over a channel of its own.

    Nothing is sent twice from here: the transport is called, not the client above it, which tries
    again. A commit whose reply was lost must come back to the caller, who decides what it means.
    """

    def __init__(self, client: firestore.Client) -> None:
        self.client = client
        channel, self._database, self._metadata = connect(client)
        self._documents = f"{self._database}/documents/"
        transport = FirestoreGrpcTransport(channel=channel)
        self._batch_get = wrap_errors(transport.batch_get_documents)
        self._commit = wrap_errors(transport.commit)
        self._run_query = wrap_errors(transport.run_query)

    def read(self, paths: Sequence[str], timeout_seconds: float) -> list[Document]:
        request = BatchGetRequest(
            database=self._database, documents=[self._documents + path for path in paths]
        )
        replies = self._batch_get(
            types.BatchGetDocumentsRequest.wrap(request),
            timeout=timeout_seconds,
            metadata=self._routed(database=self._database),
        )
        found: dict[str, Document] = {}
        for reply in replies:
            message = types.BatchGetDocumentsResponse.pb(reply)
            match message.WhichOneof("result"):
                case "found":
                    document = self._document(message.found)
                    found[document.path] = document
                case "missing":
                    path = message.missing.removeprefix(self._documents)
                    found[path] = Document(path)
        return [found[path] for path in paths]

    def commit(self, writes: Sequence[Create | Update], timeout_seconds: float) -> list[datetime]:
        request = CommitRequest(database=self._database, writes=[self._write(w) for w in writes])
        reply = self._commit(
            types.CommitRequest.wrap(request),
            timeout=timeout_seconds,
            metadata=self._routed(database=self._database),
        )
        results = types.CommitResponse.pb(reply).write_results
        return [result.update_time.ToDatetime(UTC) for result in results]

    def query(self, query: Query, timeout_seconds: float) -> list[Document]:
        whole_name = self._documents + query.collection
        parent, _, collection = whole_name.rpartition("/")
        structured = _structured(query, collection, whole_name)
        request = RunQueryRequest(parent=parent, structured_query=structured)
        replies = self._run_query(
            types.RunQueryRequest.wrap(request),
            timeout=timeout_seconds,
            metadata=self._routed(parent=parent),
        )
        messages = map(types.RunQueryResponse.pb, replies)
        return [self._document(each.document) for each in messages if each.HasField("document")]

    def _routed(self, **resource: str) -> list[tuple[str, str]]:
        """Metadata by which Google's front end knows where to send a call."""
        return [*self._metadata, routing_header.to_grpc_metadata(resource)]

    def _document(self, message: Any) -> Document:
        return Document(
            message.name.removeprefix(self._documents),
            {name: decoded(value) for name, value in message.fields.items()},
            message.update_time.ToDatetime(UTC),
        )

    def _write(self, write: Create | Update) -> dict[str, Any]:
        fields = {
            name: encoded(value)
            for name, value in write.fields.items()
            if value is not firestore.DELETE_FIELD
        }
        message: dict[str, Any] = {
            "update": {"name": self._documents + write.path, "fields": fields},
            "current_document": {"exists": False},
        }
        if isinstance(write, Update):
            # A field that is in the mask and not in the document is deleted.
            message["update_mask"] = {"field_paths": [field_path(name) for name in write.fields]}
            message["current_document"] = {"update_time": write.update_time}
        return message


def _structured(query: Query, collection: str, whole_name: str) -> dict[str, Any]:
    """The fields of a StructuredQuery; `whole_name` is that of the collection."""
    structured: dict[str, Any] = {"from_": [{"collection_id": collection}]}
    if query.where:
        filters = [
            {
                "field_filter": {
                    "field": {"field_path": field_path(field)},
                    "op": OPERATORS[operator],
                    "value": encoded(value),
                }
            }
            for field, operator, value in query.where
        ]
        operator_and = types.StructuredQuery.CompositeFilter.Operator.AND
        structured["where"] = {"composite_filter": {"op": operator_and, "filters": filters}}
    if query.order_by is not None:
        field, direction = query.order_by
        structured["order_by"] = [
            {"field": {"field_path": path}, "direction": direction}
            for path in (field_path(field), "__name__")
        ]
        if query.start_after is not None:
            value, document_id = query.start_after
            last = Value(reference_value=f"{whole_name}/{document_id}")
            structured["start_at"] = {"values": [encoded(value), last], "before": False}
    if query.limit is not None:
        structured["limit"] = {"value": query.limit}
    return structured


_lock = threading.Lock()
_client: firestore.Client | None = None
_store: FirestoreStore | None = None


def client() -> firestore.Client:
    """The instance's one Firestore client, made when first asked for: all threads share it."""
    global _client  # noqa: PLW0603 - one channel per instance is the point
    with _lock:
        if _client is None:
            _client = firestore.Client(project=os.environ.get("GCLOUD_PROJECT"))
        return _client


def connection() -> FirestoreStore:
    """The instance's one store, likewise; it follows the client."""
    global _store  # noqa: PLW0603
    current = client()
    with _lock:
        if _store is None or _store.client is not current:
            _store = FirestoreStore(current)
        return _store
