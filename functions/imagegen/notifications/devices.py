"""Devices: the registration tokens by which push messages reach a user's phones and browsers.

`devices` on the user counts them, so that a charge, which reads the user anyway, knows whether
anybody is to be told. A token belongs to one user: a phone that was handed on shows nothing of its
former owner. A device that was removed keeps its document without the token until Firestore deletes
it.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from imagegen import clock, db
from imagegen.errors import UserNotFound
from imagegen.firestore.store import Document, Query
from imagegen.firestore.stored import Field, Stored, boolean, instant, text, whole_number

MAX_DEVICES = 20  # of one user; the one registered longest ago gives way
MAX_OWNERS = 20  # users of one token: there is one, or a few for as long as writes cross


class DeviceDocument(Stored):
    """`users/{userId}/devices/{hash of the token}`."""

    token = Field("token", text, "")
    token_hash = Field("tokenHash", text, "")  # the id, which a query can look for everywhere
    is_registered = Field("registered", boolean, False)
    updated_at: Field[datetime | None] = Field("updatedAt", instant, None)
    expire_at: Field[datetime | None] = Field("expireAt", instant, None)


class DeviceCount(Stored):
    """What concerns devices in `users/{userId}`."""

    devices = Field("devices", whole_number, 0)


def device_id(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:32]


def of(user_id: str) -> list[DeviceDocument]:
    """The user's registered devices. Raises BackendUnavailable."""
    return [DeviceDocument(document) for document in db.query(registered_query(user_id))]


def registered_query(user_id: str) -> Query:
    return Query(
        f"users/{user_id}/devices", where=[("registered", "==", True)], limit=2 * MAX_DEVICES
    )


def token_query(token: str) -> Query:
    """The documents of a token, whoever's it is."""
    return Query(
        "devices", where=[("tokenHash", "==", device_id(token))], limit=MAX_OWNERS, in_group=True
    )


def register(user_id: str, token: str) -> None:
    """Send the user's push messages to the device with this token, too.

    Raises UserNotFound, BackendUnavailable; after OutcomeUnknown the call may be repeated.
    """
    own = db.device(user_id, device_id(token))
    held = of(user_id)
    former = [document for document in db.query(token_query(token)) if document.path != own]
    oldest = sorted(
        (each for each in held if each.path != own),
        key=lambda each: (each.updated_at is not None, each.updated_at),
    )
    surplus = [each.document for each in oldest[: max(0, len(oldest) + 1 - MAX_DEVICES)]]
    leaving = [*former, *surplus]

    def decide(transaction: db.Transaction) -> None:
        _require_user(transaction, user_id)
        moment = clock.now()
        for document in leaving:
            _take_away(transaction, document.path, moment)
        is_new = not _is_registered(transaction[own])
        fields = DeviceDocument.fields(
            token=token,
            token_hash=device_id(token),
            is_registered=True,
            updated_at=moment,
            expire_at=None,
        )
        if transaction[own].exists:
            transaction.update(own, fields)
        else:
            transaction.create(own, fields)
        _count(transaction, user_id, 1 if is_new else 0)

    owners = {db.user(_owner(document.path)) for document in leaving} | {db.user(user_id)}
    db.transact(decide, own, *(document.path for document in leaving), *sorted(owners))


def unregister(user_id: str, token: str) -> None:
    """Send nothing more to the device. No-op if it is not the user's."""
    remove(user_id, device_id(token))


def remove(user_id: str, removed: str) -> None:
    """Forget the device with the id `removed`. No-op if it is not registered."""
    path = db.device(user_id, removed)

    def decide(transaction: db.Transaction) -> None:
        _take_away(transaction, path, clock.now())

    db.transact(decide, path, db.user(user_id))


def _take_away(transaction: db.Transaction, path: str, moment: datetime) -> None:
    if not _is_registered(transaction[path]):
        return
    fields = DeviceDocument.fields(token="", is_registered=False, updated_at=moment)
    transaction.update(path, fields | DeviceDocument.fields(expire_at=moment))
    if transaction[db.user(_owner(path))].exists:
        _count(transaction, _owner(path), -1)


def _count(transaction: db.Transaction, user_id: str, change: int) -> None:
    user = DeviceCount(transaction[db.user(user_id)])
    transaction.update(user.path, DeviceCount.fields(devices=max(0, user.devices + change)))


def _is_registered(document: Document) -> bool:
    return document.exists and DeviceDocument(document).is_registered


def _owner(path: str) -> str:
    return path.split("/")[1]


def _require_user(transaction: db.Transaction, user_id: str) -> None:
    if not transaction[db.user(user_id)].exists:
        raise UserNotFound(userId=user_id)
