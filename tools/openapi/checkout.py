"""Where things are in the checkout, and where the emulators serve the functions."""

import suite
import toolchain

ROOT = toolchain.ROOT
PROJECT = suite.PROJECT
REGION = suite.REGION
EMULATOR = f"http://{suite.HOST}:{suite.read_config()['emulators']['functions']['port']}"
