"""Genuine events whose contents are damaged: every answer is a documented one, and books rightly.

The payloads are those of a pack that is bought, refunded and disputed, of a subscription in both
shapes of its invoice, and of a store purchase. One value anywhere in them is replaced or removed,
and the result is signed.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from stripe_stub import delivery
from support import shop as support
from support.examples import EXAMPLES
from support.shop import Shop
from test_revenuecat import cancellation, pack
from test_stripe_events import END, NEWER, OLDER, event

shop = pytest.fixture(support.shop)
Json = dict[str, Any]
Path = tuple[str | int, ...]
Call = Callable[..., Any]
SECRET = "whsec_fuzz"
DOCUMENTED = {
    (400, "MALFORMED_JSON"),
    (409, "ACCOUNT_UNUSABLE"),
    (500, "INTERNAL"),
    (503, "BACKEND_UNAVAILABLE"),
    (503, "OUTCOME_UNKNOWN"),
}
MISSING = object()

SESSION: Json = {
    "id": "cs_1",
    "mode": "payment",
    "payment_status": "paid",
    "metadata": {"userId": "ann", "productId": "pack-100", "purchaseId": "p1"},
    "client_reference_id": "ann",
    "payment_intent": "pi_1",
    "customer": "cus_1",
    "amount_total": 990,
    "currency": "usd",
}
REVERSAL: Json = {"id": "re_1", "amount": 990, "charge": "ch_1", "payment_intent": "pi_1"}
CHARGE: Json = {"id": "ch_1", "amount_refunded": 495, "payment_intent": "pi_1", "metadata": {}}
SUBSCRIPTION: Json = {
    "id": "sub_1",
    "customer": "cus_1",
    "status": "active",
    "metadata": {"userId": "ann"},
    "items": {"data": [{"current_period_end": 1_762_592_000}]},
}


def of_our_product(invoice: Json) -> Json:
    """The invoice for a product that is on offer and a period that has not ended."""
    text = json.dumps(invoice).replace("price_1", "price_monthly_200")
    return json.loads(text.replace(str(END), "4100000000"))  # type: ignore[no-any-return]


STRIPE = [
    {"livemode": False} | event(kind, it)
    for kind, it in (
        ("checkout.session.completed", SESSION),
        ("invoice.paid", of_our_product(NEWER)),
        ("invoice.paid", of_our_product(OLDER | {"id": "in_2"})),
        ("charge.refunded", CHARGE),
        ("refund.created", REVERSAL | {"status": "succeeded"}),
        ("charge.dispute.created", REVERSAL | {"id": "dp_1", "status": "needs_response"}),
        ("customer.subscription.updated", SUBSCRIPTION),
    )
]
EVENTS = [*(("stripeWebhook", each) for each in STRIPE),
          *(("revenueCatWebhook", each) for each in (pack(), cancellation()))]  # fmt: skip
ODD_VALUES = st.sampled_from([MISSING]) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=3,
)


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("REVENUECAT_WEBHOOK_SECRET", SECRET)


def paths(value: Any, at: Path = ()) -> Iterator[Path]:
    """The way to each value within a JSON value."""
    found: Any = ()
    if isinstance(value, dict):
        found = value.items()
    elif isinstance(value, list):
        found = enumerate(value)
    for key, inner in found:
        yield (*at, key)
        yield from paths(inner, (*at, key))


def damaged(whole: Json, path: Path, value: Any) -> Json:
    """A copy in which the value at `path` is another one, or missing."""
    result = copy.deepcopy(whole)
    inner: Any = result
    for key in path[:-1]:
        inner = inner[key]
    if value is MISSING:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return result


@st.composite
def damaged_events(draw: st.DrawFn) -> tuple[str, Json]:
    function, whole = draw(st.sampled_from(EVENTS))
    path = draw(st.sampled_from(list(paths(whole))))
    return function, damaged(whole, path, draw(ODD_VALUES))


def send(call: Call, function: str, sent: Json) -> Any:
    body = json.dumps(sent).encode()
    headers = {"Authorization": SECRET}
    if function == "stripeWebhook":
        headers = {"Stripe-Signature": delivery.signature(body, SECRET)}
    return call(function, data=body, headers=headers, content_type="application/json")


@pytest.mark.parametrize(("function", "whole"), EVENTS)
def test_undamaged_events_are_taken(call: Call, shop: Shop, function: str, whole: Json) -> None:
    assert send(call, function, whole).status_code == 200


@settings(
    max_examples=8 * EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(sent=("stripeWebhook", damaged(STRIPE[0], ("data", "object", "metadata"), "text")))
@given(sent=damaged_events())
def test_a_damaged_event_is_answered_as_documented_and_books_nothing_by_halves(
    call: Call, shop: Shop, sent: tuple[str, Json]
) -> None:
    before = copy.deepcopy(shop.entries())
    answer = send(call, *sent)
    told = answer.get_json()
    if answer.status_code == 200:
        assert isinstance(told["outcome"], str)
    else:
        assert (answer.status_code, told["error"]["details"]["reason"]) in DOCUMENTED
        assert shop.entries() == before
    shop.balance()  # checks it against entries, lots and debt


@pytest.mark.parametrize("quantity", [-1, 1.5, "2", True, [1]])
def test_a_quantity_that_is_no_count_books_nothing(call: Call, shop: Shop, quantity: Any) -> None:
    path = ("data", "object", "lines", "data", 0, "quantity")
    for whole in STRIPE[1:3]:
        assert send(call, "stripeWebhook", damaged(whole, path, quantity)).status_code == 500
    assert not shop.entries()


@pytest.mark.parametrize("quantity", [None, 0, 1, MISSING])
def test_a_line_without_a_quantity_is_for_one(call: Call, shop: Shop, quantity: Any) -> None:
    path = ("data", "object", "lines", "data", 0, "quantity")
    assert send(call, "stripeWebhook", damaged(STRIPE[1], path, quantity)).status_code == 200
    assert shop.balance() == 200
