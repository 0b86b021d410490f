"""The functions: their secrets, their queue, and who may call them."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.checks.accounts import BROAD_ROLES, project_policy, roles_of
from deploy.finding import Finding
from deploy.google import Google, Json, NotFound
from deploy.target import Target

INVOKER = "roles/run.invoker"


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
        yield from _openness(target, name, service, endpoint, found, policy)
        if "taskQueueTrigger" in endpoint:
            yield from _queue_may_call(google, target, name, service, found, policy)


def _openness(
    target: Target, name: str, service: str, endpoint: Json, found: Json, policy: Json
) -> Iterator[Finding]:
    is_open = "allUsers" in _invokers(policy) or bool(found.get("invokerIamDisabled"))
    where = f"--region={target.region_of(name)} --project {target.project}"
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


def _queue_may_call(
    google: Google, target: Target, name: str, service: str, found: Json, policy: Json
) -> Iterator[Finding]:
    """The queue calls as the account of the function that has queued the task."""
    caller = target.service_account or str(found.get("template", {}).get("serviceAccount", ""))
    if not caller or f"serviceAccount:{caller}" in _invokers(policy):
        return
    if not roles_of(project_policy(google, target), caller) & (BROAD_ROLES | {INVOKER}):
        yield Finding(
            f"The queue may not call {name}: background requests never end by themselves.",
            f"gcloud run services add-iam-policy-binding {service} "
            f"--member=serviceAccount:{caller} --role={INVOKER} "
            f"--region={target.region_of(name)} --project {target.project}",
        )


def _invokers(policy: Json) -> set[str]:
    return {
        member
        for binding in policy.get("bindings", [])
        if binding["role"] == INVOKER
        for member in binding.get("members", [])
    }
