"""Run targets of the Makefile one after the other, and print how long each took.

    python tools/parts.py 'TARGET [VARIABLE=VALUE ...]' ...

The first that fails is the last, and its exit code is that of the whole.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence


def main(parts: Sequence[str]) -> int:
    seconds: dict[str, float] = {}
    code = 0
    for part in parts:
        print(f"\n=== make {part}", flush=True)
        started = time.monotonic()
        code = subprocess.call([os.environ.get("MAKE", "make"), *part.split()])
        seconds[part] = time.monotonic() - started
        if code:
            print(f"\nmake {part} has failed.", file=sys.stderr)
            break
    print(f"\n{table(seconds)}", flush=True)
    return code


def table(seconds: dict[str, float]) -> str:
    rows = {**seconds, "together": sum(seconds.values())}
    width = max(map(len, rows))
    return "\n".join(f"  {name:<{width}}{taken:6.0f} s" for name, taken in rows.items())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
