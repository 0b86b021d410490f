"""What the files that describe the API have to hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openapi import guide, postman
from openapi.checkout import ROOT
from openapi.document import document

GUIDE = ROOT / "docs" / "api.md"
OPERATORS_GUIDE = ROOT / "docs" / "admin.md"


def files() -> dict[Path, str]:
    """The text of each file, by its path."""
    text = document().model_dump_json(by_alias=True, exclude_unset=True, exclude_none=True)
    described = json.loads(text, parse_float=_whole)
    return {
        ROOT / "openapi.json": _json(described),
        ROOT / "docs" / "postman_collection.json": _json(postman.collection(described)),
        GUIDE: guide.updated(GUIDE.read_text(), described),
        OPERATORS_GUIDE: guide.updated_for_operators(OPERATORS_GUIDE.read_text(), described),
    }


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _whole(number: str) -> float:
    """The bounds of integers, which the library makes floats of."""
    return int(float(number)) if float(number).is_integer() else float(number)
