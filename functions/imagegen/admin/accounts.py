"""Accounts of users: disabled, deleted, exported."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from imagegen.accounts import account, delete, export
from imagegen.accounts.replies import EXPORTED, AccountExport, DeletedAccount, deleted, exported
from imagegen.actions import Operator
from imagegen.admin.wire import Reason, uid_of
from imagegen.api.auth import Caller
from imagegen.api.endpoint import Success, endpoint
from imagegen.api.schema import Reply, UserId, WireModel
from imagegen.credits.user import AccountStatus
from imagegen.errors import AccountClosing, OutcomeUnknown, UserNotFound


class SetUserStatus(WireModel):
    """What may be done with an account from now on."""

    user_id: UserId
    status: Literal["active", "disabled"] = Field(
        description="`disabled`: the account can be read, and nothing can be spent or bought."
    )
    reason: Reason


class UserStatus(WireModel):
    """What may be done with an account."""

    user_id: str = Field(description="The user.")
    status: AccountStatus = Field(description="The status of the account.")


@endpoint(
    methods=("PUT",),
    example={"userId": "testUser3", "status": "disabled", "reason": "Chargebacks."},
    success=Success("The status.", {"disabled": {"userId": "testUser3", "status": "disabled"}}),
    errors=(UserNotFound, AccountClosing),
)
def set_user_status(body: SetUserStatus, caller: Caller) -> UserStatus:
    """Disable an account, or make it active again.

    Of a disabled account everything can be read. Generations that run end as they would, and
    refunds of money are booked.
    """
    status = AccountStatus(body.status)
    account.set_status(body.user_id, status, by=uid_of(caller), reason=body.reason)
    return UserStatus(user_id=body.user_id, status=status)


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
