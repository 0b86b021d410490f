"""Every constant has a name, and a deployment may replace some."""

import ast
import re
from pathlib import Path

import pytest

from imagegen.report import anomalies
from imagegen.report.anomalies.thresholds import Thresholds


def test_named_thresholds_replace_the_defaults_and_the_rest_stays() -> None:
    given = Thresholds.parse('{"dayUpRatio": 2, "keepGuards": true}')
    assert (given.day_up_ratio, given.keep_guards) == (2, True)
    assert given.week_up_ratio == Thresholds().week_up_ratio


@pytest.mark.parametrize("text", ["", "{}", "  "])
def test_nothing_given_means_the_defaults(text: str) -> None:
    assert Thresholds.parse(text) == Thresholds()


def test_an_error_names_every_unknown_name_and_bad_value() -> None:
    with pytest.raises(ValueError, match="REPORT_THRESHOLDS") as caught:
        Thresholds.parse('{"dayUp": 2, "countFdr": 7, "historyDays": "many"}')
    message = str(caught.value)
    assert "dayUp is not a threshold" in message
    assert "countFdr" in message
    assert "historyDays" in message


@pytest.mark.parametrize("text", ["[]", "{", "7"])
def test_anything_but_an_object_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="REPORT_THRESHOLDS"):
        Thresholds.parse(text)


def test_the_operators_table_names_every_threshold_with_its_default() -> None:
    page = Path(__file__).resolve().parents[4] / "docs" / "reports.md"
    rows = re.compile(r"^\| `(\w+)` \| ([^|]+) \|", re.MULTILINE)
    told = dict(rows.findall(page.read_text(encoding="utf-8").split("## Thresholds")[1]))
    assert {name: str(value).lower() for name, value in Thresholds().as_json().items()} == {
        name: value.strip() for name, value in told.items()
    }


def test_no_rule_has_constants_of_its_own() -> None:
    modules = {path.stem: path for path in Path(anomalies.__path__[0]).glob("*.py")}
    constants = {name: numbers_at_the_top(path) for name, path in modules.items()}
    assert constants.pop("thresholds")
    assert constants.pop("statistics")
    assert {name: found for name, found in constants.items() if found} == {}


def numbers_at_the_top(path: Path) -> list[str]:
    """Module-level assignments that hold a number."""
    statements = ast.parse(path.read_text(encoding="utf-8")).body
    return [
        ast.unparse(each)
        for each in statements
        if isinstance(each, ast.Assign | ast.AnnAssign)
        for node in ast.walk(each)
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float)
    ]
