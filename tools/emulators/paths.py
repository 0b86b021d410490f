"""Where things are in this checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
DATA = ROOT / "emulator-data"
FUNCTIONS = ROOT / "functions"
TOOLS = ROOT / "tools"
VENV = FUNCTIONS / "venv"
