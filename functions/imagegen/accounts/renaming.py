"""The id and the e-mail addresses of a user in stored values, replaced by the id of a tombstone."""

import re
from collections.abc import Sequence
from typing import Any


def renamed(value: Any, user_id: str, emails: Sequence[str], new: str) -> Any:
    """`value` with what names the user in its texts and names as `new`, down to any depth.

    An id that is a part of a longer word is another's; so is an address that is a part of a longer
    one. Addresses are found in any case.
    """
    name = rf"(?<![\w-]){re.escape(user_id)}(?![\w-])"
    addresses = [rf"(?i:(?<![\w.+-]){re.escape(each)}(?![\w-]|\.\w))" for each in emails]
    names = re.compile("|".join((*addresses, name)))

    def replaced(each: Any) -> Any:
        if isinstance(each, str):
            return names.sub(new, each)
        if isinstance(each, dict):
            return {replaced(name): replaced(inner) for name, inner in each.items()}
        if isinstance(each, list):
            return [replaced(inner) for inner in each]
        return each

    return replaced(value)
