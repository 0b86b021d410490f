"""Page tokens: opaque positions in a listing, good only for the listing they were made for."""

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter

from imagegen.errors import InvalidField

Position = TypeVar("Position")


def token(position: Any, bound_to: Sequence[object]) -> str:
    """A token for `position` in the listing that `bound_to` describes."""
    text = json.dumps([position, _digest(bound_to)], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def position(page_token: str, bound_to: Sequence[object], shape: TypeAdapter[Position]) -> Position:
    """The position in a token, which must have the `shape` of this listing's positions.

    Raises InvalidField when the token is broken or was made for another listing.
    """
    try:
        padded = page_token.encode("ascii") + b"=" * (-len(page_token) % 4)
        found, digest = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if digest != _digest(bound_to):
            raise ValueError("made for another listing")
        return shape.validate_python(found)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        violation = {"field": "pageToken", "description": "is not a token of this listing"}
        raise InvalidField(fieldViolations=[violation]) from error


def _digest(bound_to: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(bound_to).encode()).hexdigest()[:16]
