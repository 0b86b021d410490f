"""Run the studio until Ctrl-C."""

import argparse
import contextlib
import threading

from studio.faults import Fault
from studio.server import Studio

parser = argparse.ArgumentParser(prog="studio", description="An image vendor on this machine.")
parser.add_argument("--port", type=int, default=8093, help="0: any that is free")
parser.add_argument("--seconds", type=float, default=2.0, help="how long a picture takes")
parser.add_argument(
    "--offer", action="store_true", help="also write the model Local Studio into the emulators"
)
options = parser.parse_args()
studio = Studio(options.port, seconds=options.seconds).start()
if options.offer:
    from studio.offer import offer  # Google's client takes a second to import

    offer(studio.url)
print(f"Local Studio on {studio.url}", flush=True)
print(f"Its OpenAI is {studio.url}/openai/v1 (also /gemini, /fal, /replicate)")
print("Faults, in a prompt:", " ".join(f"[fault:{fault}]" for fault in Fault), flush=True)
with contextlib.suppress(KeyboardInterrupt):
    threading.Event().wait()
studio.stop()
