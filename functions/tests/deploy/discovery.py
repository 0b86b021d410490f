"""Google's discovery documents: which methods an API has, and the form of what they take and give.

They are the description from which Google makes its own client libraries, as published with
google-api-python-client. What our checks send, what the fake answers and what is in ops/ is held
against them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

Json = dict[str, Any]
# Where an API has several documents, the one whose paths begin like this.
VERSIONS = {
    "cloudbilling": ("v1",),
    "cloudresourcemanager": ("v3",),
    "cloudtasks": ("v2",),
    "firebase": ("v1beta1",),
    "firebaseappcheck": ("v1",),
    "firebasestorage": ("v1beta",),
    "firestore": ("v1",),
    "iam": ("v1",),
    "identitytoolkit": ("v1", "v2"),
    "logging": ("v2",),
    "monitoring": ("v1", "v3"),
    "run": ("v2",),
    "secretmanager": ("v1",),
    "serviceusage": ("v1",),
    "storage": ("v1",),
}
PYTHON_TYPES: Mapping[str, Any] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "array": list,
    "object": dict,
}
# Parameters that every method takes.
COMMON_PARAMETERS = {"key", "fields", "alt", "prettyPrint", "quotaUser", "access_token"}


@dataclass(frozen=True)
class Method:
    """A method of an API, and the document that its schemas are in."""

    document: Json
    content: Json

    @property
    def id(self) -> str:
        return str(self.content["id"])

    def faults_of_call(self, parameters: Mapping[str, Any], body: Any) -> list[str]:
        """What is wrong with the query parameters and the body of a call."""
        known = COMMON_PARAMETERS | set(self.content.get("parameters", {}))
        found = [f"{self.id}: no parameter {name}" for name in parameters if name not in known]
        if "request" in self.content:
            return found + faults(self.document, self.content["request"], body or {}, self.id)
        return found + ([f"{self.id} takes no body"] if body else [])

    def faults_of_answer(self, answer: Any) -> list[str]:
        return faults(self.document, self.content["response"], answer, self.id)

    @property
    def list_field(self) -> str:
        """The field of the answer that holds the items, for a method that lists; else empty."""
        if not re.search(r"\.list\w*$", self.id):
            return ""
        properties = self.document["schemas"][self.content["response"]["$ref"]]["properties"]
        return str(next(name for name, each in properties.items() if each.get("type") == "array"))


def method(verb: str, api: str, path: str) -> Method | None:
    """The method that a call of `verb` on `path` reaches; None where there is none."""
    matching: dict[int, Method] = {}
    for version in VERSIONS.get(api, ()):
        document = load(api, version)
        for content in _methods(document):
            pattern = document["servicePath"] + (content.get("flatPath") or content["path"])
            regex = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(pattern))
            if content["httpMethod"] == verb and re.fullmatch(regex, path):
                # A name may hold a colon, so `x:getIamPolicy` is a name too: the closest wins.
                matching[len(re.sub(r"{\w+}", "", pattern))] = Method(document, content)
    return matching[max(matching)] if matching else None


def faults(document: Json, schema: Json, value: Any, path: str) -> list[str]:
    """Where `value` differs from `schema`: unknown fields, wrong types, values of no enum."""
    if "$ref" in schema:
        schema = document["schemas"][schema["$ref"]]
    expected = schema.get("type", "any")
    if expected == "any":
        return []
    # 64-bit numbers are strings in JSON; bool is an int in Python only.
    is_bool = isinstance(value, bool) and expected != "boolean"
    if is_bool or not isinstance(value, PYTHON_TYPES[expected]):
        return [f"{path} is {value!r}, not of type {expected}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{path} is {value!r}, none of {', '.join(schema['enum'])}"]
    found: list[str] = []
    if expected == "array":
        for position, item in enumerate(value):
            found += faults(document, schema["items"], item, f"{path}[{position}]")
    if expected == "object":
        for name, inner in value.items():
            field = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
            if field is None:
                found.append(f"{path} has no field {name}")
            else:
                found += faults(document, field, inner, f"{path}.{name}")
    return found


@cache
def load(api: str, version: str) -> Json:
    files = resources.files("googleapiclient.discovery_cache") / "documents"
    document: Json = json.loads((files / f"{api}.{version}.json").read_text())
    return document


def _methods(resource: Json) -> Iterator[Json]:
    yield from resource.get("methods", {}).values()
    for inner in resource.get("resources", {}).values():
        yield from _methods(inner)
