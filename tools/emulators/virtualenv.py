"""functions/venv: the Python packages that the functions, the tests and the tools need."""

from __future__ import annotations

import hashlib
import os
import sys

from emulators.paths import FUNCTIONS, TOOLS, VENV
from emulators.problem import Problem
from emulators.programs import run_or_fail

OLDEST_PYTHON = (3, 11)
# firebase-tools calls the interpreter by the name of the runtime in firebase.json.
RUNTIME_PYTHON = "python3.11"
REQUIREMENTS = (FUNCTIONS / "requirements.txt", FUNCTIONS / "requirements-dev.txt")
# Settings of pip that make it install somewhere other than into functions/venv.
ELSEWHERE = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")


def require_python() -> None:
    """Raises Problem if this interpreter is too old."""
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(str(part) for part in sys.version_info[:3])
        raise Problem(
            f"Python 3.11 or newer is needed, and this is {found}: install it and run "
            "`make PYTHON=/path/to/python3.11 ...`."
        )


def ensure() -> None:
    """Create functions/venv and install what its requirements ask for, unless that has been done.

    tools/ is installed as an editable package, so that its commands are in functions/venv/bin and
    every interpreter of the venv can import tools/ and functions/.
    """
    python, stamp, wanted = VENV / "bin" / "python", VENV / "installed.txt", _fingerprint()
    moved = was_made_elsewhere()
    if not moved and python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    if moved:
        print(
            "functions/venv was created in another folder and cannot be used here: "
            "creating it again",
            flush=True,
        )
    elif not python.exists():
        print("Creating functions/venv", flush=True)
    if moved or not python.exists():
        run_or_fail(
            [sys.executable, "-m", "venv", "--clear", str(VENV)],
            "The virtual environment could not be created: install Python's venv module "
            "(Debian and Ubuntu: apt-get install python3-venv) and try again.",
        )
    print("Installing the Python packages (a minute or two the first time)", flush=True)
    _install("--requirement", str(REQUIREMENTS[-1]))
    # Its build backend is among the requirements, so that its version is pinned as well.
    _install("--quiet", "--no-deps", "--no-build-isolation", "--editable", str(TOOLS))
    if not (VENV / "bin" / RUNTIME_PYTHON).exists():  # a newer interpreter works as well
        (VENV / "bin" / RUNTIME_PYTHON).symlink_to("python")
    stamp.write_text(wanted)


def was_made_elsewhere() -> bool:
    """Whether the venv's scripts start an interpreter in another folder.

    Scripts name their interpreter by its full path, so moving or copying a checkout breaks them.
    """
    script = VENV / "bin" / "pip"
    here = f"{VENV.resolve()}{os.sep}"
    return script.exists() and here not in script.read_text(errors="replace")


def _install(*arguments: str) -> None:
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install"]
    environment = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    run_or_fail(
        [*pip, *arguments],
        "The Python packages could not be installed (pip says why above): check the network "
        "connection and try again.",
        environment | {"PIP_USER": "0"},
    )


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for path in (*REQUIREMENTS, TOOLS / "pyproject.toml"):
        digest.update(path.read_bytes())
    return digest.hexdigest()
