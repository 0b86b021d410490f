"""The metrics, alerts and dashboard of ops/, applied to a project.

The files are in the form of Google's own APIs. Each is written only where the project has none, or
another: a second run changes nothing. An alert policy is found again by its label `imagegen`, the
name of its file; notification channels that somebody added to it stay.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.google import Google, Json, NotFound
from deploy.target import ROOT

OPS = ROOT / "ops"
DASHBOARD = "imagegen"


def apply(google: Google, project: str, *, email: str = "") -> int:
    """Apply every file and say what became of it; 1 when it has to be run again.

    Raises ApiError.
    """
    for name, change in metrics(google, project):
        print(f"{change:10} metric {name}")
    channels = [channel(google, project, email)] if email else []
    waiting = False
    for name, change in policies(google, project, channels):
        print(f"{change:10} alert {name}")
        waiting |= change == "waiting"
    print(f"{dashboard(google, project):10} dashboard {DASHBOARD}")
    if waiting:
        print("A metric can be used some minutes after it was created: run this again then.")
    elif not email:
        print("To be told: make alerts with EMAIL=you@example.com")
    return int(waiting)


def files(directory: str) -> Iterator[tuple[str, Json]]:
    for path in sorted((OPS / directory).glob("*.json")):
        yield path.stem, read(path)


def read(path: Path) -> Json:
    content: Json = json.loads(path.read_text())
    return content


def metrics(google: Google, project: str) -> Iterator[tuple[str, str]]:
    """The name of every log-based metric, and how it changed."""
    for name, wanted in files("metrics"):
        path = f"v2/projects/{project}/metrics/{wanted['name']}"
        try:
            existing: Json | None = google.get("logging", path)
        except NotFound:
            existing = None
        if not includes(existing, wanted):
            google.call("PUT", "logging", path, body=wanted)
        yield name, _change(existing, wanted)


def channel(google: Google, project: str, email: str) -> str:
    """The name of the notification channel that sends to `email`."""
    path = f"v3/projects/{project}/notificationChannels"
    for page in google.pages("monitoring", path):
        for each in page.get("notificationChannels", []):
            if each.get("type") == "email" and each["labels"].get("email_address") == email:
                return str(each["name"])
    wanted = {"type": "email", "displayName": email, "labels": {"email_address": email}}
    return str(google.post("monitoring", path, wanted)["name"])


def policies(google: Google, project: str, channels: list[str]) -> Iterator[tuple[str, str]]:
    """The name of every alert policy, and how it changed."""
    path = f"v3/projects/{project}/alertPolicies"
    by_label = {
        policy["userLabels"]["imagegen"]: policy
        for page in google.pages("monitoring", path)
        for policy in page.get("alertPolicies", [])
        if "imagegen" in policy.get("userLabels", {})
    }
    for name, wanted in files("alerts"):
        existing = by_label.get(name)
        told = (existing or {}).get("notificationChannels", [])
        if missing := [each for each in channels if each not in told]:
            wanted["notificationChannels"] = [*told, *missing]
        try:
            if existing is None:
                google.post("monitoring", path, wanted)
            elif not includes(existing, wanted):
                mask = {"updateMask": ",".join(sorted(wanted))}
                google.call(
                    "PATCH", "monitoring", f"v3/{existing['name']}", parameters=mask, body=wanted
                )
        except NotFound:  # the type of a metric that is too new
            yield name, "waiting"
        else:
            yield name, _change(existing, wanted)


def dashboard(google: Google, project: str) -> str:
    """How the dashboard changed."""
    name = f"projects/{project}/dashboards/{DASHBOARD}"
    wanted = read(OPS / "dashboard.json")
    try:
        existing: Json | None = google.get("monitoring", f"v1/{name}")
    except NotFound:
        existing = None
        google.post("monitoring", f"v1/projects/{project}/dashboards", wanted | {"name": name})
    if existing is not None and not includes(existing, wanted):
        body = wanted | {"name": name, "etag": existing.get("etag", "")}
        google.call("PATCH", "monitoring", f"v1/{name}", body=body)
    return _change(existing, wanted)


def _change(existing: Json | None, wanted: Json) -> str:
    if existing is None:
        return "created"
    return "unchanged" if includes(existing, wanted) else "updated"


def includes(existing: Any, wanted: Any) -> bool:
    """Whether all that is wanted is there; Google adds names, times and defaults."""
    if isinstance(wanted, dict):
        return isinstance(existing, dict) and all(
            includes(existing.get(name), value) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(existing, list)
            and len(existing) == len(wanted)
            and all(map(includes, existing, wanted))
        )
    return bool(existing == wanted)
