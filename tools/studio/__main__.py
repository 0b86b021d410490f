"""Run the studio until Ctrl-C."""

import argparse
import contextlib
import threading

from studio.faults import Fault
from studio.server import Studio

parser = argparse.ArgumentParser(prog="studio", description="An image vendor on this machine.")
parser.add_argument("--port", type=int, default=8093)
parser.add_argument("--seconds", type=float, default=2.0, help="how long a picture takes")
options = parser.parse_args()
studio = Studio(options.port, seconds=options.seconds).start()
print(f"Local Studio on {studio.url}/openai/v1 (also /gemini, /fal, /replicate)")
print("Faults, in a prompt:", " ".join(f"[fault:{fault}]" for fault in Fault))
with contextlib.suppress(KeyboardInterrupt):
    threading.Event().wait()
studio.stop()
