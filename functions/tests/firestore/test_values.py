"""Values that this client does not know must not stop whoever reads the document."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from imagegen.firestore.values import Value, decoded, encoded, instant, write_instant
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


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 11, 18, 13, 30, tzinfo=timezone(timedelta(hours=1))),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
)
def test_a_moment_is_written_as_googles_own_library_writes_it(moment: datetime) -> None:
    theirs, ours = Timestamp(), Timestamp()
    theirs.FromDatetime(moment)
    write_instant(ours, moment)
    assert ours == theirs
    assert instant(ours) == theirs.ToDatetime(UTC) == moment


def test_what_is_less_than_a_microsecond_is_cut_off() -> None:
    assert instant(Timestamp(seconds=1, nanos=1_999)) == datetime.fromtimestamp(1.000001, UTC)


def test_a_status_is_written_as_text() -> None:
    assert encoded(Status.PENDING) == Value(string_value="pending")


def test_what_firestore_has_no_type_for_is_refused() -> None:
    with pytest.raises(TypeError, match="set"):
        encoded({"names": {"a"}})
