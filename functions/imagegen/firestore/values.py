"""Python values as Firestore's protocol buffers have them, and back."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from types import NoneType
from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1 import types

Value = types.Value.pb()  # the plain protocol buffer beneath the client's own class

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SCALARS: dict[type, str] = {
    bool: "boolean_value",  # before int, which it is too
    int: "integer_value",
    float: "double_value",
    str: "string_value",
}


def encoded(value: Any) -> Any:
    """A Value, also of one; raises TypeError for what has no place in our documents."""
    message = Value()
    encode(message, value)
    return message


def encode(message: Any, value: Any) -> None:
    """Write `value` into `message`, an empty Value. Raises TypeError like `encoded`."""
    kind: type = type(value)
    _writer(kind)(message, value)


@cache
def _writer(kind: type[Any]) -> Callable[[Any, Any], None]:
    """What writes values of a type into a Value; found once for each type."""
    for scalar, name in SCALARS.items():
        if issubclass(kind, scalar):
            return lambda message, value: setattr(message, name, value)
    if issubclass(kind, datetime):
        return lambda message, value: write_instant(message.timestamp_value, value)
    if issubclass(kind, Mapping):
        return _write_map
    if issubclass(kind, list | tuple):
        return _write_array
    if issubclass(kind, NoneType):
        return lambda message, _: setattr(message, "null_value", 0)
    if issubclass(kind, Value):
        return lambda message, value: message.CopyFrom(value)
    raise TypeError(f"Firestore has no type for {kind.__name__}")


def _write_map(message: Any, value: Mapping[str, Any]) -> None:
    message.map_value.SetInParent()  # an empty map is a map, too
    fields = message.map_value.fields
    for key, each in value.items():
        encode(fields[key], each)


def _write_array(message: Any, value: Sequence[Any]) -> None:
    message.array_value.SetInParent()
    for each in value:
        encode(message.array_value.values.add(), each)


def write_instant(message: Any, moment: datetime) -> None:
    """Write `moment`, which has a time zone, into a Timestamp, in microseconds."""
    since = moment - EPOCH
    message.seconds = since.days * 86_400 + since.seconds
    message.nanos = since.microseconds * 1000


def instant(message: Any) -> datetime:
    """The moment in a Timestamp, in microseconds."""
    return EPOCH + timedelta(seconds=message.seconds, microseconds=message.nanos // 1000)


# What protocol buffers give as Python values.
PLAIN = frozenset({"string_value", "integer_value", "boolean_value", "double_value"})


def decoded(value: Any) -> Any:
    """What is in a Value; kinds that we never write come as protocol buffers have them.

    Never raises: not for a reference, which must not pass for text, nor for a kind that is newer
    than this client.
    """
    kind = value.WhichOneof("value_type")
    if kind in PLAIN:
        return getattr(value, kind)
    if kind == "timestamp_value":
        return instant(value.timestamp_value)
    if kind == "map_value":
        return {name: decoded(each) for name, each in value.map_value.fields.items()}
    if kind == "array_value":
        return [decoded(each) for each in value.array_value.values]
    if kind == "null_value":
        return None
    return value if kind in (None, "reference_value") else getattr(value, kind)


@lru_cache(maxsize=1024)
def field_path(name: str) -> str:
    """A top-level field as paths spell it: quoted where it is more than letters and digits."""
    return str(firestore.Client.field_path(name))
