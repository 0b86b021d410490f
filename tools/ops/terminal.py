"""What every operators' command shares: which project it works on, and how it prints."""

from __future__ import annotations

import getpass
import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import datetime
from io import TextIOBase
from typing import Annotated, Any

import typer
from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import DefaultCredentialsError
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from emulators import environment
from emulators.paths import FUNCTIONS
from emulators.problem import Problem
from emulators.suite import PROJECT
from imagegen.errors import ImagegenError

# Where `make run` starts what the commands use.
EMULATORS = {
    "FIRESTORE_EMULATOR_HOST": "127.0.0.1:8080",
    "CLOUD_TASKS_EMULATOR_HOST": "127.0.0.1:9499",
    "FIREBASE_AUTH_EMULATOR_HOST": "127.0.0.1:9099",
    "STORAGE_EMULATOR_HOST": "http://127.0.0.1:9199",
}

out = Console()
err = Console(stderr=True)


def connect_to(project: str) -> None:
    """Make Google's client library and the parameters use `project`, or the emulators."""
    if project:
        for name in (*EMULATORS, "FUNCTIONS_EMULATOR"):
            os.environ.pop(name, None)
    else:
        for name, address in EMULATORS.items():
            os.environ.setdefault(name, address)
        os.environ["FUNCTIONS_EMULATOR"] = "true"  # webhooks may then be on this machine
        os.environ.update(environment.no_proxy_for_loopback(os.environ))
    os.environ["GCLOUD_PROJECT"] = project or os.environ.get("GCLOUD_PROJECT", PROJECT)
    read_parameters(os.environ["GCLOUD_PROJECT"])


def read_parameters(project: str) -> None:
    """Set the parameters that the functions of `project` are deployed with: functions/.env*."""
    given = set(os.environ)
    for name in (".env", f".env.{project}"):
        path = FUNCTIONS / name
        for line in path.read_text().splitlines() if path.exists() else ():
            key, is_pair, value = line.partition("=")
            if is_pair and not key.startswith("#") and key.strip() not in given:
                os.environ[key.strip()] = value.strip().strip("'\"")


def operator() -> str:
    """Who runs the command, as the log of the operators' actions names them."""
    return f"cli:{getpass.getuser()}"


def _given(reason: str) -> str:
    if not reason.strip():
        raise typer.BadParameter("must not be empty")
    return reason.strip()


Reason = Annotated[
    str, typer.Option(help="The reason, which stays in the log of actions.", callback=_given)
]


def require_reason(reason: str, option: str) -> str:
    """The reason for what a command does only with `option`. Raises BadParameter if it is empty."""
    if not reason.strip():
        raise typer.BadParameter(f"{option} needs a --reason")
    return reason.strip()


EXPECTED = (Problem, ImagegenError, ValueError, DefaultCredentialsError, GoogleAPICallError)


@contextmanager
def problems() -> Iterator[None]:
    """Print errors that an operator can act on as one sentence, without a traceback."""
    try:
        _require_emulators()
        yield
    except EXPECTED as error:
        err.print(_in_words(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from error


def _in_words(error: Exception) -> str:
    """What went wrong, with the details that a call would answer as JSON."""
    if not isinstance(error, ImagegenError):
        return str(error)
    details = dict(error.details)
    violations = details.pop("fieldViolations", [])
    told = [f"{each['field']} {each['description']}" for each in violations]
    told += [f"{name} {value}" for name, value in details.items()]
    return " ".join([str(error), *(f"({each})" for each in told)])


def _require_emulators() -> None:
    """Raises Problem if the emulators do not run; Google's client would retry for minutes."""
    address = os.environ.get("FIRESTORE_EMULATOR_HOST")
    if not address:
        return
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 2).close()
    except OSError as error:
        raise Problem(
            f"No emulator answers at {address}: start the emulators (make run), or name a project "
            "(--project, or PROJECT=my-project for make)."
        ) from error


def progress() -> Progress:
    """A progress bar on a terminal's standard error; standard output stays clean for pipes."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(
        *columns,
        console=err,
        transient=True,
        redirect_stdout=False,
        disable=not err.is_terminal,
    )


@contextmanager
def log_lines(on_message: Callable[[str | None], None]) -> Iterator[None]:
    """Send the functions' log messages to `on_message` instead of the terminal, errors excepted."""
    with redirect_stdout(_Log(on_message)):
        yield


class _Log(TextIOBase):
    def __init__(self, on_message: Callable[[str | None], None]) -> None:
        self._on_message = on_message

    def write(self, text: str) -> int:
        for line in text.splitlines():
            if line.startswith("{"):
                self._on_message(json.loads(line).get("message"))
        return len(text)


def show(context: typer.Context, value: Any, text: str) -> None:
    """Print `value` as JSON where --json was given, else the text."""
    if context.obj:
        print_json(value)
    else:
        out.print(text, markup=False, soft_wrap=True)


def print_json(value: Any) -> None:
    def plain(other: Any) -> str:
        if isinstance(other, datetime):
            return other.isoformat()
        raise TypeError(type(other))

    print(json.dumps(value, indent=2, default=plain, ensure_ascii=False))
