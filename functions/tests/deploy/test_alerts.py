"""ops/ against Google's published schemas and against what the functions log; and its command."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import discovery
import pytest
from deploy import alerts
from deploy.google import Google
from fake_google import FakeGoogle
from my_app import PROJECT
from support.paths import FUNCTIONS, ROOT

pytest_plugins = ["google_fixtures"]

METRICS = dict(alerts.files("metrics"))
POLICIES = dict(alerts.files("alerts"))
DASHBOARD = alerts.read(alerts.OPS / "dashboard.json")
# Google's own metrics, and the labels that are used of them or of their resources.
GOOGLES_METRICS = {
    "cloudtasks.googleapis.com/queue/depth",
    "run.googleapis.com/container/instance_count",
    "run.googleapis.com/request_count",
}
POLICIES_PATH = f"monitoring/v3/projects/{PROJECT}/alertPolicies"


def faults(api: str, version: str, schema: str, content: Any) -> list[str]:
    return discovery.faults(discovery.load(api, version), {"$ref": schema}, content, schema)


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_has_the_form_that_logging_publishes(name: str) -> None:
    metric = METRICS[name]
    assert faults("logging", "v2", "LogMetric", metric) == []
    assert metric["name"] == f"imagegen_{name}"
    is_distribution = metric["metricDescriptor"]["valueType"] == "DISTRIBUTION"
    assert is_distribution == ("valueExtractor" in metric) == ("bucketOptions" in metric)
    labels = {label["key"] for label in metric["metricDescriptor"].get("labels", [])}
    assert labels == set(metric.get("labelExtractors", {}))


@pytest.mark.parametrize("name", POLICIES)
def test_an_alert_has_the_form_that_monitoring_publishes(name: str) -> None:
    policy = POLICIES[name]
    assert faults("monitoring", "v3", "AlertPolicy", policy) == []
    assert policy["userLabels"] == {"imagegen": name}
    for condition in policy["conditions"]:
        threshold = condition["conditionThreshold"]
        assert int(threshold["duration"].rstrip("s")) % 60 == 0
        assert len(threshold["filter"]) <= 2048
        assert ("denominatorFilter" in threshold) == ("denominatorAggregations" in threshold)


def test_the_dashboard_has_the_form_that_monitoring_publishes() -> None:
    assert faults("monitoring", "v1", "Dashboard", DASHBOARD) == []
    tiles = DASHBOARD["mosaicLayout"]["tiles"]
    places = {(tile.get("xPos", 0), tile.get("yPos", 0)) for tile in tiles}
    assert len(places) == len(tiles)
    columns = DASHBOARD["mosaicLayout"]["columns"]
    assert all(tile.get("xPos", 0) + tile["width"] <= columns for tile in tiles)


def test_the_schemas_refuse_what_is_wrong() -> None:
    """The check of the three tests above can fail."""
    wrong = json.loads(json.dumps(POLICIES["error-rate"]))
    condition = wrong["conditions"][0]["conditionThreshold"]
    condition["comparison"], condition["treshold"] = "COMPARISON_ABOVE", 1
    condition["thresholdValue"] = "0.01"
    assert len(faults("monitoring", "v3", "AlertPolicy", wrong)) == 3


def filters(content: Any) -> Iterator[tuple[str, list[str]]]:
    """Every filter of time series in a file, with the fields it is grouped by."""
    if isinstance(content, dict):
        for name in ("filter", "denominatorFilter"):
            if isinstance(content.get(name), str):
                found = content.get("aggregation") or content.get("aggregations") or {}
                grouping = found if isinstance(found, dict) else found[0]
                yield content[name], grouping.get("groupByFields", [])
        content = list(content.values())
    if isinstance(content, list):
        for each in content:
            yield from filters(each)


def test_alerts_and_charts_use_metrics_and_labels_that_exist() -> None:
    used = set()
    for text, grouped_by in filters([*POLICIES.values(), DASHBOARD]):
        (metric,) = re.findall(r'metric\.type="([^"]+)"', text)
        assert 'resource.type="' in text
        labels = set(re.findall(r"metric\.labels?\.(\w+)", f"{text} {' '.join(grouped_by)}"))
        if metric in GOOGLES_METRICS:
            continue
        name = metric.removeprefix("logging.googleapis.com/user/imagegen_")
        used.add(name)
        assert labels <= set(METRICS[name].get("labelExtractors", {})), text
    assert used == set(METRICS)


def test_metrics_are_made_of_lines_that_are_logged() -> None:
    code = "\n".join(path.read_text() for path in (FUNCTIONS / "imagegen").rglob("*.py"))
    documented = (ROOT / "docs" / "operations.md").read_text()
    for metric in METRICS.values():
        for message in re.findall(r'"([a-z ]+)"', metric["filter"].partition("message=")[2]):
            assert f'"{message}"' in code, message
            assert f"`{message}`" in documented, message
        extractors = [metric.get("valueExtractor", ""), *metric.get("labelExtractors", {}).values()]
        for field in re.findall(r"jsonPayload\.(\w+)", " ".join(extractors)):
            assert re.search(rf'\b{field}("\])? ?=', code), field
            assert f"`{field}`" in documented, field


def test_every_scheduled_function_that_fails_is_told_of(manifest: dict[str, Any]) -> None:
    ((text, _),) = filters(POLICIES["schedules"])
    (services,) = re.findall(r'full_match\("([^"]+)"\)', text)
    scheduled = {
        name.lower() for name, each in manifest["endpoints"].items() if "scheduleTrigger" in each
    }
    assert set(services.split("|")) == scheduled


def test_reasons_outcomes_and_functions_in_filters_are_ours() -> None:
    code = "\n".join(
        path.read_text() for path in FUNCTIONS.glob("**/*.py") if "venv" not in str(path)
    )
    for text, _ in filters([*POLICIES.values(), DASHBOARD]):
        for value in re.findall(r'metric\.labels\.(?:reason|outcome|function)!?="([^"]+)"', text):
            assert re.search(rf"\b{value}\b", code), value


# --- the command -------------------------------------------------------------------------------


def resources(fake: FakeGoogle) -> dict[str, Any]:
    return {
        path: content
        for path, content in fake.resources.items()
        if path.startswith(("logging/", "monitoring/"))
    }


def written(fake: FakeGoogle) -> list[str]:
    return [path for verb, path in fake.calls if verb != "GET"]


def test_everything_is_applied_and_a_second_run_changes_nothing(
    fake: FakeGoogle, google: Google, capsys: pytest.CaptureFixture[str]
) -> None:
    assert alerts.apply(google, PROJECT, email="ops@example.com") == 0
    assert capsys.readouterr().out.count("created") == len(METRICS) + len(POLICIES) + 1
    once = json.dumps(resources(fake), sort_keys=True)
    (channel,) = [
        each for path, each in resources(fake).items() if "/notificationChannels/" in path
    ]
    assert channel["labels"] == {"email_address": "ops@example.com"}
    for path, policy in resources(fake).items():
        if path.startswith(POLICIES_PATH):
            assert policy["notificationChannels"] == [channel["name"]]
    fake.calls.clear()
    assert alerts.apply(google, PROJECT, email="ops@example.com") == 0
    assert written(fake) == []
    assert json.dumps(resources(fake), sort_keys=True) == once
    assert "created" not in capsys.readouterr().out


def test_what_differs_is_written_and_channels_stay(
    fake: FakeGoogle, google: Google, capsys: pytest.CaptureFixture[str]
) -> None:
    alerts.apply(google, PROJECT)
    path, policy = next((p, r) for p, r in fake.resources.items() if p.startswith(POLICIES_PATH))
    policy["notificationChannels"] = ["projects/my-app/notificationChannels/pager"]
    policy["conditions"][0]["conditionThreshold"]["thresholdValue"] = 99
    fake.resources[f"logging/v2/projects/{PROJECT}/metrics/imagegen_calls"]["filter"] = "x"
    dashboard = fake.resources[f"monitoring/v1/projects/{PROJECT}/dashboards/imagegen"]
    dashboard["displayName"], dashboard["etag"] = "mine", "abc"
    capsys.readouterr()
    fake.calls.clear()
    assert alerts.apply(google, PROJECT) == 0
    assert capsys.readouterr().out.count("updated") == 3
    assert len(written(fake)) == 3
    changed = fake.resources[path]
    assert changed["notificationChannels"] == ["projects/my-app/notificationChannels/pager"]
    assert changed["conditions"][0]["conditionThreshold"]["thresholdValue"] != 99
    assert fake.resources[f"monitoring/v1/projects/{PROJECT}/dashboards/imagegen"]["etag"] == "abc"


def test_a_metric_that_is_too_new_is_waited_for(
    fake: FakeGoogle, google: Google, capsys: pytest.CaptureFixture[str]
) -> None:
    message = "Cannot find metric that matches type. It could take up to 10 minutes."
    fake.handlers["alertPolicies"] = lambda body: (
        (404, {"error": {"code": 404, "message": message, "status": "NOT_FOUND"}})
        if body
        else (200, {})
    )
    assert alerts.apply(google, PROJECT) == 1
    assert "run this again then" in capsys.readouterr().out
    assert written(fake)  # the rest is applied
