"""The parts of docs/api.md and docs/admin.md that follow from the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from imagegen.api.endpoint import Endpoint
from openapi.functions import ENDPOINTS, OF_OPERATORS
from openapi.schemas import models

Json = Mapping[str, Any]


def updated(guide: str, document: Json) -> str:
    """docs/api.md with its generated parts written anew; all else is left as it is.

    Raises ValueError when a marker is missing.
    """
    parts = {"functions": _functions(document), "fields": _fields(ENDPOINTS)}
    return _with(guide, "docs/api.md", parts)


def updated_for_operators(guide: str, document: Json) -> str:
    """docs/admin.md, likewise."""
    parts = {"paths": _paths(document), "fields": _fields(OF_OPERATORS)}
    return _with(guide, "docs/admin.md", parts)


def _with(guide: str, page: str, parts: Mapping[str, Iterator[str]]) -> str:
    for name, lines in parts.items():
        start, end = f"<!-- {name}: written by `make openapi` -->", f"<!-- end of {name} -->"
        before, opened, rest = guide.partition(start)
        _, closed, after = rest.partition(end)
        if not opened or not closed:
            raise ValueError(f"{page} needs the markers `{start}` and `{end}`")
        guide = before + "\n".join([start, *lines, end]) + after
    return guide


def _functions(document: Json) -> Iterator[str]:
    yield "| function | methods | does |"
    yield "|---|---|---|"
    for path, item in document["paths"].items():
        operations = {method: each for method, each in item.items() if method != "servers"}
        first, *_ = operations.values()
        if "functions" in first["tags"]:
            name = path.removeprefix("/")
            methods = " ".join(method.upper() for method in operations)
            public = "; needs no token" if first.get("security") == [] else ""
            yield f"| [{name}](#{name.lower()}) | {methods} | {first['summary']}{public} |"


def _paths(document: Json) -> Iterator[str]:
    yield "| call | | does |"
    yield "|---|---|---|"
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "servers" and "operators" in operation["tags"]:
                shown = path.removeprefix("/admin")
                yield f"| {method.upper()} | `{shown}` | {operation['summary']} |"


def _fields(endpoints: tuple[Endpoint, ...]) -> Iterator[str]:
    yield "| object | field | meaning |"
    yield "|---|---|---|"
    for name, schema in models(endpoints).items():
        for number, (field, described) in enumerate(schema.get("properties", {}).items()):
            yield f"| {'' if number else name} | `{field}` | {described['description']} |"
