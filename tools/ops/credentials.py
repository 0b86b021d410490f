"""What the functions have of a project and an operator's machine has not: account and bucket.

A task carries the identity of a service account, by which its worker lets the call in. The SDK
takes that of the credentials, and the functions have one; people have none, and it refuses to put
anything on a queue for them.
"""

from __future__ import annotations

import json
import os
from typing import Any

from firebase_admin.credentials import ApplicationDefault
from google.auth.transport.requests import AuthorizedSession

from deploy.google import ApiError, Google, Json, NoCredentials
from imagegen import config


class OperatorCredentials(ApplicationDefault):  # type: ignore[misc] # it has no types
    """The default credentials of this machine, for a project."""

    def __init__(self, project: str) -> None:
        super().__init__()
        self._project = project

    def get_credential(self) -> Any:
        """As the base class; raises ValueError when the functions' account cannot be found out."""
        found = super().get_credential()
        if not hasattr(found, "service_account_email"):
            found.service_account_email = _functions_account(self._project, found)
        return found


def _functions_account(project: str, credentials: Any) -> str:
    """The address of the account that the functions of a project run as."""
    account: str = config.SERVICE_ACCOUNT.value
    if account:
        return f"{account}{project}.iam.gserviceaccount.com" if account[-1] == "@" else account
    number = _asked(credentials, project)["projectNumber"]
    return f"{number}-compute@developer.gserviceaccount.com"


def find_bucket() -> None:
    """Set FIREBASE_CONFIG, from which the functions know the project's default bucket.

    No-op on the emulators, and where IMAGE_BUCKET names another. Raises ValueError.
    """
    if config.IMAGE_BUCKET.value or os.environ.get("FUNCTIONS_EMULATOR") == "true":
        return
    credentials = ApplicationDefault().get_credential()
    found = _asked(credentials, f"{os.environ['GCLOUD_PROJECT']}/adminSdkConfig")
    os.environ["FIREBASE_CONFIG"] = json.dumps(found)


def _asked(credentials: Any, path: str) -> Json:
    """What Firebase says of a project. Raises ValueError."""
    try:
        return Google(AuthorizedSession(credentials)).get("firebase", f"v1beta1/projects/{path}")
    except (ApiError, NoCredentials) as error:
        raise ValueError(f"Firebase does not tell of {path}: {error}") from error
