"""What is deployed, and where: the deploy manifest and the parameters of one project.

The manifest is the one that firebase-tools reads, made the same way: main.py is imported with the
parameters of functions/.env and functions/.env.PROJECT. So the checks ask for what this code
declares and keep no list of their own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ROOT / "functions"
PRINT_MANIFEST = (
    "from firebase_functions.private import serving;"
    "print(serving.functions_as_yaml(serving.get_functions()))"
)


class ManifestError(Exception):
    """main.py cannot be loaded with the parameters of the project."""


@dataclass(frozen=True)
class Target:
    """A project, and what is to run there."""

    project: str
    parameters: Mapping[str, str]
    endpoints: Mapping[str, Any]  # of the manifest, by function

    @property
    def database(self) -> str:
        return self.parameters.get("FIRESTORE_DATABASE") or "(default)"

    @property
    def database_path(self) -> str:
        return f"projects/{self.project}/databases/{self.database}"

    @property
    def bucket(self) -> str:
        """The image bucket that the parameters name; empty: the project's default one."""
        return self.parameters.get("IMAGE_BUCKET", "")

    @property
    def app_check(self) -> str:
        """What the functions make of App Check tokens: off, warn or required."""
        return self.parameters.get("APP_CHECK") or "off"

    @property
    def has_replay_protection(self) -> bool:
        """Whether an App Check token is good for one order only."""
        return self.parameters.get("APP_CHECK_REPLAY_PROTECTION", "").lower() == "true"

    @cached_property
    def region(self) -> str:
        """Where the functions run."""
        return self.region_of(next(iter(self.endpoints)))

    def region_of(self, function: str) -> str:
        return str(self.endpoints[function]["region"][0])

    @cached_property
    def service_account(self) -> str:
        """The e-mail address the functions run as; empty: the default compute account."""
        named = {each.get("serviceAccountEmail") or "" for each in self.endpoints.values()}
        account = min(named)
        # firebase-tools completes an address that ends with @ in the same way.
        return (
            f"{account}{self.project}.iam.gserviceaccount.com" if account[-1:] == "@" else account
        )

    @property
    def secrets(self) -> list[str]:
        """Every secret that a function declares."""
        return sorted(
            {
                secret.get("secret") or secret["key"]
                for endpoint in self.endpoints.values()
                for secret in endpoint.get("secretEnvironmentVariables") or []
            }
        )

    def with_trigger(self, trigger: str) -> list[str]:
        """The functions with this trigger: httpsTrigger, taskQueueTrigger, scheduleTrigger."""
        return [name for name, endpoint in self.endpoints.items() if trigger in endpoint]


def read(project: str) -> Target:
    """The target that this checkout and `project` make. Raises ManifestError."""
    parameters = read_parameters(project)
    done = subprocess.run(
        [sys.executable, "-c", PRINT_MANIFEST],
        cwd=FUNCTIONS,
        env=os.environ | parameters | {"GCLOUD_PROJECT": project},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last_line = done.stderr.strip().rpartition("\n")[2]
        raise ManifestError(f"functions/main.py cannot be loaded: {last_line}")
    return Target(project, parameters, yaml.safe_load(done.stdout)["endpoints"])


def read_parameters(project: str) -> dict[str, str]:
    """The parameters in functions/.env and functions/.env.PROJECT, the latter first."""
    found: dict[str, str] = {}
    for name in (".env", f".env.{project}"):
        path = FUNCTIONS / name
        for line in path.read_text().splitlines() if path.exists() else ():
            key, is_pair, value = line.partition("=")
            if is_pair and not key.startswith("#"):
                found[key.strip()] = value.strip().strip("'\"")
    return found
