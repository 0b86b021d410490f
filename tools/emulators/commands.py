"""What the command line can do: start the emulators, run a command against them, deploy."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from emulators import config, environment, firebase_tools, ports, suite
from emulators.paths import DATA, ROOT
from emulators.problem import Problem
from emulators.suite import Suite
from stripe_stub import beside as stripe_stub
from studio import beside as studio

COMMAND_STOP_SECONDS = 5


def start() -> None:
    """Run everything on the ports of firebase.json until Ctrl-C."""
    wanted = config.read()
    tools = firebase_tools.find()
    if not tools.provide("ui"):
        print("Starting without the Emulator UI: it cannot be downloaded offline.", flush=True)
        wanted = config.without_ui(wanted)
    for name, port in (*config.ports_of(wanted).items(), ("payments", stripe_stub.PORT)):
        ports.require_free(name, port)
    print("Starting the emulators", flush=True)
    with (
        suite.running(wanted, tools, import_from=DATA, follow_log=True, workers=8) as emulators,
        studio.emulators(emulators.environment()) as studio_url,
        stripe_stub.emulators(
            functions_url=emulators.functions_url,
            firestore=emulators.address("firestore"),
            project=suite.PROJECT,
        ) as payments,
    ):
        print(summary(emulators, studio_url, payments.url), flush=True)
        with suppress(KeyboardInterrupt):  # the usual way to stop
            emulators.processes.wait()


def execute(command: Sequence[str]) -> int:
    """Run `command` against a private suite; its exit code, as a shell would give it."""
    if not shutil.which(command[0]):
        raise Problem(f"There is no command {command[0]}: correct what follows exec.")
    print("Starting the emulators", flush=True)
    with suite.private() as emulators:
        print(f"Running {shlex.join(command)}", flush=True)
        process = subprocess.Popen(command, env=emulators.environment())
        try:
            code = process.wait()
            return code if code >= 0 else 128 - code
        finally:  # Ctrl-C has reached the command as well and it is ending; other signals have not
            try:
                process.wait(COMMAND_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def firebase(arguments: Sequence[str]) -> int:
    """Call firebase-tools with `arguments` in the repository's root; its exit code."""
    command = [*firebase_tools.find().command, *arguments]
    return subprocess.call(command, cwd=ROOT, env=environment.for_firebase_tools())


# --- what is printed when everything is ready --------------------------------------------------


def summary(emulators: Suite, studio_url: str, payments_url: str) -> str:
    """Where everything is, which accounts can sign in, and a call to copy."""
    body = {
        "userId": "testUser1",
        "model": "Model A",
        "style": "anime",
        "color": "neon",
        "size": "512x512",
        "prompt": "A lighthouse at dusk",
    }
    rows = {
        "functions": emulators.functions_url,
        "hosting": emulators.hosting_url,
        "firestore": emulators.address("firestore"),
        "auth": emulators.address("auth"),
        "tasks": emulators.address("tasks"),
        "storage": emulators.address("storage"),
        "studio": f"{studio_url} (the model Local Studio)",
        "payments": f"{payments_url} (a stand-in for Stripe)",
    }
    if "ui" in emulators.ports:
        rows["ui"] = f"http://{emulators.address('ui')}"
    accounts = json.loads((DATA / "auth_export" / "accounts.json").read_text())["users"]
    table = "\n".join(f"  {name:<11}{where}" for name, where in rows.items())
    return f"""
Ready.

{table}

  accounts   {", ".join(sorted(account["email"] for account in accounts))}
  password   {password_of(accounts[0])}

Try it:

curl -X POST {emulators.functions_url}/createGenerationRequest \
-H 'Content-Type: application/json' -d '{json.dumps(body, separators=(",", ":"))}'

Ctrl-C stops everything.
"""


def password_of(account: Mapping[str, Any]) -> str:
    """The password of an exported account, which the Auth emulator stores as plain text."""
    return str(account["passwordHash"]).rpartition("password=")[2]
