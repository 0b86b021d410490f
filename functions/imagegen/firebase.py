"""The Firebase app of this instance, which the Admin SDK's services are called with."""

import os
import threading

import firebase_admin

HTTP_TIMEOUT_SECONDS = 10  # for fetching Google's public keys, among others; the SDK's own is 120

_lock = threading.Lock()


def app() -> firebase_admin.App:
    """The app, initialized on the first call; safe to call from several threads."""
    with _lock:
        try:
            return firebase_admin.get_app()
        except ValueError:
            return firebase_admin.initialize_app(
                options={
                    "projectId": os.environ.get("GCLOUD_PROJECT"),
                    "httpTimeout": HTTP_TIMEOUT_SECONDS,
                }
            )
