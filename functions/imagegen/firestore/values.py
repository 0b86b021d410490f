"""Python values as Firestore's protocol buffers have them, and back."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1 import types

Value = types.Value.pb()  # the plain protocol buffer beneath the client's own class

SCALARS: dict[type, str] = {
    bool: "boolean_value",  # before int, which it is too
    int: "integer_value",
    float: "double_value",
    str: "string_value",
    datetime: "timestamp_value",
}


def _scalar(value: Any) -> str | None:
    """The field of a Value that holds `value`, if it is a scalar."""
    return SCALARS.get(type(value)) or next(
        (name for kind, name in SCALARS.items() if isinstance(value, kind)), None
    )


def encoded(value: Any) -> Any:
    """A Value, also of one; raises TypeError for what has no place in our documents."""
    message = Value()
    encode(message, value)
    return message


def encode(message: Any, value: Any) -> None:
    """Write `value` into `message`, an empty Value. Raises TypeError like `encoded`."""
    if value is None:
        message.null_value = 0
    elif (name := _scalar(value)) == "timestamp_value":
        message.timestamp_value.FromDatetime(value)
    elif name is not None:
        setattr(message, name, value)
    elif isinstance(value, Mapping):
        message.map_value.SetInParent()  # an empty map is a map, too
        for key, each in value.items():
            encode(message.map_value.fields[key], each)
    elif isinstance(value, list | tuple):
        message.array_value.SetInParent()
        for each in value:
            encode(message.array_value.values.add(), each)
    elif isinstance(value, Value):
        message.CopyFrom(value)
    else:
        raise TypeError(f"Firestore has no type for {type(value).__name__}")


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
        return value.timestamp_value.ToDatetime(UTC)
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
