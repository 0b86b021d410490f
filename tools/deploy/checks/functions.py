"""The functions: their secrets, whom they run as, their queue, and who may call them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deploy.finding import Finding
from deploy.google import Google, Json, NotFound
from deploy.target import Target

INVOKER = "roles/run.invoker"
ACT_AS = "roles/iam.serviceAccountUser"
# What the functions do in the project, and the least that lets them.
PROJECT_ROLES = ("roles/datastore.user", "roles/cloudtasks.enqueuer")
BUCKET_ROLES = {"roles/storage.objectUser", "roles/storage.objectAdmin", "roles/storage.admin"}
# They hold all of the above, and much more than a function should.
BROAD_ROLES = {"roles/owner", "roles/editor"}


def secrets(google: Google, target: Target) -> Iterator[Finding]:
    """Every secret that a function declares has a value: a deploy stops at one that has none."""
    for name in target.secrets:
        try:
            version = google.get(
                "secretmanager", f"v1/projects/{target.project}/secrets/{name}/versions/latest"
            )
        except NotFound:
            version = {}
        if version.get("state") != "ENABLED":
            yield Finding(
                f"The secret {name} has no value.",
                f"npx firebase-tools functions:secrets:set {name} --project {target.project}",
            )


# --- the service account ----------------------------------------------------------------------


def service_account(google: Google, target: Target) -> Iterator[Finding]:
    """The functions run as an account of their own that holds what they need and no more."""
    project, account = target.project, target.service_account
    if not account:
        account = f"imagegen@{project}.iam.gserviceaccount.com"
        yield Finding(
            "The functions run as the default compute account, which may be Editor of the whole "
            "project, or nothing, by the organisation's policy.",
            f"Set SERVICE_ACCOUNT=imagegen@ in functions/.env.{project}, then make check "
            f"PROJECT={project} says how to create it.",
            blocks=False,
        )
        return
    try:
        found = google.get("iam", f"v1/projects/{project}/serviceAccounts/{account}")
    except NotFound:
        yield Finding(
            f"There is no service account {account}.",
            f"gcloud iam service-accounts create {account.partition('@')[0]} --project {project}",
        )
        found = None
    if found and found.get("disabled"):
        yield Finding(
            f"The service account {account} is disabled.",
            f"gcloud iam service-accounts enable {account} --project {project}",
        )
    yield from _project_roles(google, target)
    if found:
        yield from _acts_as_itself(google, target)
    yield from _bucket_role(google, target)


def _project_roles(google: Google, target: Target) -> Iterator[Finding]:
    held = _roles(_project_policy(google, target), target.service_account)
    if broad := held & BROAD_ROLES:
        yield Finding(
            f"{target.service_account} holds {', '.join(sorted(broad))}: more than it needs.",
            _unbind(target, min(broad)),
            blocks=False,
        )
        return
    for role in PROJECT_ROLES:
        if role not in held:
            yield Finding(f"{target.service_account} lacks {role}.", _bind(target, role))


def _acts_as_itself(google: Google, target: Target) -> Iterator[Finding]:
    """Whoever queues a task that carries an identity must be allowed to act as that identity."""
    account = target.service_account
    path = f"v1/projects/{target.project}/serviceAccounts/{account}:getIamPolicy"
    policy = google.post("iam", path)
    if ACT_AS not in _roles(policy, account):
        yield Finding(
            f"{account} may not act as itself, so no background request can be queued.",
            f"gcloud iam service-accounts add-iam-policy-binding {account} "
            f"--member=serviceAccount:{account} --role={ACT_AS} --project {target.project}",
        )


def _bucket_role(google: Google, target: Target) -> Iterator[Finding]:
    name = target.bucket or _default_bucket(google, target)
    if not name:
        return  # checks.clients.bucket says so
    try:
        policy = google.get("storage", f"storage/v1/b/{name}/iam")
    except NotFound:
        return
    account = target.service_account
    held = _roles(policy, account) | _roles(_project_policy(google, target), account)
    if not held & (BUCKET_ROLES | BROAD_ROLES):
        yield Finding(
            f"{account} may not write images to {name}.",
            f"gcloud storage buckets add-iam-policy-binding gs://{name} "
            f"--member=serviceAccount:{account} --role=roles/storage.objectUser",
        )


def _default_bucket(google: Google, target: Target) -> str:
    path = f"v1beta/projects/{target.project}/defaultBucket"
    try:
        found = google.get("firebasestorage", path)
    except NotFound:
        return ""
    return str(found["bucket"]["name"]).rpartition("/")[2]


def _project_policy(google: Google, target: Target) -> Json:
    path = f"v3/projects/{target.project}:getIamPolicy"
    return google.post("cloudresourcemanager", path, {"options": {"requestedPolicyVersion": 3}})


def _roles(policy: Json, account: str) -> set[str]:
    """The roles that `account` holds unconditionally."""
    member = f"serviceAccount:{account}"
    return {
        binding["role"]
        for binding in policy.get("bindings", [])
        if member in binding.get("members", []) and "condition" not in binding
    }


def _bind(target: Target, role: str) -> str:
    return (
        f"gcloud projects add-iam-policy-binding {target.project} "
        f"--member=serviceAccount:{target.service_account} --role={role} --condition=None"
    )


def _unbind(target: Target, role: str) -> str:
    return _bind(target, role).replace("add-iam", "remove-iam") + "  (after granting the others)"


# --- the queue, and who may call --------------------------------------------------------------


def queue(google: Google, target: Target) -> Iterator[Finding]:
    """The queue of each worker runs, once there is one."""
    for name in target.with_trigger("taskQueueTrigger"):
        path = f"projects/{target.project}/locations/{target.region_of(name)}/queues/{name}"
        try:
            found = google.get("cloudtasks", f"v2/{path}")
        except NotFound:
            continue  # the deploy makes it
        if found.get("state") != "RUNNING":
            yield Finding(
                f"The queue {name} is {found.get('state', 'unknown').lower()}: background requests "
                "wait, and are refunded when their time is up.",
                f"gcloud tasks queues resume {name} --location={target.region_of(name)} "
                f"--project {target.project}",
            )


def callers(google: Google, target: Target) -> Iterator[Finding]:
    """Everybody may call the public functions, nobody from outside the others.

    Only functions that are deployed can be looked at. Their Cloud Run services have their names in
    lower case.
    """
    for name, endpoint in target.endpoints.items():
        service = name.lower().replace("_", "-")
        path = f"projects/{target.project}/locations/{target.region_of(name)}/services/{service}"
        try:
            found = google.get("run", f"v2/{path}")
            policy = google.get("run", f"v2/{path}:getIamPolicy")
        except NotFound:
            continue
        yield from _callers_of(target, name, service, endpoint, found, policy)


def _callers_of(
    target: Target, name: str, service: str, endpoint: Json, found: Json, policy: Json
) -> Iterator[Finding]:
    invokers = {
        member
        for binding in policy.get("bindings", [])
        if binding["role"] == INVOKER
        for member in binding.get("members", [])
    }
    where = f"--region={target.region_of(name)} --project {target.project}"
    is_open = "allUsers" in invokers or bool(found.get("invokerIamDisabled"))
    if "httpsTrigger" in endpoint and not is_open:
        yield Finding(
            f"Nobody may call {name}: browsers and apps get 403 before the function runs.",
            f"gcloud run services add-iam-policy-binding {service} --member=allUsers "
            f"--role={INVOKER} {where}  (where the organisation forbids allUsers: "
            f"gcloud run services update {service} --no-invoker-iam-check {where})",
        )
    if "httpsTrigger" not in endpoint and is_open:
        yield Finding(
            f"Everybody may call {name}, which is for Google's own calls.",
            f"gcloud run services remove-iam-policy-binding {service} --member=allUsers "
            f"--role={INVOKER} {where}; gcloud run services update {service} "
            f"--invoker-iam-check {where}",
        )
    caller = _caller_of_worker(target, found)
    if "taskQueueTrigger" in endpoint and caller and f"serviceAccount:{caller}" not in invokers:
        yield Finding(
            f"The queue may not call {name}: background requests never end by themselves.",
            f"gcloud run services add-iam-policy-binding {service} "
            f"--member=serviceAccount:{caller} --role={INVOKER} {where}",
        )


def _caller_of_worker(target: Target, service: Any) -> str:
    """As whom the queue calls: the account of the function that has queued the task."""
    return target.service_account or str(service.get("template", {}).get("serviceAccount", ""))
