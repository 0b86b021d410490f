"""What a deploy is: this checkout's manifest with a project's parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import my_app
import pytest
from deploy import target
from deploy.target import ManifestError, Target


@pytest.fixture
def parameters(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Those of the project my-app, which a test may change."""
    found = target.read_parameters("my-app")
    monkeypatch.setattr(target, "read_parameters", lambda project: found)
    return found


def test_the_manifest_is_read_with_the_parameters_of_the_project(
    parameters: dict[str, str],
) -> None:
    assert target.read("my-app").secrets == []
    parameters["REPORT_DIGEST"] = "true"
    read = target.read("my-app")
    assert read.secrets == ["REPORT_WEBHOOK_URL"]
    assert read.with_trigger("taskQueueTrigger") == [
        "deliverEvent",
        "processAccount",
        "processGeneration",
        "runAudit",
    ]
    assert set(read.with_trigger("scheduleTrigger")) == {
        "deleteExpiredData",
        "recoverEvents",
        "recoverLostGenerations",
        "scheduleWeeklyReport",
    }
    assert "listModels" in read.with_trigger("httpsTrigger")


def test_code_that_cannot_be_loaded_is_told_in_one_line(
    parameters: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "main.py").write_text("raise ValueError('REGION is no region')")
    monkeypatch.setattr(target, "FUNCTIONS", tmp_path)
    with pytest.raises(ManifestError) as raised:
        target.read("my-app")
    told = "functions/main.py cannot be loaded: ValueError: REGION is no region"
    assert str(raised.value) == told


def test_the_file_of_a_project_overrides_the_common_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "FUNCTIONS", tmp_path)
    (tmp_path / ".env").write_text("# one\nA=1\nB='2'\n\n")
    (tmp_path / ".env.my-app").write_text("A=3\n")
    assert target.read_parameters("my-app") == {"A": "3", "B": "2"}
    assert target.read_parameters("other") == {"A": "1", "B": "2"}


@pytest.mark.parametrize(
    ("named", "address"),
    [
        ("imagegen@", "imagegen@my-app.iam.gserviceaccount.com"),
        ("other@elsewhere.iam.gserviceaccount.com", "other@elsewhere.iam.gserviceaccount.com"),
        (None, ""),
    ],
)
def test_the_address_of_the_service_account_is_completed(named: Any, address: str) -> None:
    made = Target("my-app", {}, {"f": {"region": ["us-central1"], "serviceAccountEmail": named}})
    assert made.service_account == address


def test_database_and_bucket_are_parameters() -> None:
    assert my_app.target().database_path == "projects/my-app/databases/(default)"
    named = my_app.target(FIRESTORE_DATABASE="images", IMAGE_BUCKET="pictures")
    assert (named.database_path, named.bucket) == ("projects/my-app/databases/images", "pictures")
