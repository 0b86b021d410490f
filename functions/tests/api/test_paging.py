"""Page tokens are opaque, and good only for the listing they were made for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from imagegen.api import paging
from imagegen.api.paging import POSITION
from imagegen.errors import InvalidField

INTEGER = TypeAdapter(int)


@given(st.integers(1, 2**53), st.text(max_size=20))
def test_a_token_gives_back_its_position(position: int, user_id: str) -> None:
    token = paging.token(position, ("listing", user_id))
    assert paging.position(token, ("listing", user_id), INTEGER) == position


def test_a_token_of_another_listing_is_refused() -> None:
    token = paging.token(7, ("listing", "ann"))
    with pytest.raises(InvalidField):
        paging.position(token, ("listing", "bob"), INTEGER)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_tokens(text: str) -> None:
    with pytest.raises(InvalidField):
        paging.position(text, ("listing",), INTEGER)


@pytest.mark.parametrize("forged", ["x", None, {}, [1], 1.5])
def test_a_forged_position_of_another_shape_is_refused(forged: object) -> None:
    with pytest.raises(InvalidField):
        paging.position(paging.token(forged, ("listing",)), ("listing",), INTEGER)


@pytest.mark.parametrize(
    "instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-21T13:00:00"]
)
def test_a_forged_instant_without_a_form_in_utc_is_refused(instant: str) -> None:
    with pytest.raises(InvalidField):
        paging.position(paging.token([instant, "id"], ("listing",)), ("listing",), POSITION)
