"""What the operators' endpoints share: reasons, pages, times."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

from imagegen.api import paging
from imagegen.api.auth import Caller
from imagegen.api.schema import PageSize, PageToken, WireModel, printable, rfc3339
from imagegen.errors import AccountClosing, AccountDisabled, TokenMissing

EXAMPLE_USER_ID = "testUser1"
CLOSED = (AccountClosing, AccountDisabled)

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


class Page(WireModel):
    """Which part of a list."""

    page_size: PageSize = 0
    page_token: PageToken = None

    def size(self) -> int:
        return paging.size_of(self.page_size)

    def after(self, bound_to: Sequence[object]) -> tuple[datetime, str] | None:
        """What the page begins after. Raises InvalidField."""
        if self.page_token is None:
            return None
        return paging.position(self.page_token, bound_to, paging.POSITION)


def uid_of(caller: Caller) -> str:
    """The uid of the operator who calls."""
    if caller.uid is None:
        raise TokenMissing
    return caller.uid


def told(value: Any) -> Any:
    """A stored value as JSON has it: a time as RFC 3339, bytes and references as text."""
    match value:
        case datetime():
            return rfc3339(value)
        case dict():
            return {name: told(each) for name, each in value.items()}
        case list() | tuple():
            return [told(each) for each in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)
