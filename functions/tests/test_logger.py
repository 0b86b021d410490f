"""Lines of one call are joined by its trace."""

import ast
import json
from typing import Any

import pytest
from flask import Flask
from support.paths import FUNCTIONS

from imagegen import logger

TRACE = "105445aa7843bc8bf206b12000100000"
app = Flask(__name__)


def logged(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    out, err = capsys.readouterr()
    line: dict[str, Any] = json.loads(out or err)
    return line


@pytest.mark.parametrize("header", [f"{TRACE}/1;o=1", f"{TRACE}/0", TRACE])
def test_a_line_within_a_call_names_its_trace(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    monkeypatch.setenv("GCLOUD_PROJECT", "my-app")
    with app.test_request_context(headers={"X-Cloud-Trace-Context": header}):
        logger.info("call", code=200)
    assert logged(capsys) == {
        "severity": "INFO",
        "message": "call",
        "code": 200,
        "logging.googleapis.com/trace": f"projects/my-app/traces/{TRACE}",
    }


@pytest.mark.parametrize("header", ["", "x", TRACE[:-1], f"{TRACE}0/1", f'"{TRACE}', "a" * 5000])
def test_a_header_that_is_no_trace_is_left_out(
    capsys: pytest.CaptureFixture[str], header: str
) -> None:
    with app.test_request_context(headers={"X-Cloud-Trace-Context": header}):
        logger.warn("late result dropped")
    assert logged(capsys) == {"severity": "WARNING", "message": "late result dropped"}


def test_outside_a_call_a_line_names_none(capsys: pytest.CaptureFixture[str]) -> None:
    logger.error("defect", requestId="r1")
    assert logged(capsys) == {"severity": "ERROR", "message": "defect", "requestId": "r1"}


def test_every_module_logs_through_this_one() -> None:
    around = [
        path.name
        for path in (FUNCTIONS / "imagegen").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        and node.module == "firebase_functions"
        and "logger" in {name.name for name in node.names}
    ]
    assert not around
