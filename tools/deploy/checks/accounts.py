"""The accounts that functions run and are built as, and what they may do."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.finding import Finding
from deploy.google import Google, Json, NotFound
from deploy.target import Target

ACT_AS = "roles/iam.serviceAccountUser"
# What the functions do in the project, and the least that lets them.
PROJECT_ROLES = (
    "roles/datastore.user",
    "roles/cloudtasks.enqueuer",
    "roles/firebaseauth.admin",
    "roles/firebasecloudmessaging.admin",
)
BUCKET_ROLES = {"roles/storage.objectUser", "roles/storage.objectAdmin", "roles/storage.admin"}
# They hold all of the above, and much more than a function should.
BROAD_ROLES = {"roles/owner", "roles/editor"}
BUILDER = "roles/cloudbuild.builds.builder"


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
    held = roles_of(project_policy(google, target), target.service_account)
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
    if ACT_AS not in roles_of(policy, account):
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
    held = roles_of(policy, account) | roles_of(project_policy(google, target), account)
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


def project_policy(google: Google, target: Target) -> Json:
    """Who holds which role in the project."""
    path = f"v3/projects/{target.project}:getIamPolicy"
    return google.post("cloudresourcemanager", path, {"options": {"requestedPolicyVersion": 3}})


def roles_of(policy: Json, account: str) -> set[str]:
    """The roles that `account` holds unconditionally."""
    member = f"serviceAccount:{account}"
    return {
        binding["role"]
        for binding in policy.get("bindings", [])
        if member in binding.get("members", []) and "condition" not in binding
    }


def _bind(target: Target, role: str, account: str = "") -> str:
    return (
        f"gcloud projects add-iam-policy-binding {target.project} "
        f"--member=serviceAccount:{account or target.service_account} --role={role} "
        "--condition=None"
    )


def _unbind(target: Target, role: str) -> str:
    return _bind(target, role).replace("add-iam", "remove-iam") + "  (after granting the others)"


def build_account(google: Google, target: Target) -> Iterator[Finding]:
    """The account that builds the functions may do so; newer organisations grant it nothing."""
    project = google.get("firebase", f"v1beta1/projects/{target.project}")
    account = f"{project['projectNumber']}-compute@developer.gserviceaccount.com"
    if not roles_of(project_policy(google, target), account) & (BROAD_ROLES | {BUILDER}):
        yield Finding(
            f"{account}, which builds the functions, lacks {BUILDER}: where it is the account that "
            "builds run as, the deploy fails.",
            _bind(target, BUILDER, account),
            blocks=False,
        )
