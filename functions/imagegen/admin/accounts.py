"""Accounts that leave or move: deletion, export, and transfers from one user to another."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from imagegen.accounts import delete, export, merge
from imagegen.accounts.replies import (
    EXPORTED,
    AccountExport,
    DeletedAccount,
    deleted,
    exported,
)
from imagegen.actions import Operator
from imagegen.admin.users import CLOSED, EXAMPLE_USER_ID
from imagegen.admin.wire import IdempotencyKey, Reason, uid_of
from imagegen.api.auth import Caller
from imagegen.api.endpoint import Success, endpoint
from imagegen.api.schema import Reply, UserId, WireModel
from imagegen.errors import (
    AccountUnusable,
    IdempotencyKeyReused,
    InvalidField,
    OutcomeUnknown,
    UserNotFound,
)


class AccountOfUser(WireModel):
    """Whose account, and why."""

    user_id: UserId
    reason: Reason


EXAMPLE: dict[str, Any] = {"userId": "testUser3", "reason": "Asked for it by e-mail."}


@endpoint(
    methods=("DELETE",),
    example=EXAMPLE,
    success=Success(
        "The account is closed, and deleted in the background.",
        {"closing": {"status": "closing", "storeSubscriptions": []}},
        code=202,
    ),
    errors=(UserNotFound, OutcomeUnknown),
)
def delete_user(body: AccountOfUser, caller: Caller) -> Reply[DeletedAccount]:
    """Delete the account of a user.

    As the user can with deleteAccount, without a recent sign-in: nothing can be spent from then on,
    and images, prompts, devices and the user are deleted in the background. Safe to repeat.
    """
    return deleted(delete.delete_for(body.user_id, by=uid_of(caller), reason=body.reason))


@endpoint(
    methods=("POST",),
    example=EXAMPLE,
    success=EXPORTED,
    errors=(UserNotFound, OutcomeUnknown),
)
def export_user(body: AccountOfUser, caller: Caller) -> Reply[AccountExport]:
    """Export everything that is stored about a user.

    As the user can with exportAccount, as one JSON file. The first call begins to write it; repeat
    the call until it answers 200. Whoever has the URL can load the file, until it is deleted after
    a day.
    """
    return exported(export.export(body.user_id, Operator(uid_of(caller), body.reason)))


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
