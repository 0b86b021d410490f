"""An event and its deliveries: the document in the outbox, and when which delivery is due.

A delivery is one way of telling somebody: to a webhook endpoint, under its id, or as a push
message, under PUSH. It is `pending` until an attempt succeeds (`delivered`), the last attempt has
failed (`failed`), or there is nothing to tell or nobody to tell it to (`dropped`).
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from imagegen.firestore.stored import Field, Stored, instant, mapping, text, whole_number

PUSH = "push"
# The wait before each attempt, from the attempt before: the schedule that Standard Webhooks gives
# as an example, three days in all.
SCHEDULE = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
PUSH_ATTEMPTS = 3  # within about 5 minutes: later, nobody waits for the image any more
JITTER = 0.1  # so that endpoints that failed together are not called together again
LONGEST_WAIT = timedelta(hours=24)
# How long an attempt has a delivery for itself. It covers one round of attempts.
LEASE = timedelta(seconds=60)
KEPT = timedelta(days=30)  # after the last delivery


class EventType(StrEnum):
    """What has happened."""

    GENERATION_COMPLETED = "generation.completed"
    GENERATION_FAILED = "generation.failed"
    GENERATION_CANCELED = "generation.canceled"
    CREDITS_LOW = "credits.low"
    CREDITS_GRANTED = "credits.granted"
    CREDITS_PURCHASED = "credits.purchased"
    CREDITS_EXPIRED = "credits.expired"
    CREDITS_CLAWED_BACK = "credits.clawed_back"
    REPORT_STORED = "report.stored"
    TEST = "test"  # sent by an operator, to one endpoint


class DeliveryStatus(StrEnum):
    """How far a delivery is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Result:
    """How an attempt ended. `pending`: it failed, and may be made again."""

    status: DeliveryStatus
    text: str
    retry_after: timedelta = timedelta(0)  # at least
    reached: tuple[str, ...] = ()  # the devices that a push message has reached


@dataclass(frozen=True)
class Delivery:
    """One delivery of an event."""

    status: DeliveryStatus = DeliveryStatus.PENDING
    attempts: int = 0
    next_attempt_at: datetime | None = None
    claim: str = ""  # of the attempt that is being made, or was made last
    result: str = ""  # of the last attempt
    reached: tuple[str, ...] = ()

    def is_due(self, moment: datetime) -> bool:
        return self.next_attempt_at is not None and self.next_attempt_at <= moment

    def claimed(self, claim: str, moment: datetime) -> Delivery:
        """With one more attempt, which nobody else makes until the lease ends."""
        lease_end = moment + LEASE
        return replace(self, attempts=self.attempts + 1, next_attempt_at=lease_end, claim=claim)

    def after(self, result: Result, moment: datetime, most_attempts: int) -> Delivery:
        """As an attempt that ended at `moment` leaves it."""
        status, next_attempt_at = result.status, None
        if status is DeliveryStatus.PENDING:
            if self.attempts >= most_attempts:
                status = DeliveryStatus.FAILED
            else:
                # Jitter only: nothing here has to be unpredictable.
                wait = SCHEDULE[self.attempts] * random.uniform(1, 1 + JITTER)  # noqa: S311
                wait = max(wait, min(result.retry_after, LONGEST_WAIT))
                next_attempt_at = moment + wait
        return replace(
            self,
            status=status,
            next_attempt_at=next_attempt_at,
            result=result.text,
            reached=(*self.reached, *result.reached),
        )

    def stored(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "attempts": self.attempts,
            "nextAttemptAt": self.next_attempt_at,
            "claim": self.claim,
            "result": self.result,
            "reached": list(self.reached),
        }


def most_attempts(name: str) -> int:
    """How many attempts the delivery called `name` has."""
    return PUSH_ATTEMPTS if name == PUSH else len(SCHEDULE)


def _deliveries(value: Any) -> Mapping[str, Delivery]:
    return {name: _delivery(mapping(fields)) for name, fields in mapping(value).items()}


def _delivery(fields: Mapping[str, Any]) -> Delivery:
    next_attempt_at = fields.get("nextAttemptAt")
    return Delivery(
        status=DeliveryStatus(text(fields.get("status"))),
        attempts=whole_number(fields.get("attempts")),
        next_attempt_at=None if next_attempt_at is None else instant(next_attempt_at),
        claim=text(fields.get("claim")),
        result=text(fields.get("result")),
        reached=tuple(fields.get("reached") or ()),
    )


class EventDocument(Stored):
    """`events/{id}`: ids only. What it says is read from `about` when it is delivered."""

    type = Field("type", EventType)
    about = Field("about", text, "")  # the path of the document that the event is about
    user_id: Field[str | None] = Field("userId", text, None)
    created_at = Field("createdAt", instant)
    deliveries = Field("deliveries", _deliveries)
    next_attempt_at: Field[datetime | None] = Field("nextAttemptAt", instant, None)
    expire_at: Field[datetime | None] = Field("expireAt", instant, None)

    @classmethod
    def fields_of(cls, deliveries: Mapping[str, Delivery], moment: datetime) -> dict[str, Any]:
        """The fields that follow from the deliveries, as of `moment`.

        An event is kept while a delivery is pending, and KEPT after that.
        """
        due = [
            each.next_attempt_at for each in deliveries.values() if each.next_attempt_at is not None
        ]
        return cls.fields(
            deliveries={name: each.stored() for name, each in deliveries.items()},
            next_attempt_at=min(due, default=None),
            expire_at=None if due else moment + KEPT,
        )
