"""What can be wrong with a project, and what a check is to say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import my_app
from my_app import ACCOUNT, BUCKET, DATABASE, PROJECT, RUN, binding

MEMBER = f"serviceAccount:{ACCOUNT}"
AUTH_CONFIG = f"identitytoolkit/v2/projects/{PROJECT}/config"
CATALOGUE_DOCUMENT = f"firestore/v1/{DATABASE}/documents/models/Model A"


@dataclass(frozen=True)
class Case:
    """Something that is wrong at Google, and what the check is to say of it."""

    check: str
    problem: str  # what the message says
    remedy: str  # what mends it
    path: str
    content: dict[str, Any] | None = None  # there instead; None: nothing
    blocks: bool = True


CASES = [
    Case(
        "billing",
        "Spark plan",
        "project/my-app/usage/details",
        f"cloudbilling/v1/projects/{PROJECT}/billingInfo",
        {"billingEnabled": False},
    ),
    Case(
        "services",
        "1 API is not enabled",
        "gcloud services enable cloudtasks.googleapis.com --project my-app",
        my_app.SERVICES_PATH,
        {"services": [my_app.service("run"), my_app.service("cloudtasks", "DISABLED")]},
    ),
    Case(
        "database",
        "no Firestore database (default)",
        "gcloud firestore databases create --database='(default)' --location=us-central1",
        f"firestore/v1/{DATABASE}",
    ),
    Case(
        "database",
        "Datastore mode",
        "--type=firestore-native",
        f"firestore/v1/{DATABASE}",
        {"type": "DATASTORE_MODE", "locationId": "nam5"},
    ),
    Case(
        "database",
        "Enterprise edition",
        "Standard edition",
        f"firestore/v1/{DATABASE}",
        {"type": "FIRESTORE_NATIVE", "locationId": "nam5", "databaseEdition": "ENTERPRISE"},
    ),
    Case(
        "database",
        "in eur3 and the functions run in us-central1",
        "functions/.env.my-app",
        f"firestore/v1/{DATABASE}",
        {"type": "FIRESTORE_NATIVE", "locationId": "eur3"},
        blocks=False,
    ),
    Case(
        "backups",
        "no backup schedule",
        "gcloud firestore backups schedules create",
        f"firestore/v1/{DATABASE}/backupSchedules",
        {},
        blocks=False,
    ),
    Case(
        "backups",
        "Point-in-time recovery is off",
        "--enable-pitr",
        f"firestore/v1/{DATABASE}",
        {"pointInTimeRecoveryEnablement": "POINT_IN_TIME_RECOVERY_DISABLED"},
        blocks=False,
    ),
    Case(
        "indexes",
        "indexes are not there",
        "--only firestore:indexes",
        my_app.INDEXES,
        {},
        blocks=False,
    ),
    Case(
        "catalogue",
        "models/Model A may hold a key in apiKey",
        "Revoke the key",
        CATALOGUE_DOCUMENT,
        my_app.document("models/Model A", {"generator": "openai", "apiKey": "sk-0123456789"}),
    ),
    Case("sign-in", "Authentication has not been set up", "Get started", AUTH_CONFIG),
    Case(
        "sign-in",
        "e-mail address and password is off",
        "project/my-app/authentication/providers",
        AUTH_CONFIG,
        {"signIn": {"email": {"enabled": False}}},
    ),
    Case(
        "web app",
        "No web app is registered",
        "apps:create WEB",
        f"firebase/v1beta1/projects/{PROJECT}/webApps/1:1234567890:web:abc",
    ),
    Case(
        "bucket",
        "no Storage bucket",
        "project/my-app/storage",
        my_app.BUCKET_PATH,
    ),
    Case(
        "secrets",
        "OPENAI_API_KEY has no value",
        "functions:secrets:set OPENAI_API_KEY --project my-app",
        my_app.SECRET_PATH,
    ),
    Case(
        "secrets",
        "OPENAI_API_KEY has no value",
        "functions:secrets:set OPENAI_API_KEY",
        my_app.SECRET_PATH,
        {"state": "DESTROYED"},
    ),
    Case(
        "service account",
        f"no service account {ACCOUNT}",
        "gcloud iam service-accounts create imagegen --project my-app",
        my_app.ACCOUNT_PATH,
    ),
    Case(
        "service account",
        "is disabled",
        "gcloud iam service-accounts enable",
        my_app.ACCOUNT_PATH,
        {"email": ACCOUNT, "disabled": True},
    ),
    Case(
        "service account",
        "lacks roles/datastore.user",
        f"add-iam-policy-binding my-app --member={MEMBER} --role=roles/datastore.user",
        my_app.PROJECT_POLICY,
        {"bindings": [binding("roles/cloudtasks.enqueuer", MEMBER)]},
    ),
    Case(
        "service account",
        "more than it needs",
        "remove-iam-policy-binding my-app",
        my_app.PROJECT_POLICY,
        {"bindings": [binding("roles/editor", MEMBER)]},
        blocks=False,
    ),
    Case(
        "service account",
        "may not act as itself",
        f"add-iam-policy-binding {ACCOUNT}",
        f"{my_app.ACCOUNT_PATH}:getIamPolicy",
        {"bindings": [binding("roles/iam.serviceAccountUser", "user:ann@example.com")]},
    ),
    Case(
        "service account",
        f"may not write images to {BUCKET}",
        "--role=roles/storage.objectUser",
        f"storage/storage/v1/b/{BUCKET}/iam",
        {"bindings": []},
    ),
    Case(
        "build account",
        "lacks roles/cloudbuild.builds.builder",
        f"--member={my_app.BUILDER} --role=roles/cloudbuild.builds.builder",
        my_app.PROJECT_POLICY,
        {"bindings": [binding("roles/viewer", my_app.BUILDER)]},
        blocks=False,
    ),
    Case(
        "App Check",
        "No app is registered with App Check",
        "project/my-app/appcheck/apps",
        my_app.RECAPTCHA,
    ),
    Case(
        "App Check",
        f"{ACCOUNT} lacks {my_app.VERIFIER}",
        f"add-iam-policy-binding my-app --member={MEMBER} --role={my_app.VERIFIER}",
        my_app.PROJECT_POLICY,
        {"bindings": [binding("roles/datastore.user", MEMBER)]},
    ),
    Case(
        "queue",
        "processGeneration is paused",
        "gcloud tasks queues resume processGeneration --location=us-central1",
        my_app.QUEUE,
        {"state": "PAUSED"},
    ),
    Case(
        "callers",
        "Nobody may call listModels",
        "gcloud run services add-iam-policy-binding listmodels --member=allUsers",
        f"{RUN}/listmodels:getIamPolicy",
        {},
    ),
    Case(
        "callers",
        "Everybody may call recoverLostGenerations",
        "remove-iam-policy-binding recoverlostgenerations --member=allUsers",
        f"{RUN}/recoverlostgenerations:getIamPolicy",
        {"bindings": [binding("roles/run.invoker", "allUsers", MEMBER)]},
    ),
    Case(
        "callers",
        "The queue may not call processGeneration",
        f"add-iam-policy-binding processgeneration --member={MEMBER} --role=roles/run.invoker",
        f"{RUN}/processgeneration:getIamPolicy",
        {"bindings": [binding("roles/run.invoker", "serviceAccount:other@example.com")]},
    ),
]
