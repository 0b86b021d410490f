"""Running other programs."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

from emulators.problem import Problem


def output(command: Sequence[str], stderr: int | None = subprocess.DEVNULL) -> str | None:
    """What `command` prints; None if it does not exist or fails."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=stderr, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout


def run_or_fail(
    command: Sequence[str], problem: str, environment: Mapping[str, str] | None = None
) -> None:
    """Run `command`, which may print. Raises Problem with the given sentence if it fails."""
    try:
        subprocess.run(command, check=True, env=environment)
    except subprocess.CalledProcessError as error:
        raise Problem(problem) from error
