"""Push messages: what the SDK's client sends to a stand-in for FCM, and what answers lead to."""

from __future__ import annotations

import json

import pytest
from support.events import Outbox
from support.fcm import MessagingServer

from imagegen import db
from imagegen.notifications import devices
from imagegen.notifications.event import PUSH, DeliveryStatus, EventType

PROMPT = "a lighthouse at dusk"


@pytest.fixture
def phones(in_outbox: Outbox) -> tuple[str, str]:
    """The tokens of a user's two phones."""
    in_outbox.memory.put(db.user("ann"), {"credits": 9})
    devices.register("ann", "phone")
    devices.register("ann", "tablet")
    return "phone", "tablet"


def ended(in_outbox: Outbox, event_type: EventType = EventType.GENERATION_COMPLETED) -> str:
    path = db.generation_request("r1")
    in_outbox.memory.put(path, {"userId": "ann", "prompt": PROMPT})
    return in_outbox.write(PUSH, event_type=event_type, about=path, user_id="ann")


def test_each_device_gets_one_message_that_says_which_request_has_ended_and_how(
    in_outbox: Outbox, phones: tuple[str, str], messaging_server: MessagingServer
) -> None:
    event_id = ended(in_outbox)
    in_outbox.deliver(event_id)
    in_outbox.deliver(event_id)
    assert sorted(each["token"] for each in messaging_server.messages) == ["phone", "tablet"]
    message = messaging_server.messages[0]
    assert message["data"] == {"type": "generation.completed", "generationRequestId": "r1"}
    assert message["notification"]["title"] == "Your image is ready"
    assert message["android"]["notification"]["tag"] == "r1"
    assert message["apns"]["headers"]["apns-collapse-id"] == "r1"
    assert PROMPT not in json.dumps(messaging_server.messages)


def test_a_failure_is_told_with_words_of_its_own(
    in_outbox: Outbox, phones: tuple[str, str], messaging_server: MessagingServer
) -> None:
    in_outbox.deliver(ended(in_outbox, EventType.GENERATION_FAILED))
    message = messaging_server.messages[0]
    assert message["data"]["type"] == "generation.failed"
    assert message["notification"]["body"] == "Your credits have been returned."


def test_the_texts_are_a_parameter(
    in_outbox: Outbox,
    phones: tuple[str, str],
    messaging_server: MessagingServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PUSH_TEXTS", '{"generation.completed": ["Fertig", "Ansehen"]}')
    in_outbox.deliver(ended(in_outbox))
    assert messaging_server.messages[0]["notification"] == {"title": "Fertig", "body": "Ansehen"}


@pytest.mark.parametrize("answer", ["UNREGISTERED", "SENDER_ID_MISMATCH", "INVALID_ARGUMENT"])
def test_a_dead_token_is_removed_and_the_others_are_reached(
    in_outbox: Outbox, phones: tuple[str, str], messaging_server: MessagingServer, answer: str
) -> None:
    messaging_server.answers["phone"] = answer
    event_id = ended(in_outbox)
    in_outbox.deliver(event_id)
    assert [each["token"] for each in messaging_server.messages] == ["tablet"]
    assert [each.token for each in devices.of("ann")] == ["tablet"]
    assert in_outbox.memory.documents[db.user("ann")]["devices"] == 1
    assert in_outbox.delivery(event_id, PUSH).status is DeliveryStatus.DELIVERED


@pytest.mark.parametrize("answer", ["QUOTA_EXCEEDED", "THIRD_PARTY_AUTH_ERROR"])
def test_what_was_not_reached_is_tried_again_and_what_was_is_not(
    in_outbox: Outbox, phones: tuple[str, str], messaging_server: MessagingServer, answer: str
) -> None:
    messaging_server.answers["phone"] = answer
    event_id = ended(in_outbox)
    in_outbox.deliver(event_id)  # the first two attempts
    assert [each["token"] for each in messaging_server.messages] == ["tablet"]
    messaging_server.answers.clear()
    in_outbox.moment = in_outbox.event(event_id).next_attempt_at or in_outbox.moment
    in_outbox.deliver(event_id)
    assert [each["token"] for each in messaging_server.messages] == ["tablet", "phone"]
    assert in_outbox.delivery(event_id, PUSH).status is DeliveryStatus.DELIVERED


def test_after_three_attempts_nobody_waits_any_more(
    in_outbox: Outbox, phones: tuple[str, str], messaging_server: MessagingServer
) -> None:
    messaging_server.answers |= dict.fromkeys(phones, "QUOTA_EXCEEDED")
    event_id = ended(in_outbox)
    while (due := in_outbox.event(event_id).next_attempt_at) is not None:
        in_outbox.moment = due
        in_outbox.deliver(event_id)
    found = in_outbox.delivery(event_id, PUSH)
    assert (found.status, found.attempts) == (DeliveryStatus.FAILED, 3)


def test_on_the_emulators_messages_are_logged_and_not_sent(
    in_outbox: Outbox,
    phones: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FUNCTIONS_EMULATOR", "true")
    event_id = ended(in_outbox)
    in_outbox.deliver(event_id)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (logged,) = [line for line in lines if line["message"] == "push message"]
    assert (logged["devices"], logged["generationRequestId"]) == (2, "r1")
    assert "token" not in logged


def test_a_user_whose_devices_are_all_gone_is_told_nothing(
    in_outbox: Outbox, phones: tuple[str, str], messaging_server: MessagingServer
) -> None:
    event_id = ended(in_outbox)
    for token in phones:
        devices.unregister("ann", token)
    in_outbox.deliver(event_id)
    assert messaging_server.messages == []
    assert in_outbox.delivery(event_id, PUSH).result == "no device is left"
