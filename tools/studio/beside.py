"""The studio beside running emulators, whose catalogue offers it as `Local Studio`.

Only the standard library is used, because whoever starts the emulators does so outside the venv;
the studio itself needs Pillow and runs in it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from emulators import ports
from emulators.paths import TOOLS, VENV
from emulators.problem import Problem

PORT = 8093


@contextmanager
def emulators(environment: Mapping[str, str]) -> Iterator[str]:
    """Run the studio until the exit, on its usual port or another free one; its URL.

    `environment` is that of programs which use the emulators. Raises Problem.
    """
    port = 0 if ports.is_taken(PORT) else PORT
    process = subprocess.Popen(
        [str(VENV / "bin" / "python"), "-m", "studio", "--port", str(port), "--offer"],
        cwd=TOOLS,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for who waits for the emulators
    )
    with process:
        try:
            assert process.stdout is not None  # noqa: S101 - for the type checker
            line = process.stdout.readline()
            if not line:
                raise Problem("Local Studio did not start: correct what is reported above.")
            yield line.split()[-1]
        finally:
            process.terminate()
