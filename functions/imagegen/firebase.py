"""The Firebase app of this instance, which the Admin SDK's services are called with."""

import os
import threading

import firebase_admin

_lock = threading.Lock()


def app() -> firebase_admin.App:
    """The app, initialized on the first call; safe to call from several threads."""
    with _lock:
        try:
            return firebase_admin.get_app()
        except ValueError:
            return firebase_admin.initialize_app(
                options={"projectId": os.environ.get("GCLOUD_PROJECT")}
            )
