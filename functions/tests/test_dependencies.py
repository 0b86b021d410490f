"""Every package that the code imports is declared, and every declared one is pinned."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from support.paths import FUNCTIONS, ROOT

DEPLOYED = [FUNCTIONS / "main.py", *FUNCTIONS.glob("imagegen/**/*.py")]
DEVELOPED = [
    path
    for folder in (FUNCTIONS / "tests", ROOT / "tools", ROOT / "bench")
    for path in folder.glob("**/*.py")
]


@pytest.mark.parametrize(
    ("sources", "lists"),
    [(DEPLOYED, ["requirements.in"]), (DEVELOPED, ["requirements.in", "requirements-dev.in"])],
    ids=["deployed", "developed"],
)
def test_every_imported_package_is_declared(sources: list[Path], lists: list[str]) -> None:
    declared = {name for each in lists for name in declared_in(FUNCTIONS / each)}
    undeclared = {
        f"{path.relative_to(ROOT)}:{line} imports {module} of {package}"
        for path in sources
        for line, module in imports_of(path)
        if (package := distributions().get(module)) and package not in declared
    }
    assert undeclared == set()


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_every_declared_package_is_pinned_with_its_hashes(name: str) -> None:
    pinned = pins_of(FUNCTIONS / f"{name}.txt")
    assert declared_in(FUNCTIONS / f"{name}.in") <= {package for package, _ in pinned}
    assert all(hashes for hashes in pinned.values())


def test_developers_have_what_is_deployed() -> None:
    deployed = pins_of(FUNCTIONS / "requirements.txt").items()
    assert deployed <= pins_of(FUNCTIONS / "requirements-dev.txt").items()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_the_lock_names_no_package_index(name: str) -> None:
    assert not re.search(r"://|--(extra-)?index-url|--find-links", (FUNCTIONS / name).read_text())


def declared_in(path: Path) -> set[str]:
    lines = [line.partition("#")[0].strip() for line in path.read_text().splitlines()]
    return {
        canonicalize_name(Requirement(line).name)
        for line in lines
        if line and not line.startswith("-")
    }


def pins_of(path: Path) -> dict[tuple[str, str], frozenset[str]]:
    """The hashes of each pin, by package and version with its marker."""
    text = path.read_text().replace("\\\n", " ")
    pins: dict[tuple[str, str], frozenset[str]] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            pin, *hashes = line.split("--hash=")
            requirement = Requirement(pin.strip())
            (specifier,) = requirement.specifier
            assert specifier.operator == "==", line
            version = f"{specifier.version} {requirement.marker or ''}"
            pins[canonicalize_name(requirement.name), version] = frozenset(map(str.strip, hashes))
    return pins


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Each imported module and its line; `from a import b` is a.b where that is a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield node.lineno, inner if inner in distributions() else node.module


@cache
def distributions() -> dict[str, str]:
    """The installed package that each importable module belongs to."""
    return {
        str(file)
        .removesuffix(".py")
        .removesuffix("/__init__")
        .replace("/", "."): canonicalize_name(distribution.name)
        for distribution in metadata.distributions()
        for file in distribution.files or ()
        if file.suffix == ".py"
    }
