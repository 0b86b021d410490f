"""The default catalogue, written once into an empty database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.cloud.firestore_v1 import types
from google.protobuf import json_format

from deploy.google import ApiError, Google
from deploy.target import Target
from imagegen.firestore.values import encoded
from seed import catalogue, hosting_url


def write_defaults(google: Google, target: Target) -> bool:
    """Write every document of the default catalogue, or none where one of them exists.

    Whether they were written. Raises ApiError.
    """
    writes = [
        {
            "update": {
                "name": f"{target.database_path}/documents/{path}",
                "fields": encoded_fields(each),
            },
            "currentDocument": {"exists": False},
        }
        for path, each in catalogue(hosting_url(target.project)).items()
    ]
    try:
        google.post("firestore", f"v1/{target.database_path}/documents:commit", {"writes": writes})
    except ApiError as error:
        if error.status == 409:  # ALREADY_EXISTS
            return False
        raise
    return True


def encoded_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a document in Firestore's JSON."""
    document = types.Document.pb()(fields={name: encoded(each) for name, each in fields.items()})
    return dict(json_format.MessageToDict(document)["fields"])
