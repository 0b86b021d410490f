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


def encoded(value: Any) -> Any:
    """A Value, also of one; raises TypeError for what has no place in our documents."""
    if value is None:
        return Value(null_value=0)
    for kind, name in SCALARS.items():
        if isinstance(value, kind):
            return Value(**{name: value})
    if isinstance(value, Mapping):
        fields = {name: encoded(each) for name, each in value.items()}
        return Value(map_value={"fields": fields})
    if isinstance(value, list | tuple):
        return Value(array_value={"values": [encoded(each) for each in value]})
    if isinstance(value, Value):
        return value
    raise TypeError(f"Firestore has no type for {type(value).__name__}")


def decoded(value: Any) -> Any:
    """What is in a Value; kinds that we never write come as protocol buffers have them.

    Never raises: not for a reference, which must not pass for text, nor for a kind that is newer
    than this client.
    """
    match kind := value.WhichOneof("value_type"):
        case None | "reference_value":
            return value
        case "null_value":
            return None
        case "timestamp_value":
            return value.timestamp_value.ToDatetime(UTC)
        case "map_value":
            return {name: decoded(each) for name, each in value.map_value.fields.items()}
        case "array_value":
            return [decoded(each) for each in value.array_value.values]
        case _:
            return getattr(value, kind)


@lru_cache(maxsize=1024)
def field_path(name: str) -> str:
    """A top-level field as paths spell it: quoted where it is more than letters and digits."""
    return str(firestore.Client.field_path(name))
