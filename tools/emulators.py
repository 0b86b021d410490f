"""The Firebase emulators for this project, as developers and tests use them.

    emulators.py setup [--python-only]   get everything ready that comes from the network
    emulators.py start                   run until Ctrl-C, with emulator-data
    emulators.py exec -- COMMAND ...     run a command against emulators on ports of its own
    emulators.py firebase -- ARGS ...    call the pinned firebase-tools

Only the standard library is used: this runs before functions/venv exists.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import ports
import suite
import toolchain
from suite import Suite
from toolchain import ROOT, Problem

DATA = ROOT / "emulator-data"
COMMAND_STOP_SECONDS = 5


def start() -> None:
    """Run everything on the ports of firebase.json until Ctrl-C."""
    config = suite.read_config()
    tools = toolchain.firebase_tools()
    if not tools.available("ui"):
        print("The Emulator UI is left out: it cannot be downloaded without a network.", flush=True)
        config = suite.without_ui(config)
    for name, port in suite.ports_of(config).items():
        ports.require_free(name, port)
    print("Starting the emulators", flush=True)
    with suite.running(config, tools, import_from=DATA, follow_log=True, workers=8) as emulators:
        print(summary(emulators), flush=True)
        with suppress(KeyboardInterrupt):  # how this is meant to end
            emulators.processes.wait()


@contextmanager
def private(only: Sequence[str] = (), *, import_data: bool = True) -> Iterator[Suite]:
    """A suite on free ports, which disturbs no other."""
    config = suite.without_ui(suite.read_config())
    names = [*suite.ports_of(config), *suite.UNLISTED]
    config = suite.with_ports(config, dict(zip(names, ports.free_ports(len(names)), strict=True)))
    with suite.running(
        config,
        toolchain.firebase_tools(),
        only=only,
        import_from=DATA if import_data else None,
        workers=4,
    ) as emulators:
        yield emulators


def execute(command: Sequence[str]) -> int:
    """The exit code of `command`, run against a private suite, as a shell would tell it."""
    if not shutil.which(command[0]):
        raise Problem(f"There is no command {command[0]}: correct what follows exec.")
    print("Starting the emulators", flush=True)
    with private() as emulators:
        print(f"Running {shlex.join(command)}", flush=True)
        process = subprocess.Popen(command, env=emulators.environment())
        try:
            code = process.wait()
            return code if code >= 0 else 128 - code
        finally:  # a Ctrl-C has reached the command as well and it is ending, another signal not
            try:
                process.wait(COMMAND_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def firebase(arguments: Sequence[str]) -> int:
    """The exit code of firebase-tools, called with `arguments` in the repository's root."""
    tools = toolchain.firebase_tools()
    command = [*tools.command, *arguments]
    return subprocess.call(command, cwd=ROOT, env=suite.base_environment())


# --- what is printed when all is ready --------------------------------------------------------


def summary(emulators: Suite) -> str:
    """Where everything is, who may sign in, and a call to copy."""
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
    """The password of an exported account, which the Auth emulator keeps in the clear."""
    return str(account["passwordHash"]).rpartition("password=")[2]


# --- the command line -------------------------------------------------------------------------


def main(arguments: Sequence[str]) -> int:
    # `kill` and a closed terminal end this process as Ctrl-C does: through the clean-up.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        toolchain.require_python()
        return run(parsed(arguments))
    except Problem as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run the Firebase emulators of this project.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    setup = verbs.add_parser("setup", help="get everything ready that comes from the network")
    setup.add_argument("--python-only", action="store_true", help="only functions/venv")
    verbs.add_parser("start", help="run until Ctrl-C")
    execute = verbs.add_parser("exec", help="run a command against private emulators")
    execute.add_argument("command", nargs="+", metavar="-- COMMAND")
    firebase = verbs.add_parser("firebase", help="call the pinned firebase-tools")
    firebase.add_argument("command", nargs="+", metavar="-- ARGUMENT")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    toolchain.ensure_venv()
    if options.verb == "exec":
        return execute(options.command)
    if options.verb == "firebase":
        return firebase(options.command)
    if options.verb == "start":
        start()
    elif not options.python_only:
        toolchain.firebase_tools()
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
