"""The proof after a deploy: the functions answer whom they should, and nobody else.

It calls what is deployed, as a client does, with an account that it makes and removes again. On the
emulators it shows less, and says what: there no function is private, and calls without a token are
trusted (AUTH_MODE=optional).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import requests

from deploy import target as targets
from deploy.google import ApiError, Google
from deploy.proofs import (
    Failed,
    Functions,
    background_order,
    is_private,
    offered,
    refuses_bad_tokens,
    refuses_strangers,
)
from deploy.target import ROOT, Target

EMULATORS_PROJECT = "demo-imagegen"


def on_project(google: Google, target: Target, *, url: str = "") -> int:
    """Prove a deployed project; 0 when all holds."""
    functions = Functions(url or f"https://{target.region}-{target.project}.cloudfunctions.net")
    offers: dict[str, Any] = {}

    def steps() -> Iterator[tuple[str, Callable[[], None]]]:
        yield "listModels answers without a token", lambda: offers.update(offered(functions))
        yield "getUserCredits without a token is 401", lambda: refuses_strangers(functions)
        for name in target.endpoints:
            if name not in target.with_trigger("httpsTrigger"):
                yield f"{name} refuses a stranger", partial(is_private, functions, name)
        yield (
            "an order in the background reaches its end",
            lambda: background_order(functions, google, target, offers),
        )

    return report(steps())


def on_emulators() -> int:
    """Prove what runs on the emulators of `make run`, or of the environment; 0 when all holds."""
    ports = json.loads((ROOT / "firebase.json").read_text())["emulators"]

    def host(variable: str, emulator: str) -> str:
        return os.environ.get(variable) or f"127.0.0.1:{ports[emulator]['port']}"

    addresses = {
        "firestore": f"http://{host('FIRESTORE_EMULATOR_HOST', 'firestore')}",
        "identitytoolkit": f"http://{host('FIREBASE_AUTH_EMULATOR_HOST', 'auth')}"
        "/identitytoolkit.googleapis.com",
    }
    session = requests.Session()
    session.headers["Authorization"] = "Bearer owner"  # whom the emulators let do anything
    google = Google(session, addresses.__getitem__)
    target = targets.read(EMULATORS_PROJECT)
    default = f"http://127.0.0.1:{ports['functions']['port']}/{EMULATORS_PROJECT}/{target.region}"
    functions = Functions(os.environ.get("FUNCTIONS_BASE_URL", default))
    offers: dict[str, Any] = {}

    def steps() -> Iterator[tuple[str, Callable[[], None]]]:
        yield "listModels answers without a token", lambda: offers.update(offered(functions))
        yield "getUserCredits with a bad token is 401", lambda: refuses_bad_tokens(functions)
        yield (
            "an order in the background reaches its end",
            lambda: background_order(functions, google, target, offers, api_key="any"),
        )

    code = report(steps())
    print("not shown  401 without a token, and that the private functions refuse a stranger:")
    print("           the emulators trust every caller. A deployed project shows both.")
    return code


def report(steps: Iterator[tuple[str, Callable[[], None]]]) -> int:
    """Run every step and print how it went; 1 when one failed."""
    failures = 0
    for name, prove in steps:
        try:
            prove()
        except (Failed, ApiError) as failure:
            failures += 1
            print(f"FAILED     {name}\n           {failure}", flush=True)
        else:
            print(f"ok         {name}", flush=True)
    return min(failures, 1)
