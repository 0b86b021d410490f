"""What Firebase Authentication knows of users: who they are, not what they own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from firebase_admin import auth

from imagegen import firebase

MAX_BATCH = 100  # of auth.get_users
MAX_UID_LENGTH = 128  # a user document may have a longer id, and then nobody signs in to it


@dataclass(frozen=True)
class Identity:
    """A user of Firebase Authentication."""

    user_id: str
    email: str | None
    email_verified: bool
    providers: tuple[str, ...]
    created_at: datetime | None
    last_sign_in_at: datetime | None

    @property
    def is_anonymous(self) -> bool:
        """Whether nothing is known by which the user could sign in again."""
        return not self.providers and self.email is None


def by_email(email: str) -> Identity | None:
    """The user with exactly this e-mail address. Raises BackendUnavailable."""
    record = firebase.asked(lambda: auth.get_user_by_email(email, app=firebase.app()))
    return None if record is None else _identity(record)


def of(user_ids: Iterable[str]) -> dict[str, Identity]:
    """The users that there are, at most MAX_BATCH, by uid. Raises BackendUnavailable."""
    wanted = [auth.UidIdentifier(each) for each in user_ids if len(each) <= MAX_UID_LENGTH]
    found = firebase.asked(lambda: auth.get_users(wanted, app=firebase.app())) if wanted else None
    return {} if found is None else {record.uid: _identity(record) for record in found.users}


def _identity(record: Any) -> Identity:
    times = record.user_metadata
    return Identity(
        record.uid,
        record.email,
        record.email_verified is True,
        tuple(provider.provider_id for provider in record.provider_data),
        _instant(times.creation_timestamp),
        _instant(times.last_sign_in_timestamp),
    )


def _instant(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
