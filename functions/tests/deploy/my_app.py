"""A project, my-app, where everything is as a deploy needs it: Google's answers by path."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from demo.seed import catalogue
from deploy.catalogue import encoded_fields
from deploy.checks.project import APP_CHECK, SERVICES
from deploy.target import ROOT, Target

Json = dict[str, Any]
PROJECT = "my-app"
ACCOUNT = f"imagegen@{PROJECT}.iam.gserviceaccount.com"
BUILDER = "serviceAccount:1234567890-compute@developer.gserviceaccount.com"
DATABASE = f"projects/{PROJECT}/databases/(default)"
SERVICES_PATH = f"serviceusage/v1/projects/{PROJECT}/services:batchGet"
PROJECT_POLICY = f"cloudresourcemanager/v3/projects/{PROJECT}:getIamPolicy"
ACCOUNT_PATH = f"iam/v1/projects/{PROJECT}/serviceAccounts/{ACCOUNT}"
BUCKET = f"{PROJECT}.firebasestorage.app"
BUCKET_PATH = f"firebasestorage/v1beta/projects/{PROJECT}/defaultBucket"
SECRET_PATH = f"secretmanager/v1/projects/{PROJECT}/secrets/OPENAI_API_KEY/versions/latest"
INDEXES = f"firestore/v1/{DATABASE}/collectionGroups/-/indexes"
QUEUE = f"cloudtasks/v2/projects/{PROJECT}/locations/us-central1/queues/processGeneration"
WEB_APP = "1:1234567890:web:abc"
RECAPTCHA = f"firebaseappcheck/v1/projects/{PROJECT}/apps/{WEB_APP}/recaptchaEnterpriseConfig"
VERIFIER = "roles/firebaseappcheck.tokenVerifier"
RUN = f"run/v2/projects/{PROJECT}/locations/us-central1/services"

ENDPOINTS: Json = {
    "listModels": {"httpsTrigger": {}},
    "createGenerationRequest": {
        "httpsTrigger": {},
        "secretEnvironmentVariables": [{"key": "OPENAI_API_KEY"}],
    },
    "processGeneration": {"taskQueueTrigger": {}},
    "recoverLostGenerations": {"scheduleTrigger": {"schedule": "*/5 * * * *"}},
}


def target(**parameters: str) -> Target:
    """What is to be deployed: four functions, one secret, an account of their own, App Check."""
    given = {"APP_CHECK": "required", "APP_CHECK_REPLAY_PROTECTION": "true"} | parameters
    common = {"region": ["us-central1"], "serviceAccountEmail": "imagegen@"}
    return Target(PROJECT, given, {name: common | each for name, each in ENDPOINTS.items()})


def resources() -> dict[str, Json]:
    """Every answer of the APIs, by api and path."""
    return {
        f"firebase/v1beta1/projects/{PROJECT}": {
            "projectId": PROJECT,
            "projectNumber": "1234567890",
            "state": "ACTIVE",
        },
        f"firebase/v1beta1/projects/{PROJECT}/webApps/{WEB_APP}": {
            "appId": WEB_APP,
            "displayName": "console",
            "state": "ACTIVE",
        },
        f"firebase/v1beta1/projects/{PROJECT}/webApps/{WEB_APP}/config": {
            "apiKey": "the-web-api-key"
        },
        RECAPTCHA: {
            "name": f"projects/{PROJECT}/apps/{WEB_APP}/recaptchaEnterpriseConfig",
            "siteKey": "6Lc-site-key",
        },
        f"cloudbilling/v1/projects/{PROJECT}/billingInfo": {
            "billingAccountName": "billingAccounts/012345-567890-ABCDEF",
            "billingEnabled": True,
        },
        SERVICES_PATH: {"services": [service(name) for name in (*SERVICES, APP_CHECK)]},
        f"identitytoolkit/v2/projects/{PROJECT}/config": {
            "signIn": {"email": {"enabled": True, "passwordRequired": True}}
        },
        BUCKET_PATH: {"bucket": {"name": f"projects/{PROJECT}/buckets/{BUCKET}"}},
        SECRET_PATH: {"state": "ENABLED"},
        QUEUE: {"state": "RUNNING"},
        **firestore(),
        **service_account(),
        **cloud_run(),
    }


def service(name: str, state: str = "ENABLED") -> Json:
    return {"name": f"projects/1234567890/services/{name}.googleapis.com", "state": state}


def firestore() -> dict[str, Json]:
    declared = json.loads((ROOT / "firestore.indexes.json").read_text())["indexes"]
    return {
        f"firestore/v1/{DATABASE}": {
            "type": "FIRESTORE_NATIVE",
            "locationId": "nam5",
            "databaseEdition": "STANDARD",
            "pointInTimeRecoveryEnablement": "POINT_IN_TIME_RECOVERY_ENABLED",
        },
        f"firestore/v1/{DATABASE}/backupSchedules": {
            "backupSchedules": [{"retention": "8467200s", "dailyRecurrence": {}}]
        },
        INDEXES: {"indexes": [index(number, each) for number, each in enumerate(declared)]},
        **{
            f"firestore/v1/{DATABASE}/documents/{path}": document(path, fields)
            for path, fields in catalogue("https://my-app.web.app").items()
        },
    }


def index(number: int, declared: Mapping[str, Any], state: str = "READY") -> Json:
    """An index as Firestore describes it: with the document's name as its last field."""
    groups = f"{DATABASE}/collectionGroups"
    return {
        "name": f"{groups}/{declared['collectionGroup']}/indexes/CICAgO{number}",
        "queryScope": declared["queryScope"],
        "fields": [*declared["fields"], {"fieldPath": "__name__", "order": "ASCENDING"}],
        "state": state,
    }


def document(path: str, fields: Mapping[str, Any]) -> Json:
    return {"name": f"{DATABASE}/documents/{path}", "fields": encoded_fields(fields)}


def binding(role: str, *members: str) -> Json:
    return {"role": role, "members": list(members)}


def service_account() -> dict[str, Json]:
    member = f"serviceAccount:{ACCOUNT}"
    project = [
        binding(role, member)
        for role in (
            "roles/datastore.user",
            "roles/cloudtasks.enqueuer",
            "roles/firebaseauth.admin",
            "roles/firebasecloudmessaging.admin",
            VERIFIER,
        )
    ]
    return {
        ACCOUNT_PATH: {"email": ACCOUNT},
        PROJECT_POLICY: {
            "bindings": [*project, binding("roles/cloudbuild.builds.builder", BUILDER)]
        },
        f"{ACCOUNT_PATH}:getIamPolicy": {
            "bindings": [binding("roles/iam.serviceAccountUser", member)]
        },
        f"storage/storage/v1/b/{BUCKET}/iam": {
            "bindings": [binding("roles/storage.objectUser", member)]
        },
    }


def cloud_run() -> dict[str, Json]:
    callers = {
        "listmodels": "allUsers",
        "creategenerationrequest": "allUsers",
        "processgeneration": f"serviceAccount:{ACCOUNT}",
        "recoverlostgenerations": f"serviceAccount:{ACCOUNT}",
    }
    found: dict[str, Json] = {}
    for name, member in callers.items():
        found[f"{RUN}/{name}"] = {"uri": f"https://{name}-abc-uc.a.run.app"}
        policy = {"bindings": [binding("roles/run.invoker", member)]}
        found[f"{RUN}/{name}:getIamPolicy"] = policy
    return found
