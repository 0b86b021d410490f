"""The function table as Firebase reads it at deployment."""

import os
import subprocess
import sys
from typing import Any

import pytest
import yaml
from support.api import HTTP, SCHEDULED
from support.paths import FUNCTIONS

import main


def test_exactly_these_functions_are_declared(manifest: dict[str, Any]) -> None:
    others = {"processGeneration", "stripeWebhook", "revenueCatWebhook"}
    assert set(manifest["endpoints"]) == HTTP | SCHEDULED | others


def test_every_function_states_where_and_how_it_runs(manifest: dict[str, Any]) -> None:
    for endpoint in manifest["endpoints"].values():
        assert endpoint["region"] == ["us-central1"]
        assert endpoint["availableMemoryMb"] == 512
        assert endpoint["maxInstances"] >= 1
        assert endpoint["timeoutSeconds"] >= 30


def test_http_functions_serve_eighty_calls_at_once(manifest: dict[str, Any]) -> None:
    for name in HTTP:
        endpoint = manifest["endpoints"][name]
        assert endpoint["concurrency"] == 80
        assert endpoint["maxInstances"] == 100
        assert endpoint["httpsTrigger"] == {}
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
    assert "invoker" not in trigger  # none: the service account of the queue, nobody else
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


@pytest.mark.parametrize(
    ("payments", "declared"),
    [
        ("", {}),
        (
            "stripe",
            {
                "createCheckoutSession": ["STRIPE_SECRET_KEY"],
                "createPortalSession": ["STRIPE_SECRET_KEY"],
                "stripeWebhook": ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"],
            },
        ),
        ("revenuecat", {"revenueCatWebhook": ["REVENUECAT_WEBHOOK_SECRET"]}),
    ],
)
def test_a_secret_is_declared_only_where_its_feature_is_on(
    payments: str, declared: dict[str, list[str]]
) -> None:
    """A deploy stops at a declared secret without a value."""
    script = (
        "from firebase_functions.private import serving\n"
        "print(serving.functions_as_yaml(serving.get_functions()))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", script],
        cwd=FUNCTIONS,
        env=os.environ | {"PAYMENTS": payments, "FUNCTIONS_EMULATOR": ""},
        capture_output=True,
        check=True,
    ).stdout
    endpoints = yaml.safe_load(printed)["endpoints"]
    found = {
        name: sorted(secret["key"] for secret in endpoint["secretEnvironmentVariables"])
        for name, endpoint in endpoints.items()
        if endpoint.get("secretEnvironmentVariables")
    }
    assert found == declared


def test_webhooks_are_public_and_serve_eighty_calls_at_once(manifest: dict[str, Any]) -> None:
    for name in ("stripeWebhook", "revenueCatWebhook"):
        endpoint = manifest["endpoints"][name]
        assert (endpoint["httpsTrigger"], endpoint["concurrency"]) == ({}, 80)


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
