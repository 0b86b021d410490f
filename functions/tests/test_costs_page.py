"""docs/costs.md says what is counted."""

import subprocess
import sys

from support.paths import ROOT


def test_the_tables_of_the_page_are_what_the_script_writes(emulator: str) -> None:
    command = [sys.executable, str(ROOT / "bench" / "costs.py"), "--check"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"`make costs` writes docs/costs.md anew:\n{done.stdout[-4000:]}"
