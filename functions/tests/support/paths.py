"""Where things are in the checkout."""

from pathlib import Path

FUNCTIONS = Path(__file__).resolve().parents[2]
ROOT = FUNCTIONS.parent
