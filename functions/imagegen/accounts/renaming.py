"""The id of a user in stored values, replaced by that of a tombstone."""

import re
from typing import Any


def renamed(value: Any, old: str, new: str) -> Any:
    """`value` with every `old` in its texts and names as `new`, down to any depth.

    An id that is a part of a longer word is another's.
    """
    word = re.compile(rf"(?<![\w-]){re.escape(old)}(?![\w-])")

    def replaced(each: Any) -> Any:
        if isinstance(each, str):
            return word.sub(new, each)
        if isinstance(each, dict):
            return {replaced(name): replaced(inner) for name, inner in each.items()}
        if isinstance(each, list):
            return [replaced(inner) for inner in each]
        return each

    return replaced(value)
