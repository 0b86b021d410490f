"""Write what a database has to start with: the catalogue, and users to try the functions with.

    imagegen-seed --emulator-data                              make emulator-data/ again
    imagegen-seed --project ID [--user ID=CREDITS] [--force]   fill a real project

A user document that exists is never changed: its credits belong to somebody.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import firebase_admin
from firebase_admin import auth
from google.api_core.exceptions import AlreadyExists
from google.auth.exceptions import DefaultCredentialsError
from google.cloud import firestore
from pydantic import TypeAdapter, ValidationError

from emulators import config
from emulators.paths import DATA
from emulators.problem import Problem
from emulators.suite import HOST, PROJECT, private
from imagegen.api.schema import DocumentId
from imagegen.audit.entries import MAX_CREDITS

USER_ID: TypeAdapter[str] = TypeAdapter(DocumentId)  # the rule of the API
CATALOGUE = Path(__file__).with_name("catalogue.json")
PASSWORD = "imagegen"  # noqa: S105 - of accounts that exist in the emulator only


class DemoUser(NamedTuple):
    uid: str
    credits: int
    is_admin: bool = False

    @property
    def email(self) -> str:
        return f"{self.uid}@example.com"


DEMO_USERS = (
    DemoUser("testUser1", 100),
    DemoUser("testUser2", 10),
    DemoUser("admin", 0, is_admin=True),
)


def catalogue(base_url: str) -> dict[str, dict[str, Any]]:
    """Every catalogue document by its path; `base_url` is where Hosting serves the images."""
    collections: dict[str, dict[str, dict[str, Any]]] = json.loads(CATALOGUE.read_text())
    documents = {}
    for collection, options in collections.items():
        for position, (name, given) in enumerate(options.items(), start=1):
            fields = {"enabled": True, "sortOrder": position * 10} | given
            if "imageUrl" in fields:
                fields["imageUrl"] = base_url + fields["imageUrl"]
            documents[f"{collection}/{name}"] = fields
    return documents


def hosting_url(project: str) -> str:
    """Where Firebase Hosting serves web/public: the emulator for the demo project."""
    if project == PROJECT:
        return f"http://{HOST}:{config.read()['emulators']['hosting']['port']}"
    return f"https://{project}.web.app"


def seed_firestore(client: firestore.Client, base_url: str, credits: Mapping[str, int]) -> None:
    """Write the catalogue, and a document for every user in `credits` who has none."""
    for path, fields in catalogue(base_url).items():
        client.document(path).set(fields)
    now = datetime.now(UTC)
    for user_id, balance in credits.items():
        user = {"credits": balance, "ledgerSequence": 0, "createdAt": now, "updatedAt": now}
        try:
            client.document(f"users/{user_id}").create(user)
        except AlreadyExists:
            print(f"User {user_id} exists already and was not changed.")


def seed_auth(users: Sequence[DemoUser]) -> None:
    """Create an account with the same uid for each user in the Auth emulator."""
    app = firebase_admin.initialize_app(options={"projectId": PROJECT}, name="seed")
    for user in users:
        auth.create_user(
            app=app, uid=user.uid, email=user.email, email_verified=True, password=PASSWORD
        )
        if user.is_admin:
            auth.set_custom_user_claims(user.uid, {"admin": True}, app=app)
    firebase_admin.delete_app(app)


def make_emulator_data() -> None:
    """Replace emulator-data/ with an export of freshly seeded emulators."""
    with private(only=("firestore", "auth"), import_data=False) as suite:
        os.environ |= suite.environment()
        client = firestore.Client(project=PROJECT)
        seed_firestore(client, hosting_url(PROJECT), {u.uid: u.credits for u in DEMO_USERS})
        seed_auth(DEMO_USERS)
        suite.export(DATA)
    print(f"Written: {DATA.name}/")


def seed_project(project: str, credits: Mapping[str, int], *, force: bool) -> None:
    """Write to a real project, unless it is in use."""
    try:
        client = firestore.Client(project=project)
    except DefaultCredentialsError as error:
        raise Problem(
            "There are no Google credentials: run `gcloud auth application-default login` and try "
            "again."
        ) from error
    if not force and list(client.collection("users").limit(1).stream()):
        raise Problem(
            f"{project} has users already, so it is in use: to write the catalogue and new users "
            "all the same, add --force (make: FORCE=1)."
        )
    seed_firestore(client, hosting_url(project), credits)
    print(f"{project}: {len(catalogue(''))} catalogue documents written.")


def main(arguments: Sequence[str] | None = None) -> int:
    options = parsed(arguments)
    try:
        if options.emulator_data:
            make_emulator_data()
        elif host := os.environ.get("FIRESTORE_EMULATOR_HOST"):
            raise Problem(
                f"FIRESTORE_EMULATOR_HOST is {host}, so this would write to an emulator: unset it "
                "and try again."
            )
        else:
            seed_project(options.project, dict(options.user), force=options.force)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Write the catalogue and users to a database.")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--emulator-data", action="store_true", help="make emulator-data/ again")
    target.add_argument("--project", help="write to this Firebase project")
    parser.add_argument(
        "--user",
        action="append",
        default=[],
        type=_user,
        metavar="ID=CREDITS",
        help="also create this user; may be repeated",
    )
    parser.add_argument("--force", action="store_true", help="write even if the project has users")
    return parser.parse_args(arguments)


def _user(text: str) -> tuple[str, int]:
    """The id and the credits of ID=CREDITS; argparse prints what is wrong with them."""
    user_id, _, credits = text.rpartition("=")
    if not user_id or not credits.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not ID=CREDITS, such as alice=100")
    try:
        USER_ID.validate_python(user_id)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise argparse.ArgumentTypeError(f"{user_id!r} cannot be a user id: it {reason}") from error
    if int(credits) > MAX_CREDITS:
        raise argparse.ArgumentTypeError(f"{text!r}: a balance is at most {MAX_CREDITS:,} credits")
    return user_id, int(credits)
