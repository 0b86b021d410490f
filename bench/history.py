"""Whether getUserCredits stays as quick as a history grows: a page of 20, and all of it."""

from __future__ import annotations

import time
from typing import Any

import load
import servers
import speed

HISTORIES = (0, 100, 5000)


def flatness() -> list[dict[str, Any]]:
    client = servers.fresh_database()
    for entries in HISTORIES:
        speed.add_user(client, f"user-{entries}", entries)
    rows: list[dict[str, Any]] = []
    with servers.served("ours", "getUserCredits") as port:
        for page_size in (20, None):
            for entries in HISTORIES:
                body = {"userId": f"user-{entries}"} | (
                    {"pageSize": page_size} if page_size else {}
                )
                sample = load.run(port, 1, 3, lambda client, count, body=body: body)  # type: ignore[misc]
                row = {"entries": entries, "pageSize": page_size, "p50": sample.percentile(0.5)}
                rows.append(row)
                print(f"{entries:6} entries, page {page_size or 'whole':>5}: {row['p50']:7.1f} ms")
                time.sleep(0.2)
    return rows
