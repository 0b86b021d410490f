"""The functions of the API, and the document that describes them."""

import json
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from support.paths import ROOT

Json = dict[str, Any]
HTTP = {
    "createGenerationRequest",
    "getUserCredits",
    "getGenerationStatus",
    "listGenerationRequests",
    "cancelGenerationRequest",
    "listModels",
}
SCHEDULED = {"scheduleWeeklyReport", "recoverLostGenerations"}
DOCUMENT: Json = json.loads((ROOT / "openapi.json").read_text())


def is_valid(value: Any, schema: Json) -> None:
    """Assert that `value` has the `schema`, which may refer to the document's components."""
    rooted = {**schema, "components": DOCUMENT["components"]}
    Draft202012Validator(rooted, format_checker=FormatChecker()).validate(value)


def json_of(content: Json) -> Json:
    media: Json = content["content"]["application/json"]
    return media
