"""The command line of the emulators.

    python -m emulators check                    check that Node.js is new enough
    python -m emulators setup [--python-only]    install everything that comes from the network
    python -m emulators start                    run until Ctrl-C, with emulator-data
    python -m emulators exec -- COMMAND ...      run a command against emulators on ports of its own
    python -m emulators firebase -- ARGS ...     call the pinned firebase-tools

Before the set-up, Python finds this package in tools/ only: run it there, or through make.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from emulators import commands, firebase_tools, node, virtualenv
from emulators.problem import Problem


def main(arguments: Sequence[str]) -> int:
    # `kill` and a closed terminal end this process as Ctrl-C does: through the clean-up.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        virtualenv.require_python()
        return run(parsed(arguments))
    except Problem as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m emulators", description="Run the Firebase emulators of this project."
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("check", help="check that Node.js is new enough")
    setup = verbs.add_parser("setup", help="install everything that comes from the network")
    setup.add_argument("--python-only", action="store_true", help="only functions/venv")
    verbs.add_parser("start", help="run until Ctrl-C")
    execute = verbs.add_parser("exec", help="run a command against private emulators")
    execute.add_argument("command", nargs="+", metavar="-- COMMAND")
    firebase = verbs.add_parser("firebase", help="call the pinned firebase-tools")
    firebase.add_argument("command", nargs="+", metavar="-- ARGUMENT")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """The exit code. What the machine lacks is found before anything is installed."""
    python_only = options.verb == "setup" and options.python_only
    if not python_only:
        node.require_node()
    if options.verb == "check":
        return 0
    virtualenv.ensure()
    if options.verb == "exec":
        return commands.execute(options.command)
    if options.verb == "firebase":
        return commands.firebase(options.command)
    if options.verb == "start":
        commands.start()
    elif not python_only:
        firebase_tools.find()
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
