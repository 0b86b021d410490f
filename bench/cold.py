"""Cold start: what importing main.py adds to the bare SDKs, and how long a first answer takes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import Any

import servers
import speed
from servers import ROOT, SIDES

ROUNDS = 9
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


def import_times() -> dict[str, Any]:
    """Processor seconds, which the neighbours of a shared machine disturb less; by turns."""
    rounds = [(_import_seconds(OURS), _import_seconds(BARE)) for _ in range(ROUNDS)]
    ours, bare = (statistics.median(each) for each in zip(*rounds, strict=True))
    ratio = statistics.median(a / b for a, b in rounds)
    print(
        f"\nImport of main.py {ours:.2f} s, of the bare SDKs {bare:.2f} s: {ratio:.2f}x", flush=True
    )
    calls = {"ours": _import_calls(OURS), "bareSdks": _import_calls(BARE)}
    print(f"Function calls in it: {calls['ours'] / calls['bareSdks']:.3f}x", flush=True)
    return {"ours": ours, "bareSdks": bare, "ratio": ratio, "calls": calls}


def _import_seconds(code: str) -> float:
    timed = f"import time; start = time.process_time()\n{code}\nprint(time.process_time() - start)"
    output = subprocess.run(
        [sys.executable, "-c", timed], cwd=ROOT / "functions", check=True, stdout=subprocess.PIPE
    ).stdout
    return float(output.split()[-1])


def _import_calls(code: str) -> int:
    """Calls of functions, which are the same each time, however busy the machine is."""
    program = (
        "import cProfile, pstats, sys\n"
        "profile = cProfile.Profile()\n"
        "profile.runctx(sys.argv[1], {'__name__': 'cold'}, {})\n"
        "print(pstats.Stats(profile).total_calls)"
    )
    output = subprocess.run(
        [sys.executable, "-c", program, code],
        cwd=ROOT / "functions",
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    return int(output)


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
