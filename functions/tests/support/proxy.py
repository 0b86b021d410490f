"""A gRPC proxy before the Firestore emulator: it counts what passes, and does harm by schedule."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.cloud.firestore_v1 import types

SERVICE = "/google.firestore.v1.Firestore/"
STREAMED = {"BatchGetDocuments", "RunQuery", "RunAggregationQuery"}
ENDLESS = {"Listen", "Write"}


@dataclass(frozen=True)
class Fault:
    """Harm to one RPC: wait, then fail with `code`, before it is forwarded or after."""

    code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE
    reply_lost: bool = False  # forwarded and carried out; only the answer is replaced by the error
    delay_seconds: float = 0.0


@dataclass
class Traffic:
    """What has passed: RPCs by name, documents read and written, bytes both ways."""

    rpcs: Counter[str] = field(default_factory=Counter)
    documents_read: int = 0
    documents_written: int = 0
    bytes: int = 0

    @property
    def total_rpcs(self) -> int:
        return sum(self.rpcs.values())


class FirestoreProxy:
    """Serves on `address`; `fault_for(rpc name)` may answer with a Fault for the RPC at hand."""

    def __init__(self, target: str) -> None:
        self.traffic = Traffic()
        self.fault_for: Callable[[str], Fault | None] = lambda rpc: None
        self._lock = threading.Lock()
        self._channel = grpc.insecure_channel(target)
        self._server = grpc.server(ThreadPoolExecutor(max_workers=64))
        self._server.add_generic_rpc_handlers((_Handler(self),))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def stop(self) -> None:
        self._server.stop(grace=None).wait()
        self._channel.close()

    def reset(self) -> Traffic:
        """Start counting anew, without faults; the counts so far."""
        with self._lock:
            counted, self.traffic = self.traffic, Traffic()
            self.fault_for = lambda rpc: None
            return counted

    def lose_reply_to_commit(self) -> None:
        """Let the next commit be applied, and its reply be lost."""
        faults = iter([Fault(reply_lost=True)])
        self.fault_for = lambda rpc: next(faults, None) if rpc == "Commit" else None

    def forward(self, rpc: str, request: bytes, context: Any) -> Iterator[bytes]:
        fault = self.fault_for(rpc)
        self._count_request(rpc, request)
        if fault:
            time.sleep(fault.delay_seconds)
            if not fault.reply_lost:
                context.abort(fault.code, "refused by schedule")
        metadata = [(k, v) for k, v in context.invocation_metadata() if k != "user-agent"]
        call = self._channel.unary_stream(SERVICE + rpc)
        try:
            replies = list(call(request, metadata=metadata, timeout=context.time_remaining()))
        except grpc.RpcError as error:
            context.abort(error.code(), error.details())
        if fault:
            context.abort(fault.code, "reply lost by schedule")
        for reply in replies:
            self._count_reply(rpc, reply)
            yield reply

    def _count_request(self, rpc: str, request: bytes) -> None:
        with self._lock:
            self.traffic.rpcs[rpc] += 1
            self.traffic.bytes += len(request)
            if rpc == "Commit":
                writes = types.CommitRequest.deserialize(request).writes
                self.traffic.documents_written += len(writes)

    def _count_reply(self, rpc: str, reply: bytes) -> None:
        with self._lock:
            self.traffic.bytes += len(reply)
            if rpc == "BatchGetDocuments":
                message = types.BatchGetDocumentsResponse.deserialize(reply)
                self.traffic.documents_read += "found" in message or "missing" in message
            elif rpc == "RunQuery":
                message = types.RunQueryResponse.deserialize(reply)
                self.traffic.documents_read += "document" in message


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, proxy: FirestoreProxy) -> None:
        self._proxy = proxy

    def service(self, handler_call_details: Any) -> Any:
        rpc = handler_call_details.method.removeprefix(SERVICE)
        if rpc in ENDLESS:
            return None
        if rpc in STREAMED:
            return grpc.unary_stream_rpc_method_handler(
                lambda request, context: self._proxy.forward(rpc, request, context)
            )
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: next(self._proxy.forward(rpc, request, context))
        )
