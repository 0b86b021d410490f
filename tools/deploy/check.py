"""Every check at once, and the one list that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from deploy.checks import accounts, app_check, clients, data, functions, project
from deploy.finding import Finding
from deploy.google import ApiDisabled, ApiError, Forbidden, Google, NoAnswer
from deploy.target import Target

Check = Callable[[Google, Target], Iterator[Finding]]

# In the order in which their findings are mended: each needs what stands before it.
CHECKS: dict[str, Check] = {
    "billing": project.billing,
    "services": project.services,
    "database": data.database,
    "bucket": clients.bucket,
    "sign-in": clients.sign_in,
    "web app": clients.web_app,
    "service account": accounts.service_account,
    "build account": accounts.build_account,
    "App Check": app_check.app_check,
    "secrets": functions.secrets,
    "catalogue": data.catalogue,
    "indexes": data.indexes,
    "queue": functions.queue,
    "callers": functions.callers,
    "backups": data.backups,
}


def run(google: Google, target: Target) -> list[Finding]:
    """Everything that is missing, the first to be mended first.

    Without the project nothing else can be looked at. Raises NoCredentials.
    """
    if found := findings_of("project", project.project, google, target):
        return found
    with ThreadPoolExecutor(len(CHECKS)) as pool:
        running = [
            pool.submit(findings_of, name, check, google, target) for name, check in CHECKS.items()
        ]
        found = [finding for each in running for finding in each.result()]
    return list(dict.fromkeys(found))  # two checks may miss the same thing


def findings_of(name: str, check: Check, google: Google, target: Target) -> list[Finding]:
    """What `check` finds; what keeps it from finding anything is a finding too."""
    try:
        return list(check(google, target))
    except ApiDisabled as error:
        api = f"{error.api}.googleapis.com"
        return [
            Finding(
                f"{api} is not enabled; what needs it is checked when it is.",
                f"gcloud services enable {api} --project {target.project}",
            )
        ]
    except Forbidden as error:
        return [
            Finding(
                f"These credentials may not look at the {name}: {error}",
                f"Have an owner grant you roles/viewer and roles/iam.securityReviewer: "
                f"https://console.cloud.google.com/iam-admin/iam?project={target.project}",
            )
        ]
    except NoAnswer as error:
        return [
            Finding(
                f"The {name} could not be checked: {error}.",
                "Try again in a minute; https://status.cloud.google.com says what is down.",
            )
        ]
    except ApiError as error:
        return [
            Finding(
                f"The {name} could not be checked: {error.api}.googleapis.com answers "
                f"{error.status}, {error}",
                "That is new to this check: update the checkout, or report it.",
            )
        ]


def text(target: Target, found: list[Finding]) -> str:
    """The list, as it is printed."""
    missing = [each for each in found if each.blocks]
    advice = [each for each in found if not each.blocks]
    if missing:
        number = "1 thing is" if len(missing) == 1 else f"{len(missing)} things are"
        lines = [f"{target.project}: {number} missing.", *_items(missing)]
    else:
        lines = [f"{target.project}: ready to deploy."]
    if advice:
        lines += ["", "Not needed for a deploy, but worth doing:", *_items(advice)]
    return "\n".join(lines)


def _items(findings: list[Finding]) -> Iterator[str]:
    for number, finding in enumerate(findings, start=1):
        yield f"\n{number:3}. {finding.problem}"
        yield f"     {finding.remedy}"
