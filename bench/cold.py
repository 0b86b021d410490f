"""Cold start: what importing main.py adds to the bare SDKs, and how long a first answer takes."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import servers
import speed
from servers import ROOT, SIDES

ROUNDS = 11
STARTS = 3
# What any function of ours has to import, with one model, so that pydantic is really loaded.
BARE = """
from firebase_functions import https_fn, options, scheduler_fn, tasks_fn
import firebase_admin
from google.cloud import firestore
from pydantic import BaseModel
class Body(BaseModel):
    user_id: str
"""
OURS = "import main"
BARE_SDKS = "the bare SDKs"
# Functions whose instances import main.py; each imports what its own endpoint needs.
SERVED = ("createGenerationRequest", "getUserCredits", "listPurchases", "registerDevice")


def import_times() -> dict[str, Any]:
    """What an instance of each function imports beside the bare SDKs, by turns.

    With our bytecode and without it: Google's buildpack compiles our source, but by its timestamps,
    which change when the image is made. The SDKs' bytecode is always there.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name in ("main.py", "imagegen"):
            copy = shutil.copytree if (ROOT / "functions" / name).is_dir() else shutil.copy
            copy(ROOT / "functions" / name, Path(folder, name))
        for cache in Path(folder).rglob("__pycache__"):
            shutil.rmtree(cache)
        result = {"uncompiled": _compared(folder)}
        subprocess.run([sys.executable, "-m", "compileall", "-q", folder], check=True)
        result["compiled"] = _compared(folder)
    return result


def _compared(folder: str) -> dict[str, Any]:
    """Processor seconds, which neighbours disturb less than time, and calls, which they do not."""
    names = (BARE_SDKS, *SERVED)
    rounds = [{name: _import_seconds(folder, name) for name in names} for _ in range(ROUNDS)]
    result: dict[str, Any] = {}
    for name in names:
        result[name] = {
            "seconds": statistics.median(each[name] for each in rounds),
            "ratio": statistics.median(each[name] / each[BARE_SDKS] for each in rounds),
            "calls": (calls := _import_calls(folder, name)),
        }
        print(
            f"Import, {name:25} {result[name]['seconds']:.3f} s {result[name]['ratio']:.3f}x  "
            f"{calls:,} calls {calls / result[BARE_SDKS]['calls']:.3f}x",
            flush=True,
        )
    return result


def _import_seconds(folder: str, name: str) -> float:
    code = BARE if name == BARE_SDKS else OURS
    timed = f"import time; start = time.process_time()\n{code}\nprint(time.process_time() - start)"
    return float(_run(folder, name, timed))


def _import_calls(folder: str, name: str) -> int:
    program = (
        "import cProfile, pstats, sys\n"
        "profile = cProfile.Profile()\n"
        "profile.runctx(sys.argv[1], {'__name__': 'cold'}, {})\n"
        "print(pstats.Stats(profile).total_calls)"
    )
    return int(_run(folder, name, program, BARE if name == BARE_SDKS else OURS))


def _run(folder: str, name: str, *program: str) -> str:
    """What a program prints last, in an instance of the function `name`."""
    output = subprocess.run(
        [sys.executable, "-c", *program],
        cwd=folder,
        env={**os.environ, "FUNCTION_TARGET": name, "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    return output.split()[-1].decode()


def first_answers() -> dict[str, Any]:
    """Seconds from the start of the server to the first answered create, and of that call alone."""
    speed.seed_users()
    taken: dict[str, list[tuple[float, float]]] = {side: [] for side in SIDES}
    for _ in range(STARTS):
        for side in SIDES:
            port = servers.free_port()
            started = time.perf_counter()
            process = servers.start(side, "createGenerationRequest", port, {})
            try:
                while not servers.is_listening(port):
                    time.sleep(0.01)
                listening = time.perf_counter()
                servers.answer(port, speed.order("user001"))
                end = time.perf_counter()
            finally:
                servers.stop(process)
            taken[side].append((end - started, end - listening))
    result = {}
    for side, each in taken.items():
        whole, call = (statistics.median(column) for column in zip(*each, strict=True))
        result[side] = {"startToAnswer": whole, "firstCall": call}
        print(f"First answer, {side:5} {whole:.2f} s after the start; the call alone {call:.2f} s")
    return result
