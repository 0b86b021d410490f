"""The model `Local Studio`, by which the catalogue of running emulators offers the studio.

It is written while they run and is no part of emulator-data: without the studio it could only fail.
"""

from __future__ import annotations

import os

from google.cloud import firestore

MODEL = "Local Studio"


def offer(url: str) -> None:
    """Write the model into the Firestore emulator that the environment names."""
    if "FIRESTORE_EMULATOR_HOST" not in os.environ:
        raise SystemExit("Local Studio is for the emulators only: FIRESTORE_EMULATOR_HOST is unset")
    client = firestore.Client(project=os.environ["GCLOUD_PROJECT"])
    client.document(f"models/{MODEL}").set(
        {
            "generator": "openai",
            "providerModel": "studio-1",
            "baseUrl": f"{url}/openai/v1",
            "sources": True,
            "enabled": True,
            "sortOrder": 30,
            "aliases": ["studio"],
            "description": "An image provider on this machine: every order gets its own picture.",
        }
    )
    client.close()
