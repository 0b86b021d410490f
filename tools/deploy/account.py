"""An account for one proof, made with the credentials of whoever deploys, and removed again."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from deploy.catalogue import encoded_fields
from deploy.google import ApiError, Google, NotFound
from deploy.target import Target


@dataclass
class Account:
    """A signed-in user, and the generation requests to remove with it."""

    uid: str
    token: str
    generation_request_ids: list[str] = field(default_factory=list)


@contextmanager
def trial_account(
    google: Google, target: Target, credits: int, *, api_key: str = ""
) -> Iterator[Account]:
    """A new user with `credits`. Everything of theirs is deleted at the exit. Raises ApiError."""
    uid, password = f"smoke-{uuid.uuid4().hex[:12]}", secrets.token_urlsafe(24)
    login = {"email": f"{uid}@example.com", "password": password}
    new = {"localId": uid, "emailVerified": True} | login
    google.post("identitytoolkit", f"v1/projects/{target.project}/accounts", new)
    account = Account(uid, "")
    try:
        document = {
            "name": f"{target.database_path}/documents/users/{uid}",
            "fields": encoded_fields({"credits": credits}),
        }
        write = {"update": document, "currentDocument": {"exists": False}}
        google.post("firestore", f"v1/{target.database_path}/documents:commit", {"writes": [write]})
        signed_in = google.call(
            "POST",
            "identitytoolkit",
            "v1/accounts:signInWithPassword",
            parameters={"key": api_key or web_api_key(google, target)},
            body=login | {"returnSecureToken": True},
        )
        account.token = signed_in["idToken"]
        yield account
    finally:
        remove(google, target, account)


def web_api_key(google: Google, target: Target) -> str:
    """The key that the project's web app names itself by; it is no secret."""
    apps = google.get("firebase", f"v1beta1/projects/{target.project}/webApps").get("apps", [])
    if not apps:
        raise NotFound("firebase", 404, "no web app is registered: make check says how to")
    path = f"v1beta1/projects/{target.project}/webApps/{apps[0]['appId']}/config"
    return str(google.get("firebase", path)["apiKey"])


def remove(google: Google, target: Target, account: Account) -> None:
    """Delete the user, the ledger and the requests, so that no report counts them."""
    documents = f"v1/{target.database_path}/documents"
    ledger = f"{documents}/users/{account.uid}/transactions"
    try:
        for page in google.pages("firestore", ledger):
            for entry in page.get("documents", []):
                google.call("DELETE", "firestore", f"v1/{entry['name']}")
        for generation_request_id in account.generation_request_ids:
            path = f"{documents}/generationRequests/{generation_request_id}"
            google.call("DELETE", "firestore", path)
        google.call("DELETE", "firestore", f"{documents}/users/{account.uid}")
        google.post(
            "identitytoolkit",
            f"v1/projects/{target.project}/accounts:delete",
            {"localId": account.uid},
        )
    except ApiError as error:
        print(f"The account {account.uid} and its documents are left over: {error}.")
