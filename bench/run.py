"""Every speed that docs/benchmarks.md quotes: one command, one table, bench/results.json.

    make bench, or functions/venv/bin/python bench/run.py [PART ...]

Ours beside the floor (bench/floor/main.py), by turns and within one run: the ratios are what
counts, the absolute numbers belong to the machine. All of it on loopback, about 25 minutes.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import cold
import cost
import history
import limits
import processor
import production
import scale
import servers
import speed

RESULTS = servers.ROOT / "bench" / "results.json"


def report() -> None:
    """The report's scale has its own benchmark, which empties a project of its own."""
    print("\nThe weekly report", flush=True)
    command = [sys.executable, str(servers.ROOT / "bench" / "report.py"), "1000", "10000"]
    subprocess.run(command, check=True)


PARTS: dict[str, Callable[[], Any]] = {
    "speed": speed.throughput,
    "processor": processor.processor_time,
    "limits": limits.limits,
    "cost": cost.costs,
    "import": cold.import_times,
    "start": cold.first_answers,
    "history": history.flatness,
    "production": production.production,
    "report": report,
    "scale": scale.scale,
}
LONG: dict[str, Callable[[], Any]] = {"deletion": scale.large_deletion}  # when asked for by name


def main() -> None:
    chosen = sys.argv[1:] or list(PARTS)
    results: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }
    with servers.emulator():
        for part in chosen:
            results[part] = (PARTS | LONG)[part]()
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    print(f"\nWritten to {RESULTS.relative_to(servers.ROOT)}")


if __name__ == "__main__":
    main()
