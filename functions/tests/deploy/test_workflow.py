"""The workflow that deploys from GitHub: no keys, no more rights than needed, no moving parts."""

from __future__ import annotations

import re
from typing import Any

import yaml
from support.paths import ROOT

TEXT = (ROOT / ".github" / "workflows" / "deploy.yml").read_text()
WORKFLOW: dict[Any, Any] = yaml.safe_load(TEXT)
JOBS = WORKFLOW["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]


def test_every_action_is_named_by_its_commit() -> None:
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert used
    for each in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", each), each


def test_only_the_deploy_may_ask_for_an_identity() -> None:
    assert WORKFLOW["permissions"] == {}
    assert JOBS["test"]["permissions"] == {"contents": "read"}
    assert JOBS["deploy"]["permissions"] == {"contents": "read", "id-token": "write"}
    assert "secrets." not in TEXT
    assert "credentials_json" not in TEXT


def test_nothing_is_deployed_that_was_not_tested_and_nothing_twice_at_once() -> None:
    assert JOBS["deploy"]["needs"] == "test"
    assert WORKFLOW["concurrency"] == {"group": "deploy", "cancel-in-progress": False}
    assert JOBS["test"]["if"] == "vars.FIREBASE_PROJECT != ''"


def test_what_it_runs_are_targets_of_make_and_no_value_reaches_the_shell_as_code() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for step in STEPS:
        for target in re.findall(r"make ([a-z-]+)", step.get("run", "")):
            assert target in targets
        assert "${{" not in step.get("run", "")


def test_the_variables_it_reads_are_explained_at_its_top() -> None:
    head = TEXT.partition("\non:")[0]
    for name in set(re.findall(r"vars\.(\w+)", TEXT)):
        assert name in head
