"""What the backend costs, from counted operations: the tables of docs/costs.md.

make costs, or functions/venv/bin/python bench/costs.py            # writes the page's tables
functions/venv/bin/python bench/costs.py --check                   # exits with 1 if they differ
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / each) for each in ("functions", "tools", "functions/tests")]

import ceilings
import month
import servers
from counter import Usage, counter
from month import dollars, seconds_alone
from operations import counted
from prices import AS_OF, PRICES
from stored_size import document_bytes

PAGE = ROOT / "docs" / "costs.md"
SHARDS = 10  # of a balance kept as a sharded counter
Table = Iterator[str]


def main() -> int:
    with servers.emulator(), counter() as on:
        used = counted(on)
    written = PAGE.read_text()
    page = updated(written, used)
    if "--check" not in sys.argv:
        PAGE.write_text(page)
        return 0
    difference = difflib.unified_diff(written.splitlines(), page.splitlines(), lineterm="", n=0)
    print("\n".join(difference))
    return int(page != written)


def updated(page: str, used: Mapping[str, Usage]) -> str:
    """The page with its tables written anew. Raises ValueError when a marker is missing."""
    parts: dict[str, Callable[[], Iterable[str]]] = {
        "operations": lambda: operations(used),
        "generations": lambda: generations(used),
        "month": lambda: month.table(used),
        "designs": lambda: designs(used),
        "ceilings": ceilings.tables,
        "prices": prices,
    }
    for name, lines in parts.items():
        start, end = f"<!-- {name}: written by `make costs` -->", f"<!-- end of {name} -->"
        before, opened, rest = page.partition(start)
        _, closed, after = rest.partition(end)
        if not opened or not closed:
            raise ValueError(f"docs/costs.md needs the markers `{start}` and `{end}`")
        page = before + "\n".join([start, "", *lines(), "", end]) + after
    return page


def operations(used: Mapping[str, Usage]) -> Table:
    """What one of each uses."""
    yield "| one | RPCs | reads | writes | deletes | calls | task operations | sent | stored |"
    yield "| --- | --: | --: | --: | --: | --: | --: | --: | --: |"
    for name, each in used.items():
        counts = each.rpcs, each.reads, each.writes, each.deletes, each.invocations
        sizes = each.sent_bytes, each.stored_bytes
        cells = [f"{number:,.0f}" for number in (*counts, each.task_operations, *sizes)]
        yield f"| {name} | " + " | ".join(cells) + " |"


def generations(used: Mapping[str, Usage]) -> Table:
    """What a thousand generations cost, each alone on its instance."""
    yield (
        "| 1,000 × | reads | writes | deletes | tasks | function seconds | stored MB | sent MB "
        "| Firestore | functions | tasks and network | total |"
    )
    yield "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |"
    for name, each in used.items():
        if "generation" not in name.split(",")[0] or "page" in name or "status" in name:
            continue
        total = each * 1000
        cost = dollars(month.amounts(total))
        counts = total.reads, total.writes, total.deletes, total.task_operations / 2
        cells = [f"{number:,.0f}" for number in (*counts, seconds_alone(total))]
        cells += [f"{size / 1e6:.1f}" for size in (total.stored_bytes, total.sent_bytes)]
        firestore = month.firestore(cost)
        functions = month.functions(cost)
        rest = sum(cost.values()) - firestore - functions
        cells += [f"${each:.4f}" for each in (firestore, functions, rest, sum(cost.values()))]
        yield f"| {name} | " + " | ".join(cells) + " |"


def designs(used: Mapping[str, Usage]) -> Table:
    """Firestore's part of a thousand generations beside other designs."""
    ours, keyed = used["generation"], used["generation, with an idempotency key"]
    key = {"generationRequestId": "0" * 32, "fingerprint": "0" * 64, "expireAt": 0}
    rows = {
        "this one": ours,
        "this one, with an idempotency key": keyed,
        "the floor: no key, no refund, no recovery, no limits": used["the floor's generation"],
        f"a balance in {SHARDS} sharded counters": replace(ours, reads=ours.reads + SHARDS - 1),
        "a table of idempotency keys": replace(
            ours,
            reads=ours.reads + 1,
            writes=ours.writes + 1,
            deletes=ours.deletes + 1,
            stored_bytes=ours.stored_bytes + document_bytes("keys/" + "0" * 64, key),
        ),
    }
    yield "| 1,000 generations | reads | writes | deletes | stored MB | Firestore |"
    yield "| --- | --: | --: | --: | --: | --: |"
    for name, each in rows.items():
        total = each * 1000
        cost = month.firestore(dollars(month.amounts(total)))
        counts = [f"{number:,.0f}" for number in (total.reads, total.writes, total.deletes)]
        cells = " | ".join([*counts, f"{total.stored_bytes / 1e6:.1f}", f"${cost:.4f}"])
        yield f"| {name} | {cells} |"


def prices() -> Table:
    """The price list."""
    yield f"| price, as of {AS_OF} | to be compared with |"
    yield "| --- | --- |"
    for price in PRICES.values():
        yield f"| {price.wording} | {price.source} |"


if __name__ == "__main__":
    sys.exit(main())
