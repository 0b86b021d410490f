"""Firestore: the database, its indexes, its backups, and the catalogue in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from google.cloud.firestore_v1 import types
from google.protobuf import json_format

from deploy.finding import Finding
from deploy.google import Google, Json, NotFound
from deploy.target import ROOT, Target
from imagegen.catalogue import secrets
from imagegen.firestore.values import decoded

COLLECTIONS = ("models", "styles", "colors", "sizes")
# Firestore's multi-regions, and where functions are near them.
MULTI_REGIONS = {"nam5": "us-", "nam7": "us-", "eur3": "europe-"}


def database(google: Google, target: Target) -> Iterator[Finding]:
    """The Firestore database exists, in native mode, near the functions."""
    name, project = target.database, target.project
    try:
        found = google.get("firestore", f"v1/{target.database_path}")
    except NotFound:
        yield Finding(
            f"There is no Firestore database {name}.",
            f"gcloud firestore databases create --database='{name}' --location={target.region} "
            f"--type=firestore-native --project {project}  (the location cannot be changed later)",
        )
        return
    if found.get("type") != "FIRESTORE_NATIVE":
        yield Finding(
            f"The database {name} is in Datastore mode; native mode is needed.",
            "While it is empty: gcloud firestore databases update "
            f"--database='{name}' --type=firestore-native --project {project}",
        )
    if found.get("databaseEdition") == "ENTERPRISE":
        yield Finding(
            f"The database {name} is of the Enterprise edition, which has no automatic indexes.",
            "Create one of the Standard edition and name it in FIRESTORE_DATABASE.",
        )
    location = str(found["locationId"])
    near = MULTI_REGIONS.get(location, location)
    if not target.region.startswith(near):
        yield Finding(
            f"The database is in {location} and the functions run in {target.region}: every call "
            "crosses that distance several times.",
            f"Set REGION in functions/.env.{project} to a region near {location}.",
            blocks=False,
        )


def backups(google: Google, target: Target) -> Iterator[Finding]:
    """The ledger can be restored: a backup schedule, and point-in-time recovery."""
    name, project = target.database, target.project
    schedules = google.get("firestore", f"v1/{target.database_path}/backupSchedules")
    if not schedules.get("backupSchedules"):
        yield Finding(
            "The database has no backup schedule.",
            f"gcloud firestore backups schedules create --database='{name}' --recurrence=daily "
            f"--retention=14w --project {project}",
            blocks=False,
        )
    found = google.get("firestore", f"v1/{target.database_path}")
    if found.get("pointInTimeRecoveryEnablement") != "POINT_IN_TIME_RECOVERY_ENABLED":
        yield Finding(
            "Point-in-time recovery is off: a mistake can be undone up to the last backup only.",
            f"gcloud firestore databases update --database='{name}' --enable-pitr "
            f"--project {project}",
            blocks=False,
        )


# --- indexes ----------------------------------------------------------------------------------


def indexes(google: Google, target: Target) -> Iterator[Finding]:
    """Every index of firestore.indexes.json is there and serves; the deploy makes what is not."""
    groups = f"v1/{target.database_path}/collectionGroups"
    states: dict[Any, str] = {}
    for page in google.pages("firestore", f"{groups}/-/indexes"):
        for index in page.get("indexes", []):
            states[_identity(index, index["name"].split("/")[-3])] = index.get("state", "")
    wanted = json.loads((ROOT / "firestore.indexes.json").read_text())["indexes"]
    found = [states.get(_identity(index, index["collectionGroup"])) for index in wanted]
    absent, building = found.count(None), found.count("CREATING")
    remedy = f"make deploy PROJECT={target.project} ARGS='--only firestore:indexes'"
    if absent:
        yield Finding(
            f"{absent} of {len(wanted)} indexes are not there; the deploy makes them. On a large "
            "database deploy them first, and the functions when they serve.",
            remedy,
            blocks=False,
        )
    if building:
        yield Finding(
            f"{building} indexes are being built; queries that need them fail until then.",
            f"Wait, and look again: make check PROJECT={target.project}",
            blocks=False,
        )
    if found.count("NEEDS_REPAIR"):
        yield Finding(
            f"{found.count('NEEDS_REPAIR')} indexes could not be built.",
            "Delete them at https://console.firebase.google.com/project/"
            f"{target.project}/firestore/indexes and run {remedy}",
        )


def _identity(index: Json, collection: str) -> Any:
    """What makes two descriptions the same index; Google adds the document's name at the end."""
    fields = tuple(
        (field["fieldPath"], field.get("order") or field.get("arrayConfig"))
        for field in index["fields"]
        if field["fieldPath"] != "__name__"
    )
    return collection, index.get("queryScope", "COLLECTION"), fields


# --- the catalogue ----------------------------------------------------------------------------


def catalogue(google: Google, target: Target) -> Iterator[Finding]:
    """Something is on offer, and no document that everybody reads holds a key."""
    for collection in COLLECTIONS:
        offered = dict(documents(google, target, collection))
        if not offered:
            yield Finding(
                f"The collection {collection} is empty, so nothing can be ordered.",
                f"Write the default catalogue: make catalogue PROJECT={target.project}",
            )
        for name, fields in offered.items():
            if found := secrets.found_in(fields):
                yield Finding(
                    f"{collection}/{name} may hold a key in {', '.join(found)}, and everybody can "
                    "read it.",
                    "Revoke the key, store its successor with firebase functions:secrets:set, and "
                    "remove the field: https://console.firebase.google.com/project/"
                    f"{target.project}/firestore",
                )


def documents(
    google: Google, target: Target, collection: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The documents of a collection, by name."""
    path = f"v1/{target.database_path}/documents/{collection}"
    for page in google.pages("firestore", path, pageSize=300):
        for document in page.get("documents", []):
            message = json_format.ParseDict(document, types.Document.pb()())
            name = document["name"].rpartition("/")[2]
            yield name, {key: decoded(value) for key, value in message.fields.items()}
