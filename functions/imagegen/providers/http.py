"""HTTP to vendors: one client for the instance, a deadline that holds, a cap on bytes.

Calls go to the base URL that the operator has configured, and nowhere else: redirects are not
followed. URLs that come in an answer or from a user are fetched through `outbound`, which takes
public addresses only and carries no credentials.
"""

import base64
import json as json_format
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from imagegen import config, outbound
from imagegen.providers import memory, transport
from imagegen.providers.base import GeneratedImage, GeneratorError
from imagegen.providers.failures import Reason, failure

MAX_JSON_BYTES = 256 * 1024  # of an answer that holds no image
LONG_BYTES = 256 * 1024  # an answer that is longer holds an image
MAX_REDIRECTS = 3
USER_AGENT = "imagegen"
STANDARD_ALPHABET = str.maketrans("-_", "+/")

# The vendor says that it has made nothing. After other 5xx, which come from gateways, that is open.
NOTHING_MADE = frozenset({408, 500, 503})


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of any status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; an empty object when it is not JSON."""
        try:
            return json_format.loads(self.body)
        except (ValueError, RecursionError):
            return {}


def call(
    method: str,
    url: str,
    *,
    deadline: float,
    headers: Mapping[str, str] | None = None,
    max_bytes: int = MAX_JSON_BYTES,
    **content: Any,
) -> Answer:
    """Send one request, once. `content` is `json`, or `data` with `files`, as httpx takes them.

    Raises GeneratorError: PROVIDER_UNREACHABLE when nothing was sent. A POST orders something, so
    when its answer is lost it is OUTCOME_UNKNOWN, or GENERATION_TIMEOUT at the deadline; other
    methods only ask, so they may ask again: PROVIDER_UNREACHABLE. NO_IMAGE when the answer is
    longer than `max_bytes`. A long answer takes a place in `memory`.
    """
    orders = method == "POST"
    # Not compressed: what is counted is what arrives.
    fixed = {"Accept-Encoding": "identity", "User-Agent": USER_AGENT}
    try:
        with (
            transport.deadline(deadline),
            transport.client().stream(
                method, url, headers={**fixed, **(headers or {})}, **content
            ) as reply,
        ):
            body = _read(reply.iter_raw(transport.CHUNK_BYTES), max_bytes, deadline)
            return Answer(reply.status_code, reply.headers, body)
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise failure(Reason.PROVIDER_UNREACHABLE, type(error).__name__) from error
    except httpx.TimeoutException as error:
        reason = Reason.GENERATION_TIMEOUT if orders else Reason.PROVIDER_UNREACHABLE
        raise failure(reason, type(error).__name__) from error
    except httpx.TransportError as error:
        reason = Reason.OUTCOME_UNKNOWN if orders else Reason.PROVIDER_UNREACHABLE
        raise failure(reason, type(error).__name__) from error


def fetch(url: str, *, deadline: float, max_bytes: int) -> bytes:
    """The bytes behind a URL that is not ours, at most three redirects away.

    Raises GeneratorError (IMAGE_NOT_FETCHED).
    """
    for _ in range(MAX_REDIRECTS + 1):
        try:
            response = outbound.request(
                "GET",
                url,
                headers={"User-Agent": USER_AGENT},  # without one, many servers refuse
                timeout_seconds=outbound.remaining(deadline),
                max_bytes=max_bytes,
            )
        except (outbound.OutboundError, TimeoutError) as error:
            raise failure(Reason.IMAGE_NOT_FETCHED, type(error).__name__) from error
        target = response.headers.get("Location")
        if response.status in {301, 302, 303, 307, 308} and target:
            url = _redirected(url, target)
        elif response.status == 200:
            return response.body
        else:
            raise failure(Reason.IMAGE_NOT_FETCHED, f"HTTP {response.status}")
    raise failure(Reason.IMAGE_NOT_FETCHED, "too many redirects")


def _redirected(url: str, target: str) -> str:
    try:
        return urljoin(url, target)
    except ValueError as error:  # "http://["
        raise failure(Reason.IMAGE_NOT_FETCHED, "a redirect to no URL") from error


def secret_header(
    secret: str | None, url: str, *, header: str = "Authorization", prefix: str = "Bearer "
) -> dict[str, str]:
    """The header that carries a secret to `url`; none where the model names no secret.

    Raises GeneratorError (PROVIDER_AUTH) when the secret has no value, or is not for that host.
    """
    if secret is None:
        return {}
    if urlsplit(url).netloc not in config.generator_secret_hosts().get(secret, ()):
        raise failure(Reason.PROVIDER_AUTH, f"GENERATOR_SECRETS has no {secret} for this host")
    value = config.generator_secret(secret)
    if not value or not (value.isascii() and value.isprintable()):
        raise failure(Reason.PROVIDER_AUTH, f"{secret} has no usable value")
    return {header: prefix + value}


def endpoint(base_url: str, path: str) -> str:
    """`path` below the base URL, whose query (Azure: `?api-version=…`) stays at the end."""
    base, mark, query = base_url.partition("?")
    return f"{base.rstrip('/')}/{path.lstrip('/')}{mark}{query}"


def base64_bytes(max_bytes: int) -> int:
    """How long a JSON answer with an image of `max_bytes` in it may be."""
    return max_bytes * 4 // 3 + MAX_JSON_BYTES


def base64_decoded(text: object) -> bytes:
    """The bytes of an image in an answer, in either alphabet. Raises GeneratorError (NO_IMAGE)."""
    try:
        return base64.b64decode(str(text).translate(STANDARD_ALPHABET), validate=True)
    except ValueError as error:
        raise failure(Reason.NO_IMAGE, "not base64") from error


def image_of(url: object) -> GeneratedImage:
    """The image behind a URL in an answer: to be fetched, or, where it is a data URL, here.

    Raises GeneratorError (NO_IMAGE).
    """
    if not isinstance(url, str) or not url:
        raise failure(Reason.NO_IMAGE, "no image in the answer")
    if not url.startswith("data:"):
        return GeneratedImage(url=url, download=True)
    mime_type, _, text = url.removeprefix("data:").partition(";base64,")
    return GeneratedImage(data=base64_decoded(text), mime_type=mime_type or "image/png")


def failure_of(answer: Answer, code: str = "", *, orders: bool = True) -> GeneratorError:
    """What an answer without success means, where the vendor has no meaning of its own for it.

    `code` is the vendor's word for it, for the log. `orders` is False for a call that only asks.
    """
    match answer.status:
        case 401 | 403:
            reason = Reason.PROVIDER_AUTH
        case 402:
            reason = Reason.PROVIDER_QUOTA
        case 429:
            reason = Reason.PROVIDER_BUSY
        case status if status in NOTHING_MADE or (status >= 500 and not orders):
            reason = Reason.PROVIDER_FAILED
        case status if status >= 500:
            reason = Reason.OUTCOME_UNKNOWN
        case status if status < 300:
            reason = Reason.NO_IMAGE
        case _:
            reason = Reason.PROVIDER_REJECTED
    detail = f"HTTP {answer.status} {word(code)}".rstrip()
    return failure(reason, detail, retry_after=retry_after(answer.headers))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, by the header Retry-After: a number or a date."""
    value = headers.get("retry-after", "")
    try:
        return max(0.0, min(float(value), 3600.0))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    seconds = (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds()
    return max(0.0, min(seconds, 3600.0))


def word(code: object) -> str:
    """A vendor's error code, if it is one: a word, not a sentence that may hold the prompt."""
    text = str(code or "")[:80]
    return text if text.replace("_", "").replace("-", "").replace(".", "").isalnum() else ""


def _read(chunks: Iterable[bytes], max_bytes: int, deadline: float) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > max_bytes:
            raise failure(Reason.NO_IMAGE, f"the answer is longer than {max_bytes:,} bytes")
        if len(body) > LONG_BYTES:
            memory.images.take(deadline)
    return bytes(body)
