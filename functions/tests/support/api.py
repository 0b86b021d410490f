"""The functions of the API, and the document that describes them."""

import json
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from support.paths import ROOT

Json = dict[str, Any]
DOCUMENT: Json = json.loads((ROOT / "openapi.json").read_text())
# The paths of the operators' function have more than its name.
_NAMES = {path.split("/")[1] for path in DOCUMENT["paths"]}
# The names of the functions that answer HTTP, and of those that the scheduler runs.
HTTP = {name for name in _NAMES if not name.endswith("-0")}
CLIENTS = HTTP - {"admin"}  # the functions for apps
SCHEDULED = {name.removesuffix("-0") for name in _NAMES if name.endswith("-0")}


def is_valid(value: Any, schema: Json) -> None:
    """Assert that `value` has the `schema`, which may refer to the document's components."""
    rooted = {**schema, "components": DOCUMENT["components"]}
    Draft202012Validator(rooted, format_checker=FormatChecker()).validate(value)


def json_of(content: Json) -> Json:
    media: Json = content["content"]["application/json"]
    return media
