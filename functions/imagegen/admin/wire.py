"""What the operators' endpoints share: reasons, pages, times."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, TypeAdapter

from imagegen.api import paging
from imagegen.api.auth import Caller
from imagegen.api.schema import DEFERRED, DocumentId, PageSize, PageToken, WireModel, printable
from imagegen.errors import TokenMissing
from imagegen.firestore.store import Document

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100

Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    AfterValidator(printable),
    Field(description="Why; it stays in the log of the operators' actions."),
]
IdempotencyKey = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+\z"),
    Field(
        description="Names this change, e.g. a ticket. However often it is sent, it is made once."
    ),
]
Moment = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
# Time and id of the last document of a page.
POSITION = TypeAdapter(tuple[Moment, DocumentId], config=DEFERRED)

Position = tuple[datetime, str]


class Page(WireModel):
    """Which part of a list."""

    page_size: PageSize = 0
    page_token: PageToken = None

    def size(self) -> int:
        return min(self.page_size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)

    def after(self, bound_to: Sequence[object]) -> Position | None:
        """What the page begins after. Raises InvalidField."""
        if self.page_token is None:
            return None
        return paging.position(self.page_token, bound_to, POSITION)


def next_token(
    found: Sequence[Document], size: int, field: str, bound_to: Sequence[object]
) -> str | None:
    """The token of the next page, if more than `size` were found; pages are ordered by `field`."""
    if len(found) <= size:
        return None
    last = found[size - 1]
    return paging.token([last[field].isoformat(), last.id], bound_to)


def uid_of(caller: Caller) -> str:
    """The uid of the operator who calls."""
    if caller.uid is None:
        raise TokenMissing
    return caller.uid


def told(value: Any) -> Any:
    """A stored value as JSON has it: a time as RFC 3339, bytes and references as text."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        case dict():
            return {name: told(each) for name, each in value.items()}
        case list() | tuple():
            return [told(each) for each in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)
