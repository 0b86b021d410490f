"""The parts of docs/api.md that follow from the OpenAPI document: its functions and its fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openapi.schemas import models

Json = Mapping[str, Any]


def updated(guide: str, document: Json) -> str:
    """The guide with its generated parts written anew; all else is left as it is.

    Raises ValueError when a marker is missing.
    """
    for name, lines in {"functions": _functions(document), "fields": _fields()}.items():
        start, end = f"<!-- {name}: written by `make openapi` -->", f"<!-- end of {name} -->"
        before, opened, rest = guide.partition(start)
        _, closed, after = rest.partition(end)
        if not opened or not closed:
            raise ValueError(f"docs/api.md needs the markers `{start}` and `{end}`")
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


def _fields() -> Iterator[str]:
    yield "| object | field | meaning |"
    yield "|---|---|---|"
    for name, schema in models().items():
        for number, (field, described) in enumerate(schema.get("properties", {}).items()):
            yield f"| {'' if number else name} | `{field}` | {described['description']} |"
