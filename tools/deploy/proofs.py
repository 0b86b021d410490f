"""What is proved of deployed functions, step by step, as a client sees them."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from deploy.account import Account, trial_account
from deploy.google import Google, Json
from deploy.target import Target

CALL_SECONDS = 60.0
# A cold start, the queue's, one attempt; after ASYNC_DEADLINE_SECONDS recovery would end the order.
ORDER_SECONDS = 180.0
POLL_SECONDS = 1.0


class Failed(Exception):
    """A proof that failed: what was seen, and what to do about it."""


@dataclass
class Functions:
    """The deployed functions, as a client without and with a token reaches them."""

    url: str
    session: requests.Session = field(default_factory=requests.Session)

    def call(
        self, verb: str, name: str, body: Mapping[str, Any] | None = None, token: str = ""
    ) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if app_check := os.environ.get("APP_CHECK_TOKEN"):
            headers["X-Firebase-AppCheck"] = app_check
        try:
            return self.session.request(
                verb, f"{self.url}/{name}", json=body, headers=headers, timeout=CALL_SECONDS
            )
        except requests.RequestException as error:
            raise Failed(f"{self.url}/{name} does not answer. Is it deployed?") from error


def offered(functions: Functions) -> Json:
    """What can be ordered."""
    response = functions.call("GET", "listModels")
    if response.status_code in (401, 403) and "json" not in response.headers["Content-Type"]:
        raise Failed("403 before the function runs: it is not public. make check says how to.")
    offers = _json(response, 200)
    if not offers.get("models"):
        raise Failed("Nothing is on offer. Write the default catalogue: make catalogue")
    return offers


def refuses_strangers(functions: Functions) -> None:
    response = functions.call("GET", "getUserCredits?userId=smoke")
    if response.status_code != 401:
        raise Failed(
            f"It answers {response.status_code}: set AUTH_MODE=required for this project and "
            "deploy again."
        )
    _json(response, 401)


def refuses_bad_tokens(functions: Functions) -> None:
    _json(functions.call("GET", "getUserCredits?userId=smoke", token="not-a-token"), 401)  # noqa: S106


def is_private(functions: Functions, name: str) -> None:
    """Google's front end refuses the call; the function does not run."""
    response = functions.call("POST", name, {"data": {}})
    if response.status_code not in (401, 403):
        raise Failed(
            f"It answers {response.status_code} to anybody. make check says how to close it."
        )


def background_order(
    functions: Functions, google: Google, target: Target, offers: Json, *, api_key: str = ""
) -> None:
    """An order by a new account: charged, queued, worked on by the queue's call, and explained."""
    if not offers:
        raise Failed("Without listModels there is nothing to order.")
    size = min(offers["sizes"], key=lambda each: int(each["credits"]))
    with trial_account(google, target, size["credits"], api_key=api_key) as account:
        order = {
            "userId": account.uid,
            "model": offers["models"][0]["name"],
            "style": offers["styles"][0]["name"],
            "color": offers["colors"][0]["name"],
            "size": size["name"],
            "prompt": "A lighthouse at dusk, to prove a deploy",
            "mode": "async",
            "idempotencyKey": uuid.uuid4().hex,
        }
        placed = _json(functions.call("POST", "createGenerationRequest", order, account.token), 202)
        ended = _ended(functions, account, placed["generationRequestId"])
        _is_explained(functions, account, ended)


def _ended(functions: Functions, account: Account, generation_request_id: str) -> Json:
    """The request, once it has ended. An honest failure is an end, a lost request is not."""
    account.generation_request_ids.append(generation_request_id)
    deadline = time.monotonic() + ORDER_SECONDS
    while True:
        asked = {"generationRequestId": generation_request_id}
        request = _json(functions.call("POST", "getGenerationStatus", asked, account.token), 200)
        if request["status"] in ("completed", "failed"):
            break
        if time.monotonic() > deadline:
            raise Failed(
                f"It is {request['status']} after {ORDER_SECONDS:.0f} s: the queue's call does not "
                "reach the worker. make check looks at the queue and at its right to call."
            )
        time.sleep(POLL_SECONDS)
    if (request.get("error") or {}).get("reason") == "GENERATION_LOST":
        raise Failed("Recovery has ended it, the worker never did. make check looks for the cause.")
    return request


def _is_explained(functions: Functions, account: Account, request: Json) -> None:
    """The ledger says what the order cost, and gives it back when there is no image."""
    asked = {"userId": account.uid}
    statement = _json(functions.call("POST", "getUserCredits", asked, account.token), 200)
    types = sorted(
        entry["type"]
        for entry in statement["transactions"]
        if entry["generationRequestId"] == request["generationRequestId"]
    )
    wanted = ["deduction"] if request["status"] == "completed" else ["deduction", "refund"]
    if types != wanted:
        raise Failed(
            f"The request is {request['status']} and its entries are {', '.join(types) or 'none'}: "
            "run make audit for this project."
        )


def _json(response: requests.Response, code: int) -> Json:
    """The body of an answer that must have this status."""
    if response.status_code != code:
        raise Failed(f"{response.url} answers {response.status_code}: {response.text[:300]}")
    try:
        body: Json = response.json()
    except ValueError:
        raise Failed(f"{response.url} answers no JSON: {response.text[:300]}") from None
    return body
