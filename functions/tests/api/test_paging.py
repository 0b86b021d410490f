"""Page tokens are opaque, and good only for the listing they were made for."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from imagegen.api import paging
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
    honest = paging.token(7, ("listing",))
    _, digest = json.loads(base64.urlsafe_b64decode(honest + "=" * (-len(honest) % 4)))
    token = base64.urlsafe_b64encode(json.dumps([forged, digest]).encode()).decode().rstrip("=")
    with pytest.raises(InvalidField):
        paging.position(token, ("listing",), INTEGER)
