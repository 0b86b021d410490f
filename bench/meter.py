"""The proxy before the Firestore emulator, which also notes what is billed beside documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.cloud.firestore_v1 import types
from support.proxy import FirestoreProxy


class Meter(FirestoreProxy):
    """Counts deletes and the reads of queries without documents, and names what is created."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.created: list[str] = []
        self.deleted = 0
        self.extra_reads = 0

    def forward(self, rpc: str, request: bytes, context: Any) -> Iterator[bytes]:
        if rpc == "Commit":
            for write in types.CommitRequest.deserialize(request).writes:
                self.deleted += "delete" in write
                if not write.update_mask and "update" in write:
                    self.created.append(write.update.name.partition("/documents/")[2])
        replies = list(super().forward(rpc, request, context))
        if rpc == "RunAggregationQuery":
            self.extra_reads += 1
        elif rpc == "RunQuery":
            documents = (types.RunQueryResponse.deserialize(each).document for each in replies)
            self.extra_reads += not any(each.name for each in documents)
        yield from replies
