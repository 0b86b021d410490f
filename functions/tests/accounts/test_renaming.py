"""What names a user in texts, and what only looks like it."""

import pytest

from imagegen.accounts.renaming import renamed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("u7", "gone"),
        ("users/u7/transactions/a1", "users/gone/transactions/a1"),
        ("u7: sorry, U7", "gone: sorry, U7"),
        ("xu7, u7-b, u77", "xu7, u7-b, u77"),
        ("ann.lee@example.org wrote", "gone wrote"),
        ("<Ann.Lee@Example.ORG>.", "<gone>."),
        ("of jo+ann.lee@example.org", "of jo+ann.lee@example.org"),
        ("of jo.ann.lee@example.org", "of jo.ann.lee@example.org"),
        ("of ann.lee@example.org.uk", "of ann.lee@example.org.uk"),
    ],
)
def test_whole_ids_and_whole_addresses_name_a_user(text: str, expected: str) -> None:
    assert renamed(text, "u7", ["ann.lee@example.org"], "gone") == expected


def test_names_are_found_at_any_depth_and_numbers_stay() -> None:
    stored = {"ann": 3, "list": [{"by": "ann"}, None, True], "nested": {"ann": {"text": "of ann"}}}
    expected = {
        "gone": 3,
        "list": [{"by": "gone"}, None, True],
        "nested": {"gone": {"text": "of gone"}},
    }
    assert renamed(stored, "ann", [], "gone") == expected
