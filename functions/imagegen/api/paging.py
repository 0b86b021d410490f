"""Page tokens: opaque positions in a listing, good only for the listing they were made for."""

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, AwareDatetime, TypeAdapter

from imagegen.api.schema import DEFERRED, DocumentId
from imagegen.errors import InvalidField
from imagegen.firestore.store import Document

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100

Position = TypeVar("Position")
# Where a listing by time goes on: the time, in UTC so that it is known to have such a form, and the
# id of the last document.
POSITION = TypeAdapter(
    tuple[
        Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))], DocumentId
    ],
    config=DEFERRED,
)


def size_of(page_size: int) -> int:
    """How many documents a page holds, of a listing that says nothing else."""
    return min(page_size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


def after(page_token: str | None, bound_to: Sequence[object]) -> tuple[datetime, str] | None:
    """Where a listing by time goes on; None without a token. Raises InvalidField."""
    return position(page_token, bound_to, POSITION) if page_token else None


def next_token(
    found: Sequence[Document], size: int, bound_to: Sequence[object], *, by: str = "createdAt"
) -> str | None:
    """The token of the next page, if more than `size` were found of a listing by a time."""
    return token_after(found[size - 1], bound_to, by=by) if len(found) > size else None


def token_after(last: Document, bound_to: Sequence[object], *, by: str = "createdAt") -> str:
    """The token of the page that begins after a document of a listing by a time."""
    return token([last[by].isoformat(), last.id], bound_to)


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
