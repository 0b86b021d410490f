"""The Firebase app of this instance, and what its users' sign-ins are asked for."""

import os
import threading
from collections.abc import Callable
from typing import TypeVar

import firebase_admin
from firebase_admin import auth, credentials
from firebase_admin.exceptions import FirebaseError
from google.auth.exceptions import GoogleAuthError

from imagegen.errors import BackendUnavailable

HTTP_TIMEOUT_SECONDS = 10  # for fetching Google's public keys, among others; the SDK's own is 120

Result = TypeVar("Result")

_lock = threading.Lock()


def app() -> firebase_admin.App:
    """The app, initialized on the first call; safe to call from several threads."""
    with _lock:
        try:
            return firebase_admin.get_app()
        except ValueError:
            return start()


def start(credential: credentials.Base | None = None) -> firebase_admin.App:
    """Make the app, with the default credentials or others. Raises ValueError if there is one."""
    return firebase_admin.initialize_app(
        credential,
        {"projectId": os.environ.get("GCLOUD_PROJECT"), "httpTimeout": HTTP_TIMEOUT_SECONDS},
    )


def is_signed_up(user_id: str) -> bool:
    """Whether Firebase Authentication has the user. Raises BackendUnavailable."""
    return asked(lambda: auth.get_user(user_id, app=app())) is not None


def asked(ask: Callable[[], Result]) -> Result | None:
    """What Firebase Authentication answers to `ask`; None where it has no such user.

    Nobody has a uid or an address that none can have. Raises BackendUnavailable for any other
    answer, and where there is none.
    """
    try:
        return ask()
    except (auth.UserNotFoundError, ValueError):  # ValueError: no uid or address looks like that
        return None
    except (FirebaseError, GoogleAuthError) as error:
        raise BackendUnavailable from error
