"""Where things are in the checkout, and where the emulators serve the functions."""

from emulators import config, suite
from emulators.paths import ROOT

PROJECT = suite.PROJECT
REGION = suite.REGION
EMULATOR = f"http://{suite.HOST}:{config.read()['emulators']['functions']['port']}"

__all__ = ["EMULATOR", "PROJECT", "REGION", "ROOT"]
