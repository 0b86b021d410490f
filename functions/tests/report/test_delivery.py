"""The webhook: when a message is sent again, and when not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.receiver import Receiver, report_webhook

from imagegen.report.delivery import Delivery, deliver


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    yield from report_webhook(monkeypatch)


def test_a_server_in_trouble_is_asked_again_but_not_for_ever(receiver: Receiver) -> None:
    receiver.answers = [503, 429]
    assert deliver(receiver.url, {}) == Delivery("sent", 3)
    receiver.answers = [500] * 9
    assert deliver(receiver.url, {}) == Delivery("failed", 3, "HTTP 500")


def test_what_may_have_arrived_is_not_sent_again(receiver: Receiver) -> None:
    receiver.answers = [0]
    delivery = deliver(receiver.url, {})
    assert (delivery.status, delivery.attempts, len(receiver.messages)) == ("unknown", 1, 1)


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answers = [302]
    assert deliver(receiver.url, {}) == Delivery("failed", 1, "HTTP 302")
    assert len(receiver.messages) == 1


def test_a_server_that_is_not_there_is_tried_again(receiver: Receiver) -> None:
    receiver.stop()
    delivery = deliver(receiver.url, {})
    assert (delivery.status, delivery.attempts) == ("failed", 3)
    assert delivery.error == "no connection: ConnectionRefusedError"


def test_an_address_that_is_not_allowed_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FUNCTIONS_EMULATOR", raising=False)
    delivery = deliver("https://127.0.0.1/hook", {})
    assert (delivery.status, delivery.attempts) == ("refused", 0)
