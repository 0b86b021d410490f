"""Values that this client does not know must not stop whoever reads the document."""

from datetime import UTC, datetime

import pytest

from imagegen.firestore.values import Value, decoded, encoded
from imagegen.generation.request import Status


@pytest.mark.parametrize("value", [Value(), Value(reference_value="projects/p/x/y")])
def test_what_python_has_no_type_for_stays_a_protocol_buffer(value: object) -> None:
    assert decoded(value) is value
    assert encoded(value) == value


@pytest.mark.parametrize(
    "value",
    [
        None, True, 7, 0.5, "text", datetime(2026, 11, 18, 12, 30, 1, 250_000, tzinfo=UTC),
        {}, [], {"lot": {"credits": 3, "kind": "trial"}}, [{"lot": "a"}, [1, None]],
    ],
)  # fmt: skip
def test_a_value_is_read_as_it_was_written(value: object) -> None:
    stored = decoded(encoded(value))
    assert stored == value
    assert type(stored) is type(value)


def test_a_status_is_written_as_text() -> None:
    assert encoded(Status.PENDING) == Value(string_value="pending")


def test_what_firestore_has_no_type_for_is_refused() -> None:
    with pytest.raises(TypeError, match="set"):
        encoded({"names": {"a"}})
