"""What the apps and the console use: sign-in, a registered app, the image bucket."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.finding import Finding
from deploy.google import Google, NotFound
from deploy.target import Target


def sign_in(google: Google, target: Target) -> Iterator[Finding]:
    """Users can sign in with an e-mail address and a password, as the console does."""
    page = f"https://console.firebase.google.com/project/{target.project}/authentication/providers"
    try:
        config = google.get("identitytoolkit", f"v2/projects/{target.project}/config")
    except NotFound:  # CONFIGURATION_NOT_FOUND: nobody has opened Authentication yet
        yield Finding(
            "Authentication has not been set up.",
            f"Choose Get started, then Email/Password: {page}",
        )
        return
    email = config.get("signIn", {}).get("email", {})
    if not email.get("enabled") or not email.get("passwordRequired"):
        yield Finding(
            "Sign-in with e-mail address and password is off; the console needs it.",
            f"Enable Email/Password: {page}",
        )


def web_app(google: Google, target: Target) -> Iterator[Finding]:
    """A web app is registered: Hosting gives its configuration to the console."""
    pages = google.pages("firebase", f"v1beta1/projects/{target.project}/webApps")
    apps = [app for page in pages for app in page.get("apps", [])]
    if not any(app.get("state", "ACTIVE") == "ACTIVE" for app in apps):
        yield Finding(
            "No web app is registered, so the console has no configuration.",
            f"npx firebase-tools apps:create WEB console --project {target.project}",
        )


def bucket(google: Google, target: Target) -> Iterator[Finding]:
    """The bucket for images exists and is linked to Firebase, which serves its download URLs."""
    if target.bucket:
        yield from _named_bucket(google, target)
        return
    try:
        google.get("firebasestorage", f"v1beta/projects/{target.project}/defaultBucket")
    except NotFound:
        yield Finding(
            "There is no Storage bucket for images, and the deploy of storage.rules needs one.",
            "Choose Get started: "
            f"https://console.firebase.google.com/project/{target.project}/storage",
        )


def _named_bucket(google: Google, target: Target) -> Iterator[Finding]:
    name = target.bucket
    try:
        google.get("storage", f"storage/v1/b/{name}")
    except NotFound:
        yield Finding(
            f"IMAGE_BUCKET names {name}, which does not exist.",
            f"gcloud storage buckets create gs://{name} --location={target.region} "
            f"--project {target.project}",
        )
        return
    try:
        google.get("firebasestorage", f"v1beta/projects/{target.project}/buckets/{name}")
    except NotFound:
        yield Finding(
            f"The bucket {name} is not linked to Firebase, so download URLs answer 404.",
            "Choose Add bucket, Import existing: "
            f"https://console.firebase.google.com/project/{target.project}/storage",
        )
