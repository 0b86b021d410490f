"""firebase-tools, in the pinned version."""

from __future__ import annotations

import json
import os
import shutil
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulators import environment
from emulators.problem import Problem
from emulators.programs import output, run_or_fail

VERSION = "15.34.2"


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


def find() -> FirebaseTools:
    """firebase-tools in the pinned version: as installed, or downloaded by npx."""
    installed = shutil.which("firebase")
    if installed and (tools := _tools_at(installed)):
        return tools
    # npm finds out offline whether its cache holds the package; only otherwise is there a wait.
    npx = ["npx", "--loglevel=error", f"--package=firebase-tools@{VERSION}"]
    locate = ["--call", "command -v firebase"]
    found = output([*npx, "--no", "--prefer-offline", *locate])
    if found is None:
        print(f"Downloading firebase-tools {VERSION} (two minutes)", flush=True)
        found = output([*npx, "--yes", *locate], stderr=None)
    if found is None or not (tools := _tools_at(found.strip())):
        raise Problem(
            f"firebase-tools {VERSION} could not be downloaded (npm says why "
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
    pinned = ("firebase-tools", VERSION)
    matches = (manifest.get("name"), manifest.get("version")) == pinned
    return FirebaseTools(package) if matches else None


def _reachable(url: str) -> bool:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=5):
            return True
    except OSError:
        return False
