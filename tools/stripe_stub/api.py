"""Stripe's API as far as it is used here: which call of the world answers which request."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from stripe_stub import objects
from stripe_stub.objects import Json
from stripe_stub.world import NoSuch, World

Form = Mapping[str, Any]
Answer = tuple[int, Json]


class Api:
    """Answers requests; a POST under an idempotency key that was used is answered as the first."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._answered: dict[str, tuple[str, str, Answer]] = {}
        self._lock = threading.RLock()

    def answer(self, method: str, path: str, sent: str, key: str | None) -> Answer:
        """The answer to a form, or to the query of a GET."""
        with self._lock:
            return self._answer(method, path, sent, key)

    def _answer(self, method: str, path: str, sent: str, key: str | None) -> Answer:
        if method == "POST" and key is not None and key in self._answered:
            known_path, known_sent, answer = self._answered[key]
            if (known_path, known_sent) != (path, sent):
                message = "Keys for idempotent requests can only be used with the same parameters."
                return refusal(400, "idempotency_error", message)
            return answer
        answer = self._call(method, path, nested(sent))
        if method == "POST" and key is not None:
            self._answered[key] = path, sent, answer
        return answer

    def _call(self, method: str, path: str, form: Form) -> Answer:
        for (wanted, pattern), call in ROUTES.items():
            found = re.fullmatch(pattern, path) if wanted == method else None
            if found is not None:
                customer = form.get("customer")
                if customer is not None and customer not in self.world.objects:
                    message = f"No such customer: '{customer}'"
                    return refusal(400, "resource_missing", message, param="customer")
                try:
                    return 200, call(self.world, form, *found.groups())
                except NoSuch as error:
                    return refusal(404, "resource_missing", f"No such object: {error}")
                except KeyError as error:
                    return refusal(400, "parameter_missing", f"Missing required param: {error}.")
                except ValueError as error:
                    return refusal(400, "parameter_unknown", str(error))
        return refusal(404, "", f"Unrecognized request URL ({method}: {path}).")


def refusal(status: int, code: str, message: str, **more: str) -> Answer:
    kind = "idempotency_error" if code == "idempotency_error" else "invalid_request_error"
    return status, {"error": {"type": kind, "code": code, "message": message, **more}}


def nested(form: str) -> Json:
    """``a[b][0]=c`` as {"a": {"b": {"0": "c"}}}."""
    found: Json = {}
    for name, value in parse_qsl(form, keep_blank_values=True):
        *path, last = re.findall(r"[^\[\]]+", name)
        at = found
        for part in path:
            at = at.setdefault(part, {})
        at[last] = value
    return found


def _create_session(world: World, form: Form) -> Json:
    if form["mode"] == "subscription" and "payment_intent_data" in form:
        raise ValueError("You can not pass `payment_intent_data` in `subscription` mode.")
    if form["mode"] == "payment" and "subscription_data" in form:
        raise ValueError("You can not pass `subscription_data` in `payment` mode.")
    return world.create_session(form)


def _open_portal(world: World, form: Form) -> Json:
    customer = world.get(form["customer"])
    it = objects.made(
        "billing_portal.session", "bps", customer=customer["id"], return_url=form["return_url"]
    )
    return world.add(it | {"url": f"{world.url}/portal/{it['id']}"})


def _refund(world: World, form: Form) -> Json:
    return world.refund(form["payment_intent"], int(form["amount"]) if "amount" in form else None)


def _invoice_payments(world: World, form: Form) -> Json:
    wanted = form["payment"]["payment_intent"]
    found = [
        each for each in world.all("invoice_payment") if each["payment"]["payment_intent"] == wanted
    ]
    return objects.listing("/v1/invoice_payments", found)


def _list(url: str, kind: str) -> Callable[..., Json]:
    """The newest first; of one payment, or of a period, page by page."""

    def answer(world: World, form: Form) -> Json:
        wanted = {name: form[name] for name in ("payment_intent",) if name in form}
        begun = form.get("created", {})
        found = [
            each
            for each in world.all(kind, **wanted)
            if int(begun.get("gte", 0)) <= each["created"] < int(begun.get("lt", 2**40))
        ]
        return _page(url, found, form)

    return answer


def _page(url: str, found: list[Json], form: Form) -> Json:
    ids = [each["id"] for each in found]
    start = ids.index(form["starting_after"]) + 1 if "starting_after" in form else 0
    end = start + int(form.get("limit", 10))
    return objects.listing(url, found[start:end], has_more=end < len(found))


def _lines(world: World, form: Form, invoice_id: str) -> Json:
    return _page(f"/v1/invoices/{invoice_id}/lines", world.get(invoice_id)["lines"]["data"], form)


ROUTES: Mapping[tuple[str, str], Callable[..., Json]] = {
    ("POST", "/v1/customers"): lambda world, form: world.add(objects.customer(form)),
    ("POST", "/v1/checkout/sessions"): _create_session,
    ("GET", "/v1/checkout/sessions"): _list("/v1/checkout/sessions", "checkout.session"),
    ("GET", "/v1/charges"): _list("/v1/charges", "charge"),
    ("GET", "/v1/refunds"): _list("/v1/refunds", "refund"),
    ("GET", "/v1/disputes"): _list("/v1/disputes", "dispute"),
    ("POST", "/v1/checkout/sessions/(cs_[^/]+)/expire"): lambda world, form, session: world.expire(
        session
    ),
    ("POST", "/v1/billing_portal/sessions"): _open_portal,
    ("POST", "/v1/refunds"): _refund,
    ("GET", "/v1/invoice_payments"): _invoice_payments,
    ("GET", "/v1/invoices/(in_[^/]+)/lines"): _lines,
    ("DELETE", "/v1/subscriptions/(sub_[^/]+)"): lambda world, form, subscription: world.cancel(
        subscription
    ),
    ("GET", "/v1/[a-z_]+(?:/[a-z_]+)?/([a-z]+_[^/]+)"): lambda world, form, it: world.get(it),
}
