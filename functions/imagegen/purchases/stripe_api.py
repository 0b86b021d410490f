"""Requests to Stripe: plain forms over HTTPS, so that no cold start pays for a package.

https://docs.stripe.com/api. A request that changes something carries an idempotency key, under
which Stripe answers a repetition as it answered the first; also a failure, so after one the caller
starts anew under another key.
"""

import time
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import httpx

from imagegen import config, logger
from imagegen.errors import PaymentProviderUnavailable

API_VERSION = "2026-10-28.endive"
TIMEOUT_SECONDS = 8.0
PAUSES_SECONDS = (0.3, 1.0)  # before the second attempt and the third
IN_USE = 409  # a request with the same idempotency key, or on the same object, is under way
PAGE_SIZE = 100

Json = dict[str, Any]


class StripeFailed(PaymentProviderUnavailable):
    """Stripe has answered that it failed, as it will again to the same idempotency key."""


class StripeRefused(Exception):
    """Stripe will not do this, however often it is asked.

    `status`, `code` and `param`, what of the request it is about, are Stripe's.
    """

    def __init__(self, status: int, code: str, param: str = "") -> None:
        super().__init__(f"{status} {code} {param}".rstrip())
        self.status = status
        self.code = code
        self.param = param

    @property
    def is_missing_customer(self) -> bool:
        """Whether the customer has been deleted, or is of another account of Stripe."""
        return (self.code, self.param) == ("resource_missing", "customer")


def post(path: str, form: Mapping[str, str], *, idempotency_key: str) -> Json:
    """What Stripe answers to `form`, whose keys are spelled ``metadata[userId]``.

    Raises StripeRefused, StripeFailed and PaymentProviderUnavailable.
    """
    return _request("POST", path, data=form, headers={"Idempotency-Key": idempotency_key})


def get(path: str, parameters: Mapping[str, str]) -> Json:
    """The object at `path`. Raises as `post` does."""
    return _request("GET", path, params=parameters)


def delete(path: str) -> Json:
    """End the object at `path`; what Stripe then says of it. Raises as `post` does."""
    return _request("DELETE", path)


def pages(path: str, parameters: Mapping[str, str]) -> Iterator[Json]:
    """All objects of the list at `path`, asked for page by page. Raises as `post` does."""
    after: dict[str, str] = {}
    while True:
        page = get(path, {"limit": str(PAGE_SIZE), **parameters, **after})
        yield from page["data"]
        if not page["has_more"]:
            return
        after = {"starting_after": page["data"][-1]["id"]}


def _request(method: str, path: str, **content: Any) -> Json:
    headers = {
        "Authorization": f"Bearer {config.stripe_secret_key()}",
        "Stripe-Version": API_VERSION,
        **content.pop("headers", {}),
    }
    url = config.STRIPE_API_BASE.value + path
    for pause_seconds in (*PAUSES_SECONDS, None):
        try:
            answer = _client().request(method, url, headers=headers, **content)
        except httpx.TransportError as error:
            logger.error("stripe is out of reach", path=path, error=repr(error))
            if pause_seconds is None:
                raise PaymentProviderUnavailable from error
        else:
            if answer.status_code != IN_USE or pause_seconds is None:
                break
        time.sleep(pause_seconds)
    if answer.is_success:
        found: Json = answer.json()
        return found
    refusal = _error(answer)
    logger.error(
        "stripe refused",
        path=path,
        status=answer.status_code,
        code=refusal.get("code") or refusal.get("type"),
        stripeMessage=refusal.get("message"),
        stripeRequestId=answer.headers.get("Request-Id"),
    )
    if answer.status_code in (IN_USE, 429):
        raise PaymentProviderUnavailable
    if answer.status_code >= 500:
        raise StripeFailed
    code = refusal.get("code") or refusal.get("type") or ""
    raise StripeRefused(answer.status_code, code, refusal.get("param") or "")


def _error(answer: httpx.Response) -> Json:
    try:
        found = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


@lru_cache(maxsize=1)
def _client() -> httpx.Client:
    """The instance's connections to Stripe; all threads share them."""
    return httpx.Client(timeout=TIMEOUT_SECONDS)
