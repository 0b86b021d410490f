"""Every check before a deploy, against a stand-in for Google: missing, forbidden, off, slow."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import deploy.google
import my_app
import pytest
from cases import CASES, CATALOGUE_DOCUMENT, MEMBER, Case
from deploy import catalogue, check
from deploy.checks.accounts import PROJECT_ROLES
from deploy.checks.project import SERVICES
from deploy.finding import Finding
from deploy.google import Google, NoCredentials, default_session
from deploy.target import FUNCTIONS, ROOT
from fake_google import FakeGoogle
from my_app import DATABASE, PROJECT, RUN, binding

pytest_plugins = ["google_fixtures"]


def put(fake: FakeGoogle, case: Case) -> None:
    fake.resources.pop(case.path)
    if case.content is not None:
        fake.resources[case.path] = case.content


def findings(name: str, google: Google) -> list[Finding]:
    return check.findings_of(name, check.CHECKS[name], google, my_app.target())


def test_nothing_is_missing_where_all_is_there(google: Google) -> None:
    found = check.run(google, my_app.target())
    assert found == []
    assert check.text(my_app.target(), found) == "my-app: ready to deploy."


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.check}: {case.problem}")
def test_what_is_wrong_is_named_with_what_mends_it(
    fake: FakeGoogle, google: Google, case: Case
) -> None:
    put(fake, case)
    (found,) = [each for each in findings(case.check, google) if case.problem in each.problem]
    assert case.remedy in found.remedy
    assert found.blocks is case.blocks


def test_every_check_has_a_case() -> None:
    assert {case.check for case in CASES} == set(check.CHECKS)


# What each check asks first; the fake goes wrong there.
ASKS = {
    "project": f"firebase/v1beta1/projects/{PROJECT}",
    "billing": "cloudbilling/",
    "services": "serviceusage/",
    "database": f"firestore/v1/{DATABASE}",
    "backups": f"firestore/v1/{DATABASE}",
    "indexes": f"firestore/v1/{DATABASE}/collectionGroups",
    "catalogue": f"firestore/v1/{DATABASE}/documents",
    "sign-in": "identitytoolkit/",
    "web app": f"firebase/v1beta1/projects/{PROJECT}/webApps",
    "bucket": "firebasestorage/",
    "secrets": "secretmanager/",
    "App Check": "firebaseappcheck/",
    "service account": "iam/",
    "build account": f"firebase/v1beta1/projects/{PROJECT}",
    "queue": "cloudtasks/",
    "callers": "run/",
}


@pytest.mark.parametrize("name", check.CHECKS)
def test_what_may_not_be_seen_asks_for_the_right_to(
    fake: FakeGoogle, google: Google, name: str
) -> None:
    fake.forbid(ASKS[name])
    (found,) = findings(name, google)
    assert f"may not look at the {name}" in found.problem
    assert "roles/viewer" in found.remedy
    assert found.blocks


@pytest.mark.parametrize("name", check.CHECKS)
def test_an_api_that_is_off_is_to_be_enabled(fake: FakeGoogle, google: Google, name: str) -> None:
    api = ASKS[name].partition("/")[0]
    fake.disable(api)
    (found,) = findings(name, google)
    assert found.remedy == f"gcloud services enable {api}.googleapis.com --project my-app"


@pytest.mark.parametrize("name", check.CHECKS)
def test_what_does_not_answer_is_to_be_tried_again(fake: FakeGoogle, name: str) -> None:
    impatient = Google(default_session(PROJECT), fake.address, timeout_seconds=0.2)
    fake.delay(ASKS[name], 2)
    started = time.monotonic()
    (found,) = findings(name, impatient)
    assert "does not answer" in found.problem
    assert "Try again" in found.remedy
    assert time.monotonic() - started < 2


def test_a_failure_of_google_is_told_as_one(fake: FakeGoogle, google: Google) -> None:
    fake.fail("run/", 500, "Internal error encountered.", "INTERNAL")
    (found,) = findings("callers", google)
    assert "Internal error encountered" in found.problem
    assert "Try again" in found.remedy


def test_an_answer_that_nobody_expects_is_told_whole(fake: FakeGoogle, google: Google) -> None:
    fake.fail("cloudtasks/", 400, "Location 'x' is not valid.", "INVALID_ARGUMENT")
    (found,) = findings("queue", google)
    assert "cloudtasks.googleapis.com answers 400, Location 'x' is not valid." in found.problem


@pytest.mark.parametrize("what", ["missing", "forbidden"])
def test_without_the_project_nothing_else_is_asked(
    fake: FakeGoogle, google: Google, what: str
) -> None:
    path = f"firebase/v1beta1/projects/{PROJECT}"
    if what == "missing":
        fake.resources.pop(path)
    else:
        fake.forbid(path)
    (found,) = check.run(google, my_app.target())
    assert "There is no Firebase project my-app" in found.problem
    assert len(fake.calls) == 1


def test_a_project_that_is_being_deleted_is_to_be_restored(
    fake: FakeGoogle, google: Google
) -> None:
    fake.resources[f"firebase/v1beta1/projects/{PROJECT}"]["state"] = "DELETED"
    (found,) = check.run(google, my_app.target())
    assert found.remedy == "Restore it: gcloud projects undelete my-app"


def test_the_list_stands_in_the_order_in_which_it_is_mended(
    fake: FakeGoogle, google: Google
) -> None:
    first = {case.check: case for case in reversed(CASES) if case.blocks}
    for case in first.values():
        put(fake, case)
    fake.resources[my_app.INDEXES] = {}
    text = check.text(my_app.target(), check.run(google, my_app.target()))
    places = [text.index(first[name].problem) for name in check.CHECKS if name in first]
    assert places == sorted(places)
    assert text.startswith("my-app: ")
    assert "things are missing" in text
    assert text.index("Not needed for a deploy") > text.index("Nobody may call")


def test_a_check_changes_nothing(fake: FakeGoogle, google: Google) -> None:
    before = dict(fake.resources)
    check.run(google, my_app.target())
    assert fake.resources == before
    verbs = {verb for verb, path in fake.calls if not path.endswith(":getIamPolicy")}
    assert verbs == {"GET"}


# --- single checks -----------------------------------------------------------------------------


def test_before_the_first_deploy_functions_queue_and_indexes_are_not_missed(
    fake: FakeGoogle, google: Google
) -> None:
    for path in list(fake.resources):
        if path.startswith(("run/", "cloudtasks/")):
            fake.resources.pop(path)
    fake.resources[my_app.INDEXES] = {}
    found = check.run(google, my_app.target())
    assert [each.blocks for each in found] == [False]
    assert "the deploy makes them" in found[0].problem


def test_indexes_are_compared_by_what_they_are(fake: FakeGoogle, google: Google) -> None:
    indexes = fake.resources[my_app.INDEXES]["indexes"]
    indexes[0]["state"], indexes[1]["state"] = "CREATING", "NEEDS_REPAIR"
    other = my_app.index(99, {"collectionGroup": "x", "queryScope": "COLLECTION", "fields": []})
    fake.resources[my_app.INDEXES] = {"indexes": [other, *indexes[:-1]]}
    absent, building, broken = findings("indexes", google)
    assert absent.problem.startswith(f"1 of {len(indexes)} indexes")
    assert building.problem.startswith("1 indexes are being built")
    assert (broken.blocks, "could not be built" in broken.problem) == (True, True)


def test_a_list_is_read_to_its_last_page(fake: FakeGoogle, google: Google) -> None:
    fake.page_size = 1
    fake.resources[CATALOGUE_DOCUMENT.replace("Model A", "Model Z")] = my_app.document(
        "models/Model Z", {"generator": "mock", "token": "abc"}
    )
    (found,) = findings("catalogue", google)
    assert "models/Model Z may hold a key in token" in found.problem


def test_a_named_bucket_must_exist_and_be_linked(fake: FakeGoogle, google: Google) -> None:
    target = my_app.target(IMAGE_BUCKET="pictures")
    bucket = check.CHECKS["bucket"]
    (missing,) = check.findings_of("bucket", bucket, google, target)
    assert "gcloud storage buckets create gs://pictures" in missing.remedy
    fake.resources["storage/storage/v1/b/pictures"] = {"name": "pictures"}
    (unlinked,) = check.findings_of("bucket", bucket, google, target)
    assert "not linked to Firebase" in unlinked.problem
    linked = f"firebasestorage/v1beta/projects/{PROJECT}/buckets/pictures"
    fake.resources[linked] = {"name": f"projects/{PROJECT}/buckets/pictures"}
    assert check.findings_of("bucket", bucket, google, target) == []


@pytest.mark.parametrize(
    ("app", "config", "is_registered"),
    [
        ("webApps/w", ("recaptchaV3Config", {"siteSecretSet": True}), True),
        ("webApps/w", ("recaptchaV3Config", {"tokenTtl": "3600s"}), False),
        ("androidApps/a", ("playIntegrityConfig", {"tokenTtl": "3600s"}), True),
        ("iosApps/i", ("appAttestConfig", {"tokenTtl": "3600s"}), True),
        ("iosApps/i", ("deviceCheckConfig", {"tokenTtl": "3600s"}), False),
    ],
)
def test_an_app_of_any_kind_may_be_registered_with_app_check(
    fake: FakeGoogle,
    google: Google,
    app: str,
    config: tuple[str, dict[str, Any]],
    is_registered: bool,
) -> None:
    fake.resources.pop(my_app.RECAPTCHA)
    app_id, (provider, fields) = app.partition("/")[2], config
    fake.resources[f"firebase/v1beta1/projects/{PROJECT}/{app}"] = {"appId": app_id}
    name = f"projects/{PROJECT}/apps/{app_id}/{provider}"
    fake.resources[f"firebaseappcheck/v1/{name}"] = {"name": name} | fields
    assert (findings("App Check", google) == []) == is_registered


def test_app_check_is_looked_at_only_where_it_is_on(fake: FakeGoogle, google: Google) -> None:
    fake.resources.pop(my_app.RECAPTCHA)
    fake.resources[my_app.PROJECT_POLICY] = {}
    app_check = check.CHECKS["App Check"]
    off = my_app.target(APP_CHECK="off")
    assert check.findings_of("App Check", app_check, google, off) == []
    warning = my_app.target(APP_CHECK="warn")
    advice = check.findings_of("App Check", app_check, google, warning)
    assert [each.blocks for each in advice] == [False, False]  # every call is served
    once = my_app.target(APP_CHECK_REPLAY_PROTECTION="false")
    (found,) = check.findings_of("App Check", app_check, google, once)
    assert found.blocks


@pytest.mark.parametrize(("app_check", "is_asked"), [("off", False), ("warn", True)])
def test_the_api_of_app_check_is_needed_only_where_it_is_on(
    fake: FakeGoogle, google: Google, app_check: str, is_asked: bool
) -> None:
    check.findings_of(
        "services", check.CHECKS["services"], google, my_app.target(APP_CHECK=app_check)
    )
    (names,) = [query["names"] for query in fake.queries if "names" in query]
    assert any(name.endswith("firebaseappcheck.googleapis.com") for name in names) == is_asked


def test_with_replay_protection_the_default_account_needs_the_role_too(google: Google) -> None:
    target = my_app.target()
    for endpoint in target.endpoints.values():
        endpoint["serviceAccountEmail"] = None
    (found,) = check.findings_of("App Check", check.CHECKS["App Check"], google, target)
    assert "1234567890-compute@developer.gserviceaccount.com lacks" in found.problem


# The role that lets the functions use a product through firebase_admin, by its module.
ROLE_OF = {
    "auth": "roles/firebaseauth.admin",  # no narrower one lets a user be deleted
    "functions": "roles/cloudtasks.enqueuer",
    "messaging": "roles/firebasecloudmessaging.admin",
}


def test_each_product_that_the_functions_use_has_its_role() -> None:
    code = "\n".join(path.read_text() for path in (FUNCTIONS / "imagegen").rglob("*.py"))
    lists = re.findall(r"^\s*from firebase_admin import ([\w, ]+)", code, re.MULTILINE)
    used = {name for each in lists for name in re.findall(r"\w+", each)}
    assert used - {"credentials", "exceptions"} == ROLE_OF.keys()
    assert set(ROLE_OF.values()) <= set(PROJECT_ROLES)


def test_the_api_of_each_product_that_the_functions_use_is_asked_for() -> None:
    apis = {"auth": "identitytoolkit", "functions": "cloudtasks", "messaging": "fcm"}
    assert apis.keys() == ROLE_OF.keys()
    assert {*apis.values(), "firestore", "storage"} <= set(SERVICES)


def test_the_roles_stand_in_the_guide() -> None:
    guide = (ROOT / "docs" / "deploy.md").read_text()
    assert [role for role in PROJECT_ROLES if f"| `{role}` | the project |" not in guide] == []


def test_a_conditional_role_does_not_count(fake: FakeGoogle, google: Google) -> None:
    for each in fake.resources[my_app.PROJECT_POLICY]["bindings"]:
        each["condition"] = {"expression": "request.time < timestamp('2026-01-01T00:00:00Z')"}
    lacking = [each.problem for each in findings("service account", google)]
    assert [each.partition("lacks ")[2].rstrip(".") for each in lacking] == list(PROJECT_ROLES)


def test_without_an_account_of_their_own_the_functions_are_told_to_get_one(google: Google) -> None:
    target = my_app.target()
    for endpoint in target.endpoints.values():
        endpoint["serviceAccountEmail"] = None
    account = check.CHECKS["service account"]
    (found,) = check.findings_of("service account", account, google, target)
    assert "default compute account" in found.problem
    assert not found.blocks


def test_the_default_account_must_be_allowed_to_call_the_worker(
    fake: FakeGoogle, google: Google
) -> None:
    target = my_app.target()
    for endpoint in target.endpoints.values():
        endpoint["serviceAccountEmail"] = None
    compute = "1234567890-compute@developer.gserviceaccount.com"
    fake.resources[f"{RUN}/processgeneration"]["template"] = {"serviceAccount": compute}
    (found,) = check.findings_of("callers", check.CHECKS["callers"], google, target)
    assert f"--member=serviceAccount:{compute}" in found.remedy


@pytest.mark.parametrize("role", ["roles/run.invoker", "roles/editor"])
def test_a_right_to_call_may_be_one_of_the_whole_project(
    fake: FakeGoogle, google: Google, role: str
) -> None:
    fake.resources[f"{RUN}/processgeneration:getIamPolicy"] = {}
    fake.resources[my_app.PROJECT_POLICY] = {"bindings": [binding(role, MEMBER)]}
    assert findings("callers", google) == []


def test_a_public_function_may_be_open_without_all_users(fake: FakeGoogle, google: Google) -> None:
    """The way round a domain restriction: no check of IAM at all."""
    fake.resources[f"{RUN}/listmodels:getIamPolicy"] = {}
    fake.resources[f"{RUN}/listmodels"]["invokerIamDisabled"] = True
    assert findings("callers", google) == []


# --- the catalogue -----------------------------------------------------------------------------


def test_the_default_catalogue_is_written_once(fake: FakeGoogle, google: Google) -> None:
    path = f"firestore/v1/{DATABASE}/documents/"
    seeded = {name: fake.resources.pop(name) for name in list(fake.resources) if path in name}
    empty = findings("catalogue", google)
    assert len(empty) == 4
    assert "make catalogue PROJECT=my-app" in empty[0].remedy
    assert catalogue.write_defaults(google, my_app.target())
    assert findings("catalogue", google) == []
    assert {name for name in fake.resources if path in name} == set(seeded)
    fake.resources[CATALOGUE_DOCUMENT]["fields"]["description"] = {"stringValue": "mine"}
    assert not catalogue.write_defaults(google, my_app.target())
    assert fake.resources[CATALOGUE_DOCUMENT]["fields"]["description"]["stringValue"] == "mine"


# --- the command -------------------------------------------------------------------------------


@pytest.fixture
def make(fake: FakeGoogle) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `python -m deploy`, as make does, against the fake."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        paths = {"PYTHONPATH": f"{ROOT}/tools:{ROOT}/functions"}
        return subprocess.run(
            [sys.executable, "-m", "deploy", *arguments],
            cwd=ROOT,
            env=os.environ | paths | {"GOOGLE_API_ADDRESS": fake.address} | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_make_check_lists_and_fails(fake: FakeGoogle, make: Callable[..., Any]) -> None:
    fake.resources.pop(my_app.BUCKET_PATH)
    done = make("check", PROJECT)
    assert done.returncode == 1, done.stderr
    assert "my-app: 1 thing is missing." in done.stdout
    assert "https://console.firebase.google.com/project/my-app/storage" in done.stdout


def test_make_check_says_that_all_is_there_twice_alike(
    fake: FakeGoogle, make: Callable[..., Any]
) -> None:
    before = dict(fake.resources)
    first, second = make("check", PROJECT), make("check", PROJECT)
    assert first.returncode == second.returncode == 0, first.stdout
    assert "my-app: ready to deploy." in first.stdout
    assert first.stdout == second.stdout
    assert fake.resources == before


def test_without_credentials_the_way_to_get_some_is_told(make: Callable[..., Any]) -> None:
    done = make("check", PROJECT, GOOGLE_APPLICATION_CREDENTIALS="/nowhere/key.json")
    assert done.returncode == 1
    assert "Run: gcloud auth application-default login" in done.stderr
    assert "firebase login" in done.stderr


def test_expired_credentials_are_credentials_no_more(
    fake: FakeGoogle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake, "issues_tokens", False)
    with pytest.raises(NoCredentials):
        default_session(PROJECT)


def test_google_itself_is_asked_where_nothing_else_is_said() -> None:
    assert deploy.google.ADDRESS.format(api="run") == "https://run.googleapis.com"
