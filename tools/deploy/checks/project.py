"""The project itself: that it is there, is paid for, and may call what it needs."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.finding import Finding
from deploy.google import Forbidden, Google, NotFound
from deploy.target import Target

# What the functions, firebase-tools and these checks call. firebase-tools enables some of them
# itself, one by one, each with a wait; one command enables all.
SERVICES = (
    "artifactregistry",
    "cloudbilling",
    "cloudbuild",
    "cloudfunctions",
    "cloudresourcemanager",
    "cloudscheduler",
    "cloudtasks",
    "eventarc",
    "fcm",
    "firebase",
    "firebasehosting",
    "firebaserules",
    "firebasestorage",
    "firestore",
    "iam",
    "identitytoolkit",
    "logging",
    "monitoring",
    "pubsub",
    "run",
    "secretmanager",
    "storage",
)
APP_CHECK = "firebaseappcheck"


def project(google: Google, target: Target) -> Iterator[Finding]:
    """The Firebase project exists and is this caller's to see."""
    name = target.project
    try:
        found = google.get("firebase", f"v1beta1/projects/{name}")
    except (NotFound, Forbidden):
        # Google answers 403 for a project that is not there as well, so as not to tell which is.
        yield Finding(
            f"There is no Firebase project {name}, or these credentials may not see it.",
            "Make it at https://console.firebase.google.com, or have its owner add you at "
            f"https://console.cloud.google.com/iam-admin/iam?project={name}",
        )
        return
    if found.get("state") != "ACTIVE":
        yield Finding(
            f"The project {name} is being deleted.",
            f"Restore it: gcloud projects undelete {name}",
        )


def billing(google: Google, target: Target) -> Iterator[Finding]:
    """The project is on the Blaze plan: Cloud Functions and Cloud Tasks need it."""
    info = google.get("cloudbilling", f"v1/projects/{target.project}/billingInfo")
    if not info.get("billingEnabled"):
        yield Finding(
            "The project is on the Spark plan; Cloud Functions need Blaze.",
            f"https://console.firebase.google.com/project/{target.project}/usage/details",
        )


def services(google: Google, target: Target) -> Iterator[Finding]:
    """Every API that is called is enabled."""
    parent = f"projects/{target.project}"
    needed = SERVICES if target.app_check == "off" else (*SERVICES, APP_CHECK)
    names = [f"{parent}/services/{service}.googleapis.com" for service in needed]
    answer = google.get("serviceusage", f"v1/{parent}/services:batchGet", names=names)
    off = [
        each["name"].rpartition("/")[2]
        for each in answer.get("services", [])
        if each.get("state") != "ENABLED"
    ]
    if off:
        few = len(off) == 1
        yield Finding(
            f"{len(off)} {'API is' if few else 'APIs are'} not enabled.",
            f"gcloud services enable {' '.join(sorted(off))} --project {target.project}",
        )
