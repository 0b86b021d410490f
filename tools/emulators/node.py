"""Node.js and firebase-tools."""

from __future__ import annotations

import json
import os
import re
import shutil
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulators import environment
from emulators.paths import ROOT
from emulators.problem import Problem
from emulators.programs import output, run_or_fail

FIREBASE_TOOLS_VERSION = "15.34.2"
# The one place that says which Node.js is new enough, for the console as well as the emulators.
NODE_VERSIONS = ROOT / "web" / "package.json"

Version = tuple[int, ...]


# --- Node.js ----------------------------------------------------------------------------------


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


# --- firebase-tools ---------------------------------------------------------------------------


@dataclass(frozen=True)
class FirebaseTools:
    """An installed firebase-tools: how to call it, and what it would download."""

    package: Path

    @property
    def command(self) -> list[str]:
        # Called without npx in between, so that signals and the exit code reach it directly.
        return ["node", str(self.package / "lib" / "bin" / "firebase.js")]

    @property
    def downloads(self) -> dict[str, Any]:
        """By emulator: remoteUrl and the paths in the cache directory."""
        path = self.package / "lib" / "emulator" / "downloadableEmulatorInfo.json"
        known: dict[str, Any] = json.loads(path.read_text())
        return known | {"ui": known["ui"]["main"]}

    def cached(self, emulator: str) -> bool:
        info = self.downloads[emulator]
        path = info.get("binaryPathRelativeToCacheDir", info["downloadPathRelativeToCacheDir"])
        default = Path.home() / ".cache" / "firebase" / "emulators"
        return Path(os.environ.get("FIREBASE_EMULATORS_PATH", default), path).exists()

    def provide(self, emulator: str) -> bool:
        """Download this emulator unless it is there; False if it cannot be downloaded now."""
        if self.cached(emulator):
            return True
        if not _reachable(self.downloads[emulator]["remoteUrl"]):
            return False
        run_or_fail(
            [*self.command, f"setup:emulators:{emulator}"],
            f"The {emulator} emulator could not be downloaded: correct what is reported above.",
            environment.for_firebase_tools(),
        )
        return True


def firebase_tools() -> FirebaseTools:
    """firebase-tools in the pinned version: as installed, or downloaded by npx."""
    installed = shutil.which("firebase")
    if installed and (tools := _tools_at(installed)):
        return tools
    # npm finds out offline whether its cache holds the package; only otherwise is there a wait.
    npx = ["npx", "--loglevel=error", f"--package=firebase-tools@{FIREBASE_TOOLS_VERSION}"]
    locate = ["--call", "command -v firebase"]
    found = output([*npx, "--no", "--prefer-offline", *locate])
    if found is None:
        print(f"Downloading firebase-tools {FIREBASE_TOOLS_VERSION} (two minutes)", flush=True)
        found = output([*npx, "--yes", *locate], stderr=None)
    if found is None or not (tools := _tools_at(found.strip())):
        raise Problem(
            f"firebase-tools {FIREBASE_TOOLS_VERSION} could not be downloaded (npm says why "
            "above): check the network connection and try again."
        )
    return tools


def _tools_at(executable: str) -> FirebaseTools | None:
    """The npm package that `executable` belongs to, if it is firebase-tools as pinned."""
    package = Path(executable).resolve().parent.parent.parent  # of lib/bin/firebase.js
    try:
        manifest = json.loads((package / "package.json").read_text())
    except (OSError, ValueError):
        return None
    pinned = ("firebase-tools", FIREBASE_TOOLS_VERSION)
    matches = (manifest.get("name"), manifest.get("version")) == pinned
    return FirebaseTools(package) if matches else None


def _reachable(url: str) -> bool:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=5):
            return True
    except OSError:
        return False
