"""The HTTP headers that the API reads and sends, beside those that every server sends."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

_VALUE = re.compile(r'\s*("[^"]*"\s*|[^,]*),')


def distinct(header: str) -> list[str]:
    """The different values in `header`, each once; a value in double quotes may contain commas.

    A proxy or a retry may repeat a header, and servers join repeated headers with commas (RFC 9110,
    section 5.2): ``k`` sent twice arrives as ``k,k``.
    """
    return list(dict.fromkeys(value.strip() for value in _VALUE.findall(header + ",")))


class Header(NamedTuple):
    """A header of a request or of an answer, as the API's description has it."""

    name: str
    description: str
    schema: Mapping[str, Any]
    example: str | None = None


IDEMPOTENCY_KEY = Header(
    "Idempotency-Key",
    "The same as the field `idempotencyKey`; 1 to 255 printable ASCII characters, bare or in "
    "double quotes. A key with a comma needs the quotes.",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    "order-4711",
)
PREFER = Header(
    "Prefer",
    "`respond-async` is the same as `mode: async` (RFC 7240). Other preferences are ignored.",
    {"type": "string"},
    "respond-async",
)
X_REQUEST_ID = Header(
    "X-Request-Id",
    "Names this call in the logs of the service.",
    {"type": "string", "pattern": "^[0-9a-f]{32}$"},
)
CACHE_CONTROL = Header(
    "Cache-Control", "Answers are never cached.", {"type": "string", "const": "no-store"}
)
IDEMPOTENCY_REPLAYED = Header(
    "Idempotency-Replayed",
    "The answer repeats the outcome of an earlier call with the same idempotency key.",
    {"type": "string", "const": "true"},
)
LOCATION = Header("Location", "Where to look, relative to this URL.", {"type": "string"})
PREFERENCE_APPLIED = Header(
    "Preference-Applied",
    "The request is processed in the background.",
    {"type": "string", "const": "respond-async"},
)
RETRY_AFTER = Header(
    "Retry-After", "Seconds to wait before the next call.", {"type": "integer", "minimum": 1}
)
RATE_LIMIT = Header(
    "RateLimit",
    "The limit that is reached: `r` units are left, and `t` seconds pass until there are more.",
    {"type": "string"},
)
RATE_LIMIT_POLICY = Header(
    "RateLimit-Policy",
    "The limit that is reached: `q` units in a window of `w` seconds.",
    {"type": "string"},
)
WWW_AUTHENTICATE = Header(
    "WWW-Authenticate", "How to authenticate.", {"type": "string", "const": "Bearer"}
)
ALLOW = Header("Allow", "The methods that the endpoint answers.", {"type": "string"})

# What a browser lets a page of another origin read: Access-Control-Expose-Headers.
EXPOSED = (
    IDEMPOTENCY_REPLAYED,
    LOCATION,
    PREFERENCE_APPLIED,
    RATE_LIMIT,
    RATE_LIMIT_POLICY,
    RETRY_AFTER,
    WWW_AUTHENTICATE,
    X_REQUEST_ID,
)
ANSWERED = (*EXPOSED, CACHE_CONTROL, ALLOW)
