"""Values that this client does not know must not stop whoever reads the document."""

import pytest

from imagegen.firestore.values import Value, decoded, encoded


@pytest.mark.parametrize("value", [Value(), Value(reference_value="projects/p/x/y")])
def test_what_python_has_no_type_for_stays_a_protocol_buffer(value: object) -> None:
    assert decoded(value) is value
    assert encoded(value) is value
