"""Credits of users: granted, moved to another account, made usable again."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated

from pydantic import Field

from imagegen.accounts import merge
from imagegen.admin.wire import CLOSED, EXAMPLE_USER_ID, IdempotencyKey, Reason, uid_of
from imagegen.api.auth import Caller
from imagegen.api.endpoint import Success, endpoint
from imagegen.api.schema import DateAndTime, NaturalNumber, PositiveNumber, UserId, WireModel
from imagegen.credits import ledger, repair
from imagegen.errors import (
    AccountUnusable,
    IdempotencyKeyReused,
    InvalidField,
    OutcomeUnknown,
    UserNotFound,
)

MAX_GRANT = 1_000_000


class GrantCredits(WireModel):
    """Credits to give to a user."""

    user_id: UserId
    credits: Annotated[PositiveNumber, Field(le=MAX_GRANT, description="How many.")]
    reason: Reason
    idempotency_key: IdempotencyKey
    expires_at: DateAndTime | None = Field(
        default=None, description="When they expire; they never do where it is left out."
    )


class Grant(WireModel):
    """A grant that was made."""

    entry_id: str = Field(description="The ledger entry.")
    is_new: bool = Field(description="False: the same grant had been made before.")
    current_credits: int = Field(description="The balance of the user.")


@endpoint(
    methods=("POST",),
    example={
        "userId": EXAMPLE_USER_ID,
        "credits": 10,
        "reason": "Waited too long for support.",
        "idempotencyKey": "ticket-4711",
    },
    success=Success(
        "The grant.",
        {"granted": {"entryId": "9f86d081884c7d65-grant", "isNew": True, "currentCredits": 107}},
    ),
    errors=(UserNotFound, AccountUnusable, *CLOSED, IdempotencyKeyReused),
)
def grant_credits(body: GrantCredits, caller: Caller) -> Grant:
    """Give credits to a user.

    Once for each idempotency key of the user: the same call may be repeated, and then nothing
    changes. Somebody who has signed up and has no account yet gets one.
    """
    expires_at = body.expires_at and body.expires_at.astimezone(UTC)
    granted = ledger.grant_credits(
        body.user_id,
        body.credits,
        key=body.idempotency_key,
        reason=body.reason,
        by=uid_of(caller),
        expires_at=expires_at,
    )
    return Grant(entry_id=granted.entry_id, is_new=granted.is_new, current_credits=granted.balance)


class RepairUser(WireModel):
    """Which account to repair."""

    user_id: UserId
    reason: Reason
    credits: Annotated[NaturalNumber, Field(le=MAX_GRANT)] | None = Field(
        default=None,
        description="The balance that the user should have. What it is above that of the ledger is "
        "granted. Needed for a user without ledger entries whose balance is malformed.",
    )


class Repair(WireModel):
    """What a repair has done."""

    malformed: dict[str, str] = Field(
        description="What the malformed fields held. Empty: there was nothing to repair."
    )
    granted_credits: int = Field(description="What was granted.")
    current_credits: int = Field(description="The balance of the user.")


@endpoint(
    methods=("POST",),
    example={"userId": EXAMPLE_USER_ID, "reason": "The balance was edited by hand."},
    success=Success(
        "What was done.",
        {
            "repaired": {
                "malformed": {"credits": "'97'"},
                "grantedCredits": 0,
                "currentCredits": 97,
            }
        },
    ),
    errors=(UserNotFound, AccountUnusable),
)
def repair_user(body: RepairUser, caller: Caller) -> Repair:
    """Make an account usable again.

    Gives the fields of the account that hold no whole number, or one below zero, the values that
    follow from the ledger and the purchases.
    """
    done = repair.repair(body.user_id, by=uid_of(caller), reason=body.reason, credits=body.credits)
    return Repair(
        malformed=dict(done.malformed), granted_credits=done.granted, current_credits=done.balance
    )


class TransferCredits(WireModel):
    """Between whom to move what was paid for."""

    from_user_id: UserId = Field(description="Whose purchases they are.")
    to_user_id: UserId = Field(description="Who gets them.")
    reason: Reason
    idempotency_key: IdempotencyKey


class CreditTransfer(WireModel):
    """What has moved."""

    transferred_credits: int = Field(
        description="Credits that have moved; the same when the call is repeated."
    )
    current_credits: int = Field(description="The balance of the user who got them.")


@endpoint(
    methods=("POST",),
    example={
        "fromUserId": EXAMPLE_USER_ID,
        "toUserId": "testUser2",
        "reason": "Lost the first account.",
        "idempotencyKey": "ticket-4712",
    },
    success=Success(
        "What has moved.", {"moved": {"transferredCredits": 80, "currentCredits": 100}}
    ),
    errors=(UserNotFound, AccountUnusable, *CLOSED, IdempotencyKeyReused, OutcomeUnknown),
)
def transfer_credits(body: TransferCredits, caller: Caller) -> CreditTransfer:
    """Move what a user has bought to another.

    Purchased credits and those of subscriptions, with their purchases and what is owed for them.
    Once for each idempotency key: the same call may be repeated, and then nothing changes. Both
    accounts stay.
    """
    try:
        moved = merge.transfer(
            body.from_user_id,
            body.to_user_id,
            by=uid_of(caller),
            key=body.idempotency_key,
            reason=body.reason,
        )
    except ValueError as error:  # one and the same account, or too many purchases at once
        raise InvalidField.of("fromUserId", str(error)) from error
    return CreditTransfer(transferred_credits=moved.transferred, current_credits=moved.balance)
