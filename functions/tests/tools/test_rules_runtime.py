"""emulators/rules_runtime: what decides for the Storage emulator where there is no download."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from emulators import rules_runtime

RULES = Path(__file__).resolve().parents[3] / "storage.rules"


def test_the_rules_of_this_project_deny_everything() -> None:
    assert rules_runtime.denies_all(RULES.read_text())


@pytest.mark.parametrize(
    "allow",
    ["read;", "read, write: if true;", "get: if request.auth != null;", "read: if false || true;"],
)
def test_rules_that_allow_anything_are_refused(allow: str) -> None:
    rules = RULES.read_text()
    opened = rules.replace("/{path=**} {", f"/{{path=**}} {{ allow {allow} // if false;\n")
    assert opened != rules
    assert not rules_runtime.denies_all(opened)


def test_it_answers_as_firebase_tools_expects_and_permits_nothing() -> None:
    source = {"files": [{"name": "storage.rules", "content": RULES.read_text()}]}
    open_source = {"files": [{"name": "storage.rules", "content": "allow read;"}]}
    requests = [
        {"id": 0, "action": "load_ruleset", "context": {"source": source}},
        {"id": 1, "action": "verify", "context": {"method": "get", "path": "/a"}},
        {"id": 2, "action": "load_ruleset", "context": {"source": open_source}},
    ]
    done = subprocess.run(
        [sys.executable, rules_runtime.__file__],
        input="".join(f"{json.dumps(each)}\n" for each in requests),
        capture_output=True,
        text=True,
        check=True,
    )
    started, loaded, verified, refused = map(json.loads, done.stdout.splitlines())
    assert (started["id"], started["action"]) == (-1, "started")
    assert (loaded["id"], loaded["errors"]) == (0, [])
    assert loaded["result"] == {"rulesVersion": 2}
    assert (verified["id"], verified["result"]) == (1, {"permit": False})
    assert refused["id"] == 2
    assert refused["errors"] == [rules_runtime.NEEDS_JAR]
