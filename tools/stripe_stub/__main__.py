"""Run the stand-in: ``python -m stripe_stub --webhook-url … --webhook-secret whsec_emulator``."""

from __future__ import annotations

import argparse
from contextlib import suppress

from stripe_stub.beside import PORT, WEBHOOK_SECRET
from stripe_stub.prices import PRICES
from stripe_stub.server import HOST, Stub


def main() -> None:
    parser = argparse.ArgumentParser(prog="stripe_stub", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--webhook-url", default="", help="where events are sent")
    parser.add_argument("--webhook-secret", default=WEBHOOK_SECRET, help="what signs them")
    wanted = parser.parse_args()
    stub = Stub(
        PRICES,
        port=wanted.port,
        webhook_url=wanted.webhook_url,
        webhook_secret=wanted.webhook_secret,
    )
    print(f"Stripe's stand-in: http://{HOST}:{wanted.port}", flush=True)
    with suppress(KeyboardInterrupt):
        stub.serve_forever()


if __name__ == "__main__":
    main()
