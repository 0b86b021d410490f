"""Node.js: which versions are supported, and whether the one on this machine is."""

from __future__ import annotations

import json
import re
import shutil

from emulators.paths import ROOT
from emulators.problem import Problem
from emulators.programs import output

# The one place that says which Node.js is new enough, for the console as well as the emulators.
NODE_VERSIONS = ROOT / "web" / "package.json"

Version = tuple[int, ...]


def require_node() -> None:
    """Raises Problem if Node.js is missing or too old."""
    versions = json.loads(NODE_VERSIONS.read_text())["engines"]["node"]
    remedy = f"install Node.js {in_words(versions)} (https://nodejs.org) and try again."
    found = output(["node", "--version"])
    if found is None or not shutil.which("npx"):
        raise Problem(f"Node.js with npm is needed and was not found: {remedy}")
    if not admits(versions, found):
        raise Problem(f"Node.js {found.strip()} is not supported: {remedy}")


def admits(versions: str, found: str) -> bool:
    """Whether the version `found` is in a range as npm writes it: ^20.19.0 || >=22.12.0."""
    version = numbers(found)
    for sign, least in _alternatives(versions):
        if version >= least and (sign == ">=" or version[0] == least[0]):
            return True
    return False


def in_words(versions: str) -> str:
    """The same range for people: 20.19+ or 24+."""
    oldest = [
        ".".join(map(str, least[:2] if any(least[1:]) else least[:1])) + "+"
        for _, least in _alternatives(versions)
    ]
    return " or ".join([", ".join(oldest[:-1]), oldest[-1]] if oldest[1:] else oldest)


def numbers(version: str) -> Version:
    """20, 19 and 0 of "v20.19.0"."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _alternatives(versions: str) -> list[tuple[str, Version]]:
    """The sign and the oldest version of each alternative of a range."""
    found = re.findall(r"(\^|>=) ?([\d.]+)", versions)
    return [(sign, numbers(least)) for sign, least in found]
