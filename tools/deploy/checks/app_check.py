"""App Check, where the functions look at its tokens: apps can get some, and they may be used up."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.checks.accounts import project_policy, roles_of
from deploy.finding import Finding
from deploy.google import Google, NotFound
from deploy.target import Target

VERIFIER = "roles/firebaseappcheck.tokenVerifier"
# By kind of app: what can attest it, and the field that is set once it is configured. Play
# Integrity and App Attest have none: their configuration is there, or it is not.
PROVIDERS = {
    "webApps": (("recaptchaEnterpriseConfig", "siteKey"), ("recaptchaV3Config", "siteSecretSet")),
    "androidApps": (("playIntegrityConfig", "name"),),
    "iosApps": (("appAttestConfig", "name"), ("deviceCheckConfig", "privateKeySet")),
}


def app_check(google: Google, target: Target) -> Iterator[Finding]:
    """An app is registered, and the functions may ask whether a token was used before."""
    if target.app_check == "off":
        return
    is_required = target.app_check == "required"
    if not any(_is_registered(google, target, kind, app) for kind, app in _apps(google, target)):
        yield Finding(
            "No app is registered with App Check, so no call can have a valid token.",
            "Register one, the console's with reCAPTCHA: "
            f"https://console.firebase.google.com/project/{target.project}/appcheck/apps",
            blocks=is_required,
        )
    if target.has_replay_protection:
        yield from _token_verifier(google, target, blocks=is_required)


def _apps(google: Google, target: Target) -> Iterator[tuple[str, str]]:
    """The kind and the id of every app of the project."""
    for kind in PROVIDERS:
        for page in google.pages("firebase", f"v1beta1/projects/{target.project}/{kind}"):
            for app in page.get("apps", []):
                if app.get("state", "ACTIVE") == "ACTIVE":
                    yield kind, app["appId"]


def _is_registered(google: Google, target: Target, kind: str, app_id: str) -> bool:
    for provider, field in PROVIDERS[kind]:
        path = f"v1/projects/{target.project}/apps/{app_id}/{provider}"
        try:
            found = google.get("firebaseappcheck", path)
        except NotFound:
            continue
        if found.get(field):
            return True
    return False


def _token_verifier(google: Google, target: Target, *, blocks: bool) -> Iterator[Finding]:
    """The functions may have a token marked as used; the default account needs the role as well.

    https://firebase.google.com/docs/app-check/custom-resource-backend#replay-protection
    """
    account = target.service_account
    if not account:
        project = google.get("firebase", f"v1beta1/projects/{target.project}")
        account = f"{project['projectNumber']}-compute@developer.gserviceaccount.com"
    if VERIFIER not in roles_of(project_policy(google, target), account):
        yield Finding(
            f"{account} lacks {VERIFIER}, so with replay protection no order is accepted.",
            f"gcloud projects add-iam-policy-binding {target.project} "
            f"--member=serviceAccount:{account} --role={VERIFIER} --condition=None",
            blocks=blocks,
        )
