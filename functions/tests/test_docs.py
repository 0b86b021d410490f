"""The documentation names files and links that exist."""

import re
from pathlib import Path

import pytest
from support.paths import FUNCTIONS, ROOT

PAGES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/*.md"),
    *ROOT.glob("web/*.md"),
    *ROOT.glob("clients/*/*.md"),
]
# What a path in the text may be relative to.
FOLDERS = (ROOT, FUNCTIONS, FUNCTIONS / "imagegen", FUNCTIONS / "tests")
NAMES = {
    path.name
    for folder in ("functions/imagegen", "functions/tests", "tools", "bench")
    for path in ROOT.glob(f"{folder}/**/*.py")
} | {"main.py"}
LINK = re.compile(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
CODE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
PYTHON_FILE = re.compile(r"`([\w/-]+\.py)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_paths_lead_somewhere(page: Path) -> None:
    text = page.read_text()
    broken = [link for link in LINK.findall(CODE.sub("", text)) if not leads_somewhere(page, *link)]
    missing = [
        path
        for path in PYTHON_FILE.findall(text)
        if not any((folder / path).exists() for folder in FOLDERS)
        and ("/" in path or path not in NAMES)
    ]
    assert (broken, missing) == ([], [])


def leads_somewhere(page: Path, path: str, anchor: str) -> bool:
    target = page.parent / path if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = HEADING.findall(CODE.sub("", page.read_text()))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
