"""`Store` on Cloud Firestore, and what the report needs beyond it: streams and aggregations.

It hands protocol buffers to gRPC. The high-level client builds and takes apart every message
several times over, which was half of a call's processor time, and nine tenths of the report's; the
transport below it still wraps each message, of which a page of a history has one for each entry.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import grpc
from google.api_core.gapic_v1 import routing_header
from google.api_core.grpc_helpers import wrap_errors
from google.cloud import firestore
from google.cloud.firestore_v1 import types
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport
from grpc.experimental import ChannelOptions

from imagegen import config
from imagegen.firestore.queries import structured_query
from imagegen.firestore.store import Delete, Document, Query, Update, Write
from imagegen.firestore.values import decoded, encode, field_path, instant, write_instant

SERVICE = "/google.firestore.v1.Firestore/"
# The plain protocol buffers beneath the client's own classes.
BatchGetRequest = types.BatchGetDocumentsRequest.pb()
BatchGetReply = types.BatchGetDocumentsResponse.pb()
CommitRequest = types.CommitRequest.pb()
CommitReply = types.CommitResponse.pb()
RunAggregationQueryRequest = types.RunAggregationQueryRequest.pb()
RunAggregationQueryReply = types.RunAggregationQueryResponse.pb()
RunQueryRequest = types.RunQueryRequest.pb()
RunQueryReply = types.RunQueryResponse.pb()

CHANNEL_OPTIONS = [
    (ChannelOptions.SingleThreadedUnaryStream, 1),  # else every stream of results costs a thread
    ("grpc.keepalive_time_ms", 30_000),  # as the high-level client has it
]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Documents, and the moment at which they were as they are here."""

    documents: list[Document]
    read_time: datetime


class FirestoreStore:
    """`Store` on the database of `client`, or its emulator, over a channel of its own.

    Nothing is sent twice from here: gRPC is called, not the client above it, which tries again. A
    commit whose reply was lost must come back to the caller, who decides what it means; and a
    stream that broke off must not start again from its beginning.
    """

    def __init__(self, client: firestore.Client) -> None:
        self.client = client
        self._database = f"projects/{client.project}/databases/{config.FIRESTORE_DATABASE.value}"
        self._documents = f"{self._database}/documents/"
        self._metadata = [("google-cloud-resource-prefix", self._database)]
        emulator = os.environ.get("FIRESTORE_EMULATOR_HOST")
        if emulator:
            self._channel = grpc.insecure_channel(emulator, options=CHANNEL_OPTIONS)
            self._metadata.append(("authorization", "Bearer owner"))  # the rules do not apply to us
        else:
            self._channel = FirestoreGrpcTransport.create_channel(options=CHANNEL_OPTIONS)
        self._to_database = self._routed(database=self._database)
        stream, unary = self._channel.unary_stream, self._channel.unary_unary
        self._batch_get = _method(stream, "BatchGetDocuments", BatchGetReply)
        self._commit = _method(unary, "Commit", CommitReply)
        self._run_aggregation_query = _method(
            stream, "RunAggregationQuery", RunAggregationQueryReply
        )
        self._run_query = _method(stream, "RunQuery", RunQueryReply)

    def close(self) -> None:
        """Close the channel; calls and streams that are still open end with Cancelled."""
        self._channel.close()

    def read(self, paths: Sequence[str], timeout_seconds: float) -> list[Document]:
        return self.snapshot(paths, timeout_seconds).documents

    def snapshot(
        self,
        paths: Sequence[str],
        timeout_seconds: float,
        *,
        select: Sequence[str] | None = None,
        read_time: datetime | None = None,
    ) -> Snapshot:
        """The documents at `paths` as of `read_time`, or of now.

        `select` has the field paths that they come with, dots between the names; None: all.
        """
        request = BatchGetRequest(
            database=self._database,
            documents=[self._documents + path for path in paths],
            mask=None if select is None else {"field_paths": select},
            read_time=read_time,
        )
        replies = self._batch_get(
            request,
            timeout=timeout_seconds,
            metadata=self._to_database,
        )
        found: dict[str, Document] = {}
        for message in replies:
            match message.WhichOneof("result"):
                case "found":
                    document = self.document(message.found)
                    found[document.path] = document
                case "missing":
                    path = message.missing.removeprefix(self._documents)
                    found[path] = Document(path)
        return Snapshot([found[path] for path in paths], instant(message.read_time))

    def commit(self, writes: Sequence[Write], timeout_seconds: float) -> list[datetime]:
        request = CommitRequest(database=self._database)
        for write in writes:
            self._write(request.writes.add(), write)
        reply = self._commit(
            request,
            timeout=timeout_seconds,
            metadata=self._to_database,
        )
        return [instant(result.update_time) for result in reply.write_results]

    def query(self, query: Query, timeout_seconds: float) -> list[Document]:
        return [self.document(each) for each in self.stream(query, timeout_seconds)]

    def stream(
        self, query: Query, timeout_seconds: float, *, read_time: datetime | None = None
    ) -> Iterator[Any]:
        """The documents that match, one by one, as the protocol buffers that came.

        For those who read many and need little of each: turning all of it into Python objects
        takes longer than receiving it. As there are never more than a few in memory, there may be
        any number.
        """
        parent, structured = structured_query(query, self._documents)
        request = RunQueryRequest(parent=parent, structured_query=structured, read_time=read_time)
        replies = self._run_query(
            request,
            timeout=timeout_seconds,
            metadata=self._routed(parent=parent),
        )
        for reply in replies:
            if reply.HasField("document"):
                yield reply.document

    def document(self, message: Any) -> Document:
        """The whole of what `stream` yields, as Python objects."""
        return Document(
            message.name.removeprefix(self._documents),
            {name: decoded(value) for name, value in message.fields.items()},
            instant(message.update_time),
        )

    def aggregate(
        self,
        query: Query,
        sums: Sequence[str],
        timeout_seconds: float,
        *,
        read_time: datetime | None = None,
    ) -> dict[str, Any]:
        """The number of documents that match, as "count", and the sum of each field in `sums`.

        Firestore takes four sums beside the count, at most.
        """
        parent, structured = structured_query(query, self._documents)
        aggregations: list[dict[str, Any]] = [{"alias": "count", "count": {}}]
        for name in sums:
            aggregations.append({"alias": name, "sum": {"field": {"field_path": field_path(name)}}})
        request = RunAggregationQueryRequest(
            parent=parent,
            structured_aggregation_query={
                "structured_query": structured,
                "aggregations": aggregations,
            },
            read_time=read_time,
        )
        replies = self._run_aggregation_query(
            request,
            timeout=timeout_seconds,
            metadata=self._routed(parent=parent),
        )
        found: dict[str, Any] = {}
        for reply in replies:
            for name, value in reply.result.aggregate_fields.items():
                found[name] = decoded(value)
        return found

    def _routed(self, **resource: str) -> list[tuple[str, str]]:
        """Metadata by which Google's front end knows where to send a call."""
        return [*self._metadata, routing_header.to_grpc_metadata(resource)]

    def _write(self, message: Any, write: Write) -> None:
        """Write `write` into its protocol buffer, which is empty."""
        if isinstance(write, Delete):
            message.delete = self._documents + write.path
            write_instant(message.current_document.update_time, write.update_time)
            return
        document = message.update
        document.name = self._documents + write.path
        for name, value in write.fields.items():
            if value is not firestore.DELETE_FIELD:
                encode(document.fields[name], value)
        if isinstance(write, Update):
            # A field that is in the mask and not in the document is deleted.
            message.update_mask.field_paths.extend(map(field_path, write.fields))
            write_instant(message.current_document.update_time, write.update_time)
        else:
            message.current_document.exists = False


def _method(kind: Any, name: str, reply: Any) -> Any:
    """A method of Firestore's, whose errors are google.api_core's."""
    method = kind(
        SERVICE + name,
        request_serializer=lambda request: request.SerializeToString(),
        response_deserializer=reply.FromString,
    )
    return wrap_errors(method)


_lock = threading.Lock()
_client: firestore.Client | None = None
_store: FirestoreStore | None = None


def client() -> firestore.Client:
    """The instance's one Firestore client, made when first asked for: all threads share it."""
    global _client  # noqa: PLW0603 - one channel per instance is the point
    with _lock:
        if _client is None:
            _client = firestore.Client(
                project=os.environ.get("GCLOUD_PROJECT"), database=config.FIRESTORE_DATABASE.value
            )
        return _client


def connection() -> FirestoreStore:
    """The instance's one store, likewise; it follows the client."""
    global _store  # noqa: PLW0603
    current = client()
    with _lock:
        if _store is None or _store.client is not current:
            _store = FirestoreStore(current)
        return _store
