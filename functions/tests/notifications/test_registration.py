"""What operators may do about webhook endpoints."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from support.events import Outbox, verified
from support.receiver import Receiver

from imagegen.errors import EventNotFound, InvalidField, WebhookEndpointNotFound
from imagegen.notifications import outbox, redelivery, registration, webhooks
from imagegen.notifications.event import DeliveryStatus

Consumer = Callable[[], Receiver]


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name leads to a public address, and nothing runs on the emulators."""
    monkeypatch.delenv("FUNCTIONS_EMULATOR", raising=False)
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


@pytest.mark.usefixtures("public")
def test_an_endpoint_gets_the_types_it_asked_for_or_all_of_them(in_outbox: Outbox) -> None:
    some, _ = registration.register("https://a.example.com/", ["credits.low", "credits.low"])
    every, _ = registration.register("https://b.example.com/")
    assert outbox.subscriptions()[some] == ("credits.low",)
    assert set(outbox.subscriptions()[every]) == set(registration.TYPES)
    assert {each.id for each in registration.listed()} == {some, every}


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize(
    "url", ["http://a.example.com/", "https://u:p@a.example.com/", "ftp://a.example.com/", "x", ""]
)
def test_only_https_without_a_user_is_registered(in_outbox: Outbox, url: str) -> None:
    with pytest.raises(InvalidField):
        registration.register(url)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254"])
def test_an_address_inside_is_not_registered(
    in_outbox: Outbox, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.delenv("FUNCTIONS_EMULATOR", raising=False)
    with pytest.raises(InvalidField):
        registration.register(f"https://{address}/")


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize("unknown", ["test", "generation.*", "credits.gone"])
def test_a_type_that_there_is_not_is_refused(in_outbox: Outbox, unknown: str) -> None:
    with pytest.raises(InvalidField, match="not valid"):
        registration.register("https://a.example.com/", [unknown])


@pytest.mark.usefixtures("public")
def test_the_number_of_endpoints_is_limited(
    in_outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registration, "MAX_ENDPOINTS", 1)
    registration.register("https://a.example.com/")
    with pytest.raises(InvalidField):
        registration.register("https://b.example.com/")


@pytest.mark.usefixtures("public")
def test_a_url_is_registered_once_while_its_endpoint_is_enabled(in_outbox: Outbox) -> None:
    url = "https://a.example.com/"
    first, _ = registration.register(url)
    with pytest.raises(InvalidField) as refused:
        registration.register(url, ["credits.low"])
    (violation,) = refused.value.details["fieldViolations"]
    assert violation == {
        "field": "url",
        "description": "is registered already; rotate its secret if you have not seen it",
    }
    webhooks.disable(first)
    second, _ = registration.register(url)
    assert {each.id for each in registration.listed()} == {first, second}


def test_a_replaced_secret_signs_for_a_day_beside_the_new_one(
    in_outbox: Outbox, consumer: Consumer
) -> None:
    server, today = consumer(), datetime.now(UTC)
    in_outbox.moment = today - timedelta(hours=23)
    endpoint_id, old = registration.register(server.url)
    new = registration.rotate(endpoint_id)
    in_outbox.moment = today
    in_outbox.deliver(redelivery.send_test(endpoint_id))
    assert verified(server, old) == verified(server, new)
    later = today + timedelta(hours=2)
    assert in_outbox.endpoint(endpoint_id).signing_secrets(later) == [new]
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 32).verify(server.bodies[-1], dict(server.headers[-1].items()))


def test_a_second_rotation_within_the_day_leaves_three(
    in_outbox: Outbox, consumer: Consumer
) -> None:
    endpoint_id, first = registration.register(consumer().url)
    second, third = registration.rotate(endpoint_id), registration.rotate(endpoint_id)
    signing = in_outbox.endpoint(endpoint_id).signing_secrets(in_outbox.moment)
    assert signing == [third, second, first]


def test_a_test_event_goes_to_one_endpoint_alone(in_outbox: Outbox, consumer: Consumer) -> None:
    one, other = consumer(), consumer()
    endpoint_id, _ = registration.register(one.url)
    registration.register(other.url)
    in_outbox.deliver(redelivery.send_test(endpoint_id))
    assert [each["type"] for each in one.messages] == ["test"]
    assert other.messages == []


def test_a_disabled_endpoint_is_told_nothing_until_it_is_enabled(
    in_outbox: Outbox, consumer: Consumer
) -> None:
    server = consumer()
    endpoint_id, _ = registration.register(server.url)
    missed = in_outbox.write(endpoint_id)
    webhooks.disable(endpoint_id)
    in_outbox.deliver(missed)
    assert (server.messages, outbox.subscriptions()) == ([], {})
    registration.enable(endpoint_id)
    assert list(outbox.subscriptions()) == [endpoint_id]
    assert redelivery.redeliver_missed(endpoint_id, in_outbox.moment) == 1
    in_outbox.deliver(missed)
    assert [each["id"] for each in server.messages] == [missed]


def test_an_event_is_delivered_again_under_the_same_id(
    in_outbox: Outbox, consumer: Consumer
) -> None:
    server = consumer()
    endpoint_id, _ = registration.register(server.url)
    event_id = in_outbox.write(endpoint_id)
    in_outbox.deliver(event_id)
    in_outbox.queued.clear()
    redelivery.redeliver(event_id, endpoint_id)
    assert in_outbox.queued == [event_id]
    in_outbox.deliver(event_id)
    assert [each["id"] for each in server.messages] == [event_id, event_id]
    assert in_outbox.event(event_id).expire_at is not None


def test_what_was_missed_since_then_is_delivered_again_page_by_page(
    in_outbox: Outbox, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redelivery, "PAGE_SIZE", 2)
    server = consumer()
    endpoint_id, _ = registration.register(server.url)
    too_old = in_outbox.write(endpoint_id)
    in_outbox.sleep(60)
    since, missed = in_outbox.moment, []
    for number in range(5):
        missed.append(in_outbox.write(endpoint_id))
        in_outbox.sleep(number % 2)  # some at the same moment
    delivered = in_outbox.write(endpoint_id)
    in_outbox.deliver(delivered)
    webhooks.disable(endpoint_id)
    for event_id in (too_old, *missed):
        in_outbox.deliver(event_id)
    registration.enable(endpoint_id)
    assert redelivery.redeliver_missed(endpoint_id, since) == 5
    pending = {
        each.id
        for each in in_outbox.events()
        if each.deliveries[endpoint_id].status is DeliveryStatus.PENDING
    }
    assert pending == set(missed)


def test_what_there_is_not_is_said_so(in_outbox: Outbox, consumer: Consumer) -> None:
    endpoint_id, _ = registration.register(consumer().url)
    event_id = in_outbox.write(endpoint_id)
    for call in (
        lambda: registration.rotate("none"),
        lambda: webhooks.disable("none"),
        lambda: registration.enable("none"),
        lambda: redelivery.send_test("none"),
        lambda: redelivery.redeliver(event_id, "none"),
    ):
        with pytest.raises(WebhookEndpointNotFound):
            call()
    with pytest.raises(EventNotFound):
        redelivery.redeliver("none", endpoint_id)
