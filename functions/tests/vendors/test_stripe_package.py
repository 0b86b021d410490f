"""Stripe's own package judges ours: it signs what we verify, knows the shapes we read and send.

It is no dependency: `make test-vendors` installs it where nothing else sees it.
"""

from __future__ import annotations

import inspect
import json
import os
import random
import sys
import time
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from stripe_stub import delivery, objects
from stripe_stub.prices import PRICES
from stripe_stub.server import Stub
from support import shop as support
from support.shop import Shop

from imagegen.purchases import stripe as handler
from imagegen.purchases import stripe_api
from imagegen.purchases.signature import is_genuine
from imagegen.purchases.stripe_events import fact

if vendors_python := os.environ.get("VENDORS_PYTHON"):
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    # Behind our own packages, so that it is judged with the versions that we run.
    sys.path.append(str(Path(vendors_python).parents[1] / "lib" / version / "site-packages"))
stripe = pytest.importorskip("stripe", reason="only `make test-vendors` has it")

shop = pytest.fixture(support.shop)
Json = dict[str, Any]
SECRET = "whsec_x"


@pytest.fixture
def stub() -> Iterator[Stub]:
    running = Stub(PRICES).start()
    yield running
    running.stop()


@pytest.fixture
def client(stub: Stub) -> Any:
    return stripe.StripeClient("sk_test_x", base_addresses={"api": stub.url})


def everything(stub: Stub, client: Any) -> None:
    """All that the stand-in can make happen, at least once."""
    customer = client.v1.customers.create({"metadata": {"userId": "ann"}})
    pack, monthly = (
        client.v1.checkout.sessions.create(
            {
                "mode": mode,
                "customer": customer.id,
                "line_items": [{"price": price, "quantity": 1}],
                "success_url": "http://x/ok",
                "cancel_url": "http://x/no",
                "metadata": {"purchaseId": "p"},
            }
        )
        for mode, price in (("payment", "price_pack_100"), ("subscription", "price_monthly_200"))
    )
    world = stub.world
    world.pay(pack.id)
    subscription = world.pay(monthly.id)["subscription"]
    world.renew(subscription)
    intent = world.get(pack.id)["payment_intent"]
    world.fail_refund(world.refund(intent, 100)["id"])
    world.close_dispute(world.dispute(intent)["id"], won=True)
    client.v1.billing_portal.sessions.create({"customer": customer.id, "return_url": "http://x"})
    client.v1.subscriptions.cancel(subscription)


# --- signatures -----------------------------------------------------------------------------------


def test_what_the_package_signs_is_genuine() -> None:
    for payload in ('{"id": "evt_1"}', '{"name": "Zoë"}', ""):
        header = stripe.WebhookSignature.generate_signature_header(payload, SECRET)
        assert is_genuine(header, payload.encode(), [SECRET], time.time())


def test_what_the_stand_in_signs_is_genuine_to_the_package() -> None:
    body = json.dumps(objects.event("customer.created", {"id": "cus_1"})).encode()
    header = delivery.signature(body, SECRET)
    assert stripe.Webhook.construct_event(body, header, SECRET).type == "customer.created"


def test_on_mutated_headers_both_verifiers_agree() -> None:
    """They differ by intent in two things: times in the future, and odd spellings of a time."""
    source = random.Random(7)
    payload, differing = '{"id": "evt_1"}', []
    for _ in range(20_000):
        at = int(time.time()) - source.choice([0, 0, 10, 200, 400])
        header = stripe.WebhookSignature.generate_signature_header(payload, SECRET, at)
        letters = [*header]
        for _ in range(source.randrange(3)):
            position = source.randrange(len(letters))
            letters[position] = source.choice([letters[position], "t", "=", ",", "v", "1", "0", ""])
        mutated = "".join(letters)
        try:
            theirs = stripe.WebhookSignature.verify_header(payload, mutated, SECRET, 300)
        except stripe.SignatureVerificationError:
            theirs = False
        if is_genuine(mutated, payload.encode(), [SECRET], time.time()) is not theirs:
            differing.append(mutated)
    assert len(differing) <= 5, differing


# --- shapes ---------------------------------------------------------------------------------------


def class_of(kind: str) -> Any:
    """The package's class for objects of a kind."""
    from stripe._object_classes import OBJECT_CLASSES

    module, name = OBJECT_CLASSES[kind]
    return getattr(__import__(module, fromlist=[name]), name)


def annotations_of(cls: Any) -> Mapping[str, Any]:
    found: Json = {}
    for each in reversed(cls.__mro__):
        found |= inspect.get_annotations(each)
    return found


def unknown(it: Json, cls: Any, path: str) -> Iterator[str]:
    """What the package's types do not have: fields by name, words where only some are allowed."""
    annotations = annotations_of(cls)
    for name, value in it.items():
        annotation = annotations.get(name)
        if annotation is None:
            yield f"{path}.{name}"
            continue
        words = allowed(annotation)
        if isinstance(value, str) and words and value not in words:
            yield f"{path}.{name} = {value}"
        yield from unknown_within(value, cls, name, f"{path}.{name}")


def allowed(annotation: Any) -> set[Any]:
    """The words of a type, none if it takes any."""
    if typing.get_origin(annotation) is typing.Literal:
        return set(typing.get_args(annotation))
    return {word for each in typing.get_args(annotation) for word in allowed(each)}


def unknown_within(value: Any, cls: Any, name: str, path: str) -> Iterator[str]:
    if isinstance(value, dict) and value.get("object") == "list":
        for each in value["data"]:
            yield from unknown(each, class_of(each["object"]), path)
    elif isinstance(value, dict) and "object" in value:
        yield from unknown(value, class_of(value["object"]), path)
    elif isinstance(value, dict):
        inner = getattr(cls, "_inner_class_types", {}).get(name)
        if inner is not None:
            yield from unknown(value, inner, path)


def test_the_stand_in_sends_no_field_and_no_word_that_stripe_does_not(
    stub: Stub, client: Any
) -> None:
    everything(stub, client)
    kinds = {it["object"] for it in stub.world.objects.values()}
    assert {"charge", "dispute", "invoice", "invoice_payment", "refund", "subscription"} <= kinds
    found = {
        problem
        for it in stub.world.objects.values()
        for problem in unknown(it, class_of(it["object"]), it["object"])
    }
    assert found == set()


def test_the_check_of_shapes_finds_what_is_wrong(stub: Stub, client: Any) -> None:
    everything(stub, client)
    (dispute,) = stub.world.all("dispute")
    invoice = stub.world.all("invoice")[0]
    older = invoice | {"payment_intent": "pi_1"}
    assert [*unknown(dispute | {"status": "lots"}, class_of("dispute"), "d")] == ["d.status = lots"]
    assert [*unknown(older, class_of("invoice"), "i")] == ["i.payment_intent"]


def test_every_event_type_is_one_of_stripes(stub: Stub, client: Any) -> None:
    everything(stub, client)
    types = allowed(annotations_of(stripe.Event)["type"])
    assert {event["type"] for event in stub.delivery.sent} <= types


def test_we_read_what_the_package_reads(stub: Stub, client: Any) -> None:
    """Each fact against the same event as the package's object has it."""
    everything(stub, client)
    read = 0
    for sent in stub.delivery.sent:
        told = fact(sent)
        if sent["type"] == "invoice.paid":
            invoice = stripe.Event.construct_from(sent, "sk_test_x").data.object
            assert told is not None
            assert vars(told) | {"lines": None} == {
                "id": invoice.id,
                "subscription": invoice.parent.subscription_details.subscription,
                "customer": invoice.customer,
                "payment_intent": None,
                "user_id": "",
                "lines": None,
                "has_more": invoice.lines.has_more,
                "amount": invoice.total,
                "currency": invoice.currency,
                "at": sent["created"],
            }
            read += 1
    assert read == 2


# --- requests -------------------------------------------------------------------------------------


def test_the_package_finds_what_it_made_at_the_stand_in(stub: Stub, client: Any) -> None:
    everything(stub, client)
    (session,) = stub.world.all("checkout.session", mode="payment")
    intent = session["payment_intent"]
    found = client.v1.checkout.sessions.list({"payment_intent": intent})
    assert [each.id for each in found.data] == [session["id"]]
    invoice = stub.world.all("invoice")[0]["id"]
    (line,) = client.v1.invoices.line_items.list(invoice).data
    assert line.pricing.price_details.price == "price_monthly_200"
    (payment,) = [p for p in stub.world.all("invoice_payment") if p["invoice"] == invoice]
    asked = {"payment": {"type": "payment_intent"} | payment["payment"]}
    (found_payment,) = client.v1.invoice_payments.list(asked).data
    assert found_payment.invoice == invoice
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.retrieve("cus_nobody")


@pytest.mark.parametrize("mode", ["payment", "subscription"])
def test_the_stand_in_refuses_the_metadata_of_the_other_mode(client: Any, mode: str) -> None:
    other = {"payment": "subscription_data", "subscription": "payment_intent_data"}[mode]
    price = {"payment": "price_pack_100", "subscription": "price_monthly_200"}[mode]
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.create(
            {
                "mode": mode,
                "line_items": [{"price": price, "quantity": 1}],
                "success_url": "http://x/ok",
                "cancel_url": "http://x/no",
                other: {"metadata": {"a": "b"}},
            }
        )


def test_we_ask_for_a_session_as_the_package_would(shop: Shop) -> None:
    """What we post is accepted by the types of the package's parameters."""
    from stripe.params.checkout import _session_create_params as params

    posted: list[Mapping[str, str]] = []
    answer = shop.world.create_session

    def keep(form: Mapping[str, Any]) -> Json:
        posted.append(form)
        return answer(form)

    shop.world.create_session = keep  # type: ignore[method-assign]
    shop.checkout()
    shop.checkout("monthly-200")
    known = annotations_of(params.SessionCreateParams)
    for form in posted:
        assert set(form) <= set(known)
    assert {form["mode"] for form in posted} == {"payment", "subscription"}


def test_we_are_no_older_than_the_package() -> None:
    assert stripe.api_version == stripe_api.API_VERSION


def test_the_events_that_the_package_constructs_are_booked(shop: Shop) -> None:
    shop.buy()
    for event in shop.told():
        body = json.dumps(event)
        header = stripe.WebhookSignature.generate_signature_header(body, SECRET)
        constructed = stripe.Webhook.construct_event(body, header, SECRET)
        handler.handle(constructed.to_dict())
    assert shop.balance() == 100
