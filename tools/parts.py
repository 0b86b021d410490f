"""Run targets of the Makefile, and print how long each took.

    python tools/parts.py ['TARGET [VARIABLE=VALUE ...]' ...] [-- TARGET ... -- TARGET ...]

They run one after the other. Behind them, each `--` begins a lane: lanes run at the same time, and
the targets of a lane one after the other. The last lane is shown as it runs, the others when they
have ended. A target that fails is the last of its lane, and its exit code is that of the whole.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import IO


def main(arguments: Sequence[str]) -> int:
    started = time.monotonic()
    seconds: dict[str, float] = {}
    split: list[list[str]] = [[]]
    for each in arguments:
        if each == "--":
            split.append([])
        else:
            split[-1].append(each)
    first, *lanes = split
    code = run(first, seconds)
    if not code and lanes:
        code = side_by_side(lanes, seconds)
    seconds["together"] = time.monotonic() - started
    print(f"\n{table(seconds)}", flush=True)
    return code


def side_by_side(lanes: Sequence[Sequence[str]], seconds: dict[str, float]) -> int:
    """Run lanes at the same time; 0, or the exit code of the first one that failed."""
    *hidden, shown = lanes
    names = ", ".join(part for lane in hidden for part in lane)
    print(f"\nAt the same time, and shown at the end: {names}", flush=True)
    with ExitStack() as opened:
        outputs = [opened.enter_context(tempfile.TemporaryFile()) for _ in hidden]
        with ThreadPoolExecutor() as pool:
            running = [
                pool.submit(run, lane, seconds, output)
                for lane, output in zip(hidden, outputs, strict=True)
            ]
            code = run(shown, seconds)
            codes = [each.result() for each in running]
        sys.stdout.flush()
        for output in outputs:
            output.seek(0)
            sys.stdout.buffer.write(output.read())
    return next(filter(None, [*codes, code]), 0)


def run(parts: Iterable[str], seconds: dict[str, float], output: IO[bytes] | None = None) -> int:
    """Run parts one after the other until one fails; its exit code, or 0."""
    for part in parts:
        tell(f"\n=== make {part}\n", output)
        started = time.monotonic()
        make = [os.environ.get("MAKE", "make"), *part.split()]
        code = subprocess.call(make, stdout=output, stderr=output)
        seconds[part] = time.monotonic() - started
        if code:
            tell(f"\nmake {part} has failed.\n", output)
            return code
    return 0


def tell(text: str, output: IO[bytes] | None) -> None:
    if output is None:
        print(text, end="", flush=True)
    else:
        output.write(text.encode())
        output.flush()


def table(seconds: dict[str, float]) -> str:
    width = max(map(len, seconds))
    return "\n".join(f"  {name:<{width}}{taken:6.0f} s" for name, taken in seconds.items())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
