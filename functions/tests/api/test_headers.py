"""A header that was sent several times: servers join the values with commas."""

import pytest

from imagegen.api.headers import distinct


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("k", ["k"]),
        ("k,k", ["k"]),
        ("k, k ,k", ["k"]),
        ("k,l", ["k", "l"]),
        ('"a,b"', ['"a,b"']),
        ('"a,b", "a,b"', ['"a,b"']),
        ('a"b,a"b', ['a"b']),
        ('"k,', ['"k', ""]),
        ("k,", ["k", ""]),
        ("", [""]),
    ],
)
def test_values_are_told_apart_and_equal_ones_are_one(header: str, values: list[str]) -> None:
    assert distinct(header) == values
