"""The function table as Firebase reads it at deployment."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from firebase_functions import tasks_fn
from firebase_functions.params import IntParam
from support.api import CLIENTS, HTTP, SCHEDULED
from support.paths import FUNCTIONS

import main
from imagegen import config, parameters


def test_exactly_these_functions_are_declared(manifest: dict[str, Any]) -> None:
    queues = {"processGeneration", "deliverEvent", "processAccount", "runAudit"}
    others = {*queues, "stripeWebhook", "revenueCatWebhook"}
    assert set(manifest["endpoints"]) == HTTP | SCHEDULED | others


def test_every_function_states_where_and_how_it_runs(manifest: dict[str, Any]) -> None:
    for endpoint in manifest["endpoints"].values():
        assert endpoint["region"] == ["us-central1"]
        assert "params." in endpoint["availableMemoryMb"]
        assert endpoint["maxInstances"]
        assert endpoint["timeoutSeconds"] >= 30


def test_one_number_says_how_many_calls_are_sent_to_an_instance_and_served_there(
    manifest: dict[str, Any],
) -> None:
    for name in HTTP - {"uploadSource"} | {"processGeneration"}:
        # functions-framework takes its number of threads from the variable of this name.
        assert manifest["endpoints"][name]["concurrency"] == "{{ params.THREADS }}"
    # Photos take too much memory for as many; an instance with threads to spare is as good.
    assert manifest["endpoints"]["uploadSource"]["concurrency"] == 8
    assert "THREADS=80" in (FUNCTIONS / ".env").read_text().splitlines()


def test_http_functions_are_public(manifest: dict[str, Any]) -> None:
    for name in HTTP:
        assert manifest["endpoints"][name]["httpsTrigger"] == {"invoker": ["public"]}
    assert manifest["endpoints"]["createGenerationRequest"]["timeoutSeconds"] == 90


def test_the_report_runs_on_mondays_in_the_apps_time_zone_and_is_tried_again(
    manifest: dict[str, Any],
) -> None:
    endpoint = manifest["endpoints"]["scheduleWeeklyReport"]
    assert endpoint["scheduleTrigger"]["schedule"] == "0 1 * * 1"
    assert endpoint["scheduleTrigger"]["timeZone"] == "{{ params.REPORT_TIME_ZONE }}"
    assert endpoint["scheduleTrigger"]["retryConfig"] == {"retryCount": 3, "minBackoffSeconds": 60}
    assert (endpoint["timeoutSeconds"], endpoint["maxInstances"]) == (540, 1)


def test_recovery_runs_every_five_minutes_and_never_beside_itself(manifest: dict[str, Any]) -> None:
    endpoint = manifest["endpoints"]["recoverLostGenerations"]
    assert endpoint["scheduleTrigger"]["schedule"] == "*/5 * * * *"
    assert (endpoint["timeoutSeconds"], endpoint["maxInstances"]) == (280, 1)


def test_the_worker_is_open_to_cloud_tasks_alone_and_its_queue_is_set_by_parameters(
    manifest: dict[str, Any],
) -> None:
    endpoint = manifest["endpoints"]["processGeneration"]
    trigger = endpoint["taskQueueTrigger"]
    assert trigger["invoker"] == ["private"]  # no account of its own is configured
    assert "httpsTrigger" not in endpoint
    assert trigger["retryConfig"] == {
        "maxAttempts": "{{ params.ASYNC_MAX_DELIVERIES }}",
        "minBackoffSeconds": "{{ params.ASYNC_MIN_BACKOFF_SECONDS }}",
        "maxBackoffSeconds": "{{ params.ASYNC_MAX_BACKOFF_SECONDS }}",
    }
    assert trigger["rateLimits"] == {
        "maxConcurrentDispatches": "{{ params.ASYNC_MAX_CONCURRENT }}",
        "maxDispatchesPerSecond": "{{ params.ASYNC_MAX_PER_SECOND }}",
    }


@pytest.mark.parametrize("name", ["deliverEvent", "processAccount", "runAudit"])
def test_a_queue_sends_no_more_at_once_than_its_one_instance_takes(
    manifest: dict[str, Any], name: str
) -> None:
    """Cloud Run would answer 429 to the rest, which slows down the whole queue."""
    endpoint = manifest["endpoints"][name]
    at_once = endpoint["taskQueueTrigger"]["rateLimits"]["maxConcurrentDispatches"]
    assert (endpoint["maxInstances"], endpoint["concurrency"]) == (1, at_once)


@pytest.mark.parametrize(
    ("payments", "declared"),
    [
        ("", {}),
        (
            "stripe",
            {
                "admin": ["STRIPE_SECRET_KEY"],
                "createCheckoutSession": ["STRIPE_SECRET_KEY"],
                "createPortalSession": ["STRIPE_SECRET_KEY"],
                "deleteAccount": ["STRIPE_SECRET_KEY"],
                "processAccount": ["STRIPE_SECRET_KEY"],
                "stripeWebhook": ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"],
            },
        ),
        ("revenuecat", {"revenueCatWebhook": ["REVENUECAT_WEBHOOK_SECRET"]}),
    ],
)
def test_a_secret_is_declared_only_where_its_feature_is_on(
    manifest_with: Callable[..., dict[str, Any]], payments: str, declared: dict[str, list[str]]
) -> None:
    """A deploy stops at a declared secret without a value."""
    found = {
        name: sorted(secret["key"] for secret in endpoint["secretEnvironmentVariables"])
        for name, endpoint in manifest_with(PAYMENTS=payments, FUNCTIONS_EMULATOR="").items()
        if endpoint.get("secretEnvironmentVariables")
    }
    assert found == declared


def test_every_function_has_the_secrets_of_what_it_may_do(
    manifest_with: Callable[..., dict[str, Any]],
) -> None:
    """Recovery asks vendors to stop the jobs of lost requests, which takes their keys."""
    endpoints = manifest_with(
        PAYMENTS="",
        GENERATOR_SECRETS="FAL_KEY:queue.fal.run",
        TRIAL_ONCE_PER_EMAIL="true",
        REQUIRE_VERIFIED_EMAIL="true",
        FUNCTIONS_EMULATOR="",
    )
    having: dict[str, set[str]] = {}
    for name, endpoint in endpoints.items():
        for secret in endpoint.get("secretEnvironmentVariables") or []:
            having.setdefault(secret["key"], set()).add(name)
    assert having == {
        "FAL_KEY": {
            "admin",
            "createGenerationRequest",
            "processGeneration",
            "recoverLostGenerations",
        },
        # Whoever books an opening grant of the caller.
        "TRIAL_EMAIL_SECRET": {"admin", "createGenerationRequest", "getUserCredits"},
    }


def test_webhooks_may_be_called_by_everybody(manifest: dict[str, Any]) -> None:
    for name in ("stripeWebhook", "revenueCatWebhook"):
        assert manifest["endpoints"][name]["httpsTrigger"] == {"invoker": ["public"]}


def test_every_parameter_has_a_value_in_the_env_file(manifest: dict[str, Any]) -> None:
    lines = (FUNCTIONS / ".env").read_text().splitlines()
    given = {line.split("=", 1)[0] for line in lines if line and not line.startswith("#")}
    declared = {param["name"] for param in manifest["params"] if param["type"] != "secret"}
    assert given == declared


def test_every_function_is_exported_under_the_name_that_firebase_deploys(
    manifest: dict[str, Any],
) -> None:
    for name, endpoint in manifest["endpoints"].items():
        assert endpoint["entryPoint"] == name
        assert getattr(main, name).__name__ == name
    for name in CLIENTS:
        assert getattr(main, name).load_endpoint().name == name


def test_a_browser_may_use_every_method_of_every_endpoint() -> None:
    """Pages of other origins may always send GET and POST; other methods have to be allowed."""
    for name in CLIENTS:
        assert set(getattr(main, name).load_endpoint().methods) <= {"GET", "POST"}


def test_a_new_project_admits_as_many_instances_as_are_declared(manifest: dict[str, Any]) -> None:
    """New projects refuse more than 32 instances over all functions and more than 10 of one."""
    values = {param["name"]: param.get("default") for param in manifest["params"]}
    counts = {}
    for name, endpoint in manifest["endpoints"].items():
        count = endpoint["maxInstances"]
        named = re.fullmatch(r"\{\{ params\.(\w+) \}\}", str(count))
        counts[name] = int(values[named[1]] if named else count)
    assert max(counts.values()) <= 10
    assert sum(counts.values()) <= 32


def test_the_functions_that_hold_images_have_memory_for_them(manifest: dict[str, Any]) -> None:
    for name, endpoint in manifest["endpoints"].items():
        holds = name in ("createGenerationRequest", "processGeneration", "uploadSource")
        parameter = "GENERATION_MEMORY_MB" if holds else "MEMORY_MB"
        assert endpoint["availableMemoryMb"] == f"{{{{ params.{parameter} }}}}"


def test_a_service_account_runs_every_function_and_alone_calls_the_worker(
    manifest_with: Callable[..., dict[str, Any]],
) -> None:
    endpoints = manifest_with(SERVICE_ACCOUNT="imagegen@", REGION="europe-west1")
    for endpoint in endpoints.values():
        assert endpoint["serviceAccountEmail"] == "imagegen@"
        assert endpoint["region"] == ["europe-west1"]
    assert endpoints["processGeneration"]["taskQueueTrigger"]["invoker"] == ["imagegen@"]


def test_the_sdk_still_drops_the_invoker_of_a_task_queue_function() -> None:
    """When this fails, the SDK has learned it: `imagegen.invoker` can go."""
    declared: Any = tasks_fn.on_task_dispatched(invoker="imagegen@")(lambda _: None)
    trigger = declared.__firebase_endpoint__.taskQueueTrigger
    assert "invoker" not in trigger


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("MAX_IN_FLIGHT", "none", "MAX_IN_FLIGHT must be a whole number"),
        ("ASYNC_ATTEMPT_SECONDS", "541", "ASYNC_ATTEMPT_SECONDS must be 1 to 480"),
        ("GENERATION_DEADLINE_SECONDS", "0", "GENERATION_DEADLINE_SECONDS must be 1 to 50"),
        ("GENERATION_DEADLINE_SECONDS", "-1", "GENERATION_DEADLINE_SECONDS must be 1 to 50"),
        ("ASYNC_MIN_BACKOFF_SECONDS", "99", "must not be greater than ASYNC_MAX_BACKOFF_SECONDS"),
        ("ASYNC_DEADLINE_SECONDS", "60", "ASYNC_ATTEMPT_SECONDS must not be greater than"),
        ("ASYNC_MAX_ATTEMPTS", "21", "ASYNC_MAX_ATTEMPTS must not be greater than"),
        ("AUTH_MODE", "off", "AUTH_MODE must be required or optional"),
        ("PUSH_TEXTS", '{"generation.completed": ["a"]}', "PUSH_TEXTS must be a JSON object"),
        ("PUSH_TEXTS", '{"credits.low": ["a", "b"]}', "PUSH_TEXTS must be a JSON object"),
        (
            "PUSH_TEXTS",
            json.dumps({"generation.failed": ["a", "b" * 401]}),
            "texts of at most 400 characters",
        ),
        ("CORS_ORIGINS", "https://a.example.com, https://b.example.com", "CORS_ORIGINS must be"),
        ("CORS_ORIGINS", "https://*.example.com", "CORS_ORIGINS must be"),
        ("CORS_ORIGINS", "https://a.example.com/", "CORS_ORIGINS must be"),
        ("CORS_ORIGINS", "a.example.com", "CORS_ORIGINS must be"),
        ("CORS_ORIGINS", "", "CORS_ORIGINS must be"),
        ("MOCK_FAILURE_RATE", "2", "MOCK_FAILURE_RATE must be"),
        ("MOCK_FAILURE_RATE", "often", "MOCK_FAILURE_RATE must be"),
        ("REPORT_TIME_ZONE", "Berlin", "REPORT_TIME_ZONE must be an IANA time zone"),
        ("REPORT_THRESHOLDS", "[]", "REPORT_THRESHOLDS must be a JSON object"),
        ("REPORT_THRESHOLDS", "{", "REPORT_THRESHOLDS must be a JSON object"),
        ("REPORT_DIGEST", "yes", "REPORT_DIGEST must be true or false"),
        ("TRIAL_ONCE_PER_EMAIL", "true", "needs REQUIRE_VERIFIED_EMAIL=true"),
        ("MODERATION", "on", "MODERATION must be none, words or openai"),
        ("APP_CHECK", "on", "APP_CHECK must be off, warn or required"),
    ],
)
def test_a_wrong_parameter_is_named_before_anything_is_served(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, problem: str
) -> None:
    for line in (FUNCTIONS / ".env").read_text().splitlines():
        monkeypatch.setenv(*line.split("=", 1))
    parameters.validate()
    monkeypatch.setenv(name, value)
    with pytest.raises(parameters.InvalidParameters, match=problem):
        parameters.validate()


def test_calls_without_a_token_are_trusted_on_the_emulators_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AUTH_MODE", "optional")
    monkeypatch.setenv("GCLOUD_PROJECT", "demo-imagegen")
    parameters.validate()
    monkeypatch.setenv("GCLOUD_PROJECT", "my-app")
    monkeypatch.setenv("FUNCTIONS_EMULATOR", "true")
    parameters.validate()
    monkeypatch.delenv("FUNCTIONS_EMULATOR")
    with pytest.raises(parameters.InvalidParameters, match="AUTH_MODE may be optional on the"):
        parameters.validate()


def test_all_wrong_parameters_are_named_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREADS", "many")
    monkeypatch.setenv("CPU", "0")
    with pytest.raises(parameters.InvalidParameters, match=r"THREADS.*; CPU"):
        parameters.validate()


def test_every_number_has_its_range() -> None:
    numbers = {name for name, value in vars(config).items() if isinstance(value, IntParam)}
    assert numbers == set(parameters.RANGES)
