"""What one operation costs at Firestore, ours beside the floor's, counted at the gRPC layer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from support.proxy import FirestoreProxy

import servers
import speed
from servers import SIDES

CALLS = (
    ("create", "createGenerationRequest", speed.order("user001")),
    ("create, failing", "createGenerationRequest", speed.order("user002")),
    ("refusal", "createGenerationRequest", speed.order("poor-user001")),
    ("getUserCredits", "getUserCredits", {"userId": "user003"}),
)


def costs() -> list[dict[str, Any]]:
    """RPCs, documents read and written, and bytes of each call; the floor knows no failure."""
    speed.seed_users()
    rows = []
    print(
        "\nCost of one call       ours: RPCs read written bytes    floor: RPCs read written bytes"
    )
    for name, function, body in CALLS:
        row: dict[str, Any] = {"what": name}
        failing = {"MOCK_FAILURE_RATE": "1"} if "failing" in name else {}
        for side in SIDES:
            if failing and side == "floor":
                continue
            with proxied() as proxy, servers.served(side, function, **failing) as port:
                servers.answer(port, body)  # loads the catalogue
                proxy.reset()
                servers.answer(port, body)
                seen = proxy.reset()
            row[side] = {
                "rpcs": seen.total_rpcs,
                "read": seen.documents_read,
                "written": seen.documents_written,
                "bytes": seen.bytes,
            }
        rows.append(row)
        cells = (
            row.get(side, dict.fromkeys(("rpcs", "read", "written", "bytes"), "-"))
            for side in SIDES
        )
        print(
            f"{name:20}" + "  ".join("".join(f"{v:>8}" for v in c.values()) for c in cells),
            flush=True,
        )
    return rows


@contextmanager
def proxied() -> Iterator[FirestoreProxy]:
    emulator = os.environ["FIRESTORE_EMULATOR_HOST"]
    proxy = FirestoreProxy(emulator)
    os.environ["FIRESTORE_EMULATOR_HOST"] = proxy.address
    try:
        yield proxy
    finally:
        os.environ["FIRESTORE_EMULATOR_HOST"] = emulator
        proxy.stop()
