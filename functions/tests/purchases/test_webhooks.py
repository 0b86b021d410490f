"""The edge of the webhooks: who may call, and what an answer promises."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from google.api_core import exceptions
from stripe_stub import delivery
from support import shop as support
from support.shop import Shop

from imagegen import config, db
from imagegen.purchases import stripe, webhooks

shop = pytest.fixture(support.shop)
Json = dict[str, Any]
Call = Callable[..., Any]
SECRET = "whsec_new"
PURCHASE: Json = {
    "event": {
        "app_user_id": "ann",
        "environment": "PRODUCTION",
        "event_timestamp_ms": 1_658_726_378_679,
        "id": "evt_1",
        "product_id": "com.example.imagegen.pack100",
        "store": "APP_STORE",
        "transaction_id": "1",
        "type": "NON_RENEWING_PURCHASE",
    }
}


@pytest.fixture(autouse=True)
def _secrets(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", f"whsec_old,{SECRET}")
    monkeypatch.setenv("REVENUECAT_WEBHOOK_SECRET", "let-me-in, signing")


def send(call: Call, event: Any, *, secret: str = SECRET, body: bytes | None = None) -> Any:
    body = json.dumps(event).encode() if body is None else body
    headers = {"Stripe-Signature": delivery.signature(body, secret)}
    return call("stripeWebhook", data=body, headers=headers, content_type="application/json")


def reason(answer: Any) -> str:
    return str(answer.get_json()["error"]["details"]["reason"])


def completed(shop: Shop) -> Json:
    shop.buy()
    return next(e for e in shop.told() if e["type"] == "checkout.session.completed")


def test_a_signed_event_is_booked_before_it_is_answered(call: Call, shop: Shop) -> None:
    answer = send(call, completed(shop))
    assert (answer.status_code, answer.get_json()) == (200, {"outcome": "paid"})
    assert shop.balance() == 100


@pytest.mark.parametrize("secret", ["whsec_old", SECRET])
def test_every_secret_of_the_list_is_good(call: Call, shop: Shop, secret: str) -> None:
    assert send(call, completed(shop), secret=secret).status_code == 200


def test_a_forged_event_is_refused_and_books_nothing(call: Call, shop: Shop) -> None:
    event = completed(shop)
    answer = send(call, event, secret="whsec_stolen")
    assert (answer.status_code, reason(answer)) == (400, "SIGNATURE_INVALID")
    answer = call("stripeWebhook", json=event)
    assert (answer.status_code, reason(answer)) == (400, "SIGNATURE_INVALID")
    assert shop.balance() == 0


def test_without_a_secret_nothing_is_genuine(
    call: Call, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "")
    assert send(call, completed(shop), secret="").status_code == 400
    monkeypatch.setenv("REVENUECAT_WEBHOOK_SECRET", "")
    answer = call("revenueCatWebhook", json=PURCHASE, headers={"Authorization": ""})
    assert answer.status_code == 400


def test_the_signature_is_checked_before_anything_is_parsed(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "_parsed", lambda _: pytest.fail("parsed"))
    assert send(call, None, body=b"{", secret="whsec_stolen").status_code == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"\xff", b"[" * 100_000])
def test_what_is_signed_and_no_json_object_is_refused(call: Call, body: bytes) -> None:
    answer = send(call, None, body=body)
    assert (answer.status_code, reason(answer)) == (400, "MALFORMED_JSON")


def test_a_body_that_is_too_long_is_refused(call: Call) -> None:
    answer = send(call, None, body=b" " * (webhooks.MAX_BODY_BYTES + 1))
    assert (answer.status_code, reason(answer)) == (413, "PAYLOAD_TOO_LARGE")


def test_an_event_as_long_as_a_large_invoice_is_taken(call: Call) -> None:
    event = {
        "id": "evt_1",
        "type": "other",
        "created": 1,
        "livemode": False,
        "data": {"object": {}},
    }
    answer = send(call, event | {"padding": "x" * 300_000})
    assert answer.get_json() == {"outcome": "ignored: type"}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_a_post_is_an_event(call: Call, method: str) -> None:
    for function in ("stripeWebhook", "revenueCatWebhook"):
        assert call(function, method).status_code == 405


@pytest.mark.parametrize("event", [{"type": "other", "livemode": False}, {}])
def test_an_event_in_no_known_shape_is_to_come_again(call: Call, event: Json) -> None:
    """A change of ours may come within the three days for which Stripe repeats it."""
    assert send(call, event).status_code == 500


def test_while_firestore_is_out_of_reach_the_event_is_to_come_again(
    call: Call, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = completed(shop)
    with monkeypatch.context() as broken:
        broken.setattr(db, "DEADLINE_SECONDS", 0.05)

        def unavailable(*_: Any) -> Any:
            raise exceptions.ServiceUnavailable("down")

        broken.setattr(shop.store, "commit", unavailable)
        assert send(call, event).status_code == 503
    assert shop.balance() == 0
    assert send(call, event).status_code == 200
    assert shop.balance() == 100


def test_a_defect_is_no_success(call: Call, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe, "fact", lambda _: 1 / 0)
    assert send(call, completed(shop)).status_code == 500


def test_revenuecat_is_known_by_its_secret_in_authorization(call: Call, shop: Shop) -> None:
    for authorization in ("let-me-in", "Bearer let-me-in"):
        headers = {"Authorization": authorization}
        answer = call("revenueCatWebhook", json=PURCHASE, headers=headers)
        assert (answer.status_code, answer.get_json()) == (200, {"outcome": "paid"})
    assert shop.balance() == 100


@pytest.mark.parametrize("authorization", [None, "", "wrong", "let-me-in, signing", "Bearer "])
def test_another_authorization_is_refused(
    call: Call, shop: Shop, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = call("revenueCatWebhook", json=PURCHASE, headers=headers)
    assert (answer.status_code, reason(answer)) == (400, "SIGNATURE_INVALID")
    assert shop.balance() == 0


@pytest.mark.parametrize(
    ("authorization", "secret", "status"),
    [
        ("let-me-in", "signing", 200),
        (None, "signing", 200),
        ("wrong", "signing", 400),
        ("let-me-in", "wrong", 400),
    ],
)
def test_where_revenuecat_signs_the_signature_must_be_right_too(
    call: Call, authorization: str | None, secret: str, status: int
) -> None:
    body = json.dumps(PURCHASE).encode()
    headers = {"X-RevenueCat-Webhook-Signature": delivery.signature(body, secret)}
    if authorization is not None:
        headers["Authorization"] = authorization
    assert call("revenueCatWebhook", data=body, headers=headers).status_code == status


@pytest.mark.parametrize(
    ("payments", "on"), [("", []), ("stripe", ["stripe"]), ("revenuecat", ["revenuecat"])]
)
def test_what_is_switched_off_is_not_there(
    call: Call, shop: Shop, monkeypatch: pytest.MonkeyPatch, payments: str, on: list[str]
) -> None:
    monkeypatch.setenv("PAYMENTS", payments)
    urls = {"successUrl": "https://app.example.com/", "cancelUrl": "https://app.example.com/"}
    answers = {
        "stripe": [
            send(call, completed(shop)),
            call("createCheckoutSession", json={"userId": "ann", "productId": "pack-100"} | urls),
        ],
        "revenuecat": [
            call("revenueCatWebhook", json=PURCHASE, headers={"Authorization": "let-me-in"})
        ],
    }
    for provider, found in answers.items():
        for answer in found:
            if provider in on:
                assert answer.status_code == 200
            else:
                assert (answer.status_code, reason(answer)) == (404, "PAYMENTS_OFF")


def test_no_secret_of_ours_and_nothing_of_a_payer_is_logged(
    call: Call, shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    event = completed(shop)
    event["data"]["object"]["customer_details"] = {"email": "payer@example.com"}
    capsys.readouterr()
    assert send(call, event).status_code == 200
    logged = "".join(capsys.readouterr())
    for private in (SECRET, config.stripe_secret_key(), "payer@example.com"):
        assert private not in logged
    assert '"outcome": "paid"' in logged


def test_a_platforms_health_probe_is_no_event(call: Call) -> None:
    assert call("stripeWebhook", "GET", path="/__/health").status_code == 200
