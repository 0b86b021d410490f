"""Push messages through Firebase Cloud Messaging: one for each device of a user.

A message says which generation request has ended and how, never what was ordered. FCM has no
emulator: on the emulators, messages are logged.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from google.auth.exceptions import GoogleAuthError

from imagegen import config, firebase, logger
from imagegen.notifications import devices
from imagegen.notifications.devices import DeviceDocument
from imagegen.notifications.event import DeliveryStatus, EventDocument, EventType, Result

# What a phone shows, title and text, where PUSH_TEXTS says nothing else.
TEXTS: Mapping[EventType, tuple[str, str]] = {
    EventType.GENERATION_COMPLETED: ("Your image is ready", "Tap to see it."),
    EventType.GENERATION_FAILED: (
        "Your image could not be generated",
        "Your credits have been returned.",
    ),
}


def send(event: EventDocument, *, already_reached: Sequence[str] = ()) -> Result:
    """Send one message to each device of the event's user but those `already_reached`.

    A device whose token FCM does not know any more is removed.

    Raises BackendUnavailable when Firestore cannot be reached.
    """
    if event.type not in TEXTS or event.user_id is None:
        return Result(DeliveryStatus.DROPPED, "nothing to tell a device")
    found = [each for each in devices.of(event.user_id) if each.id not in already_reached]
    if not found:
        return Result(DeliveryStatus.DELIVERED, "no device is left")
    if os.environ.get("FUNCTIONS_EMULATOR") == "true":
        logger.info("push message", eventId=event.id, devices=len(found), **_data(event))
        return Result(DeliveryStatus.DELIVERED, f"{len(found)} logged")
    return _send(event, event.user_id, found)


def _send(event: EventDocument, user_id: str, found: Sequence[DeviceDocument]) -> Result:
    # Not at the top: only one of the functions sends messages.
    from firebase_admin import exceptions, messaging  # noqa: PLC0415

    dead_errors = (
        messaging.UnregisteredError,
        messaging.SenderIdMismatchError,
        exceptions.InvalidArgumentError,  # of all that a message holds, only the token varies
    )
    messages = [_message(messaging, event, each.token) for each in found]
    try:
        batch = messaging.send_each(messages, app=firebase.app())
    except (exceptions.FirebaseError, GoogleAuthError, ValueError) as error:
        logger.error("push messages not sent", eventId=event.id, error=repr(error))
        return Result(DeliveryStatus.PENDING, type(error).__name__)
    sent = list(zip(found, batch.responses, strict=True))
    reached = tuple(device.id for device, answer in sent if answer.success)
    dead = [device for device, answer in sent if isinstance(answer.exception, dead_errors)]
    for device in dead:
        devices.remove(user_id, device.id)
    failed = len(found) - len(reached) - len(dead)
    if failed:
        errors = {type(answer.exception).__name__ for _, answer in sent if answer.exception}
        logger.warn("push messages failed", eventId=event.id, failed=failed, errors=sorted(errors))
    return Result(
        DeliveryStatus.PENDING if failed else DeliveryStatus.DELIVERED,
        f"{len(reached)} sent, {len(dead)} removed, {failed} failed",
        reached=reached,
    )


def _message(messaging: Any, event: EventDocument, token: str) -> Any:
    """A message that replaces an earlier one about the same request."""
    title, body = json.loads(config.PUSH_TEXTS.value).get(event.type, TEXTS[event.type])
    about = _data(event)
    collapse_id = about["generationRequestId"][:64]  # the most that APNs takes
    return messaging.Message(
        # The SDK calls this name deprecated: it takes installation ids, too, and `fid` no tokens.
        token=token,
        data=about,
        notification=messaging.Notification(title=title, body=body),
        android=messaging.AndroidConfig(
            priority="high", notification=messaging.AndroidNotification(tag=collapse_id)
        ),
        apns=messaging.APNSConfig(headers={"apns-collapse-id": collapse_id}),
    )


def _data(event: EventDocument) -> dict[str, str]:
    request_id = event.about.rpartition("/")[2]
    return {"type": str(event.type), "generationRequestId": request_id}
