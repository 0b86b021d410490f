"""What users may do about their accounts: delete, export and merge them."""

from pydantic import Field

from imagegen.accounts import delete, export, merge
from imagegen.accounts.replies import (
    EXPORTED,
    AccountExport,
    DeletedAccount,
    deleted,
    exported,
)
from imagegen.api import auth
from imagegen.api.auth import Caller
from imagegen.api.endpoint import Success, endpoint
from imagegen.api.schema import Reply, WireModel
from imagegen.errors import (
    AccountClosing,
    AccountDisabled,
    AccountUnusable,
    InvalidField,
    NotAnonymous,
    PaymentProviderUnavailable,
    RecentSignInRequired,
    TokenInvalid,
    UserNotFound,
)


class DeleteAccount(WireModel):
    """Nothing: the token says whose account it is."""


@endpoint(
    methods=("POST",),
    example={},
    success=Success(
        "The account is closed, and deleted in the background.",
        {
            "closing": {
                "status": "closing",
                "storeSubscriptions": [
                    {
                        "store": "APP_STORE",
                        "productId": "monthly-200",
                        "periodEnd": "2026-12-18T08:00:00.000000Z",
                    }
                ],
            }
        },
        code=202,
    ),
    errors=(RecentSignInRequired, PaymentProviderUnavailable),
)
def delete_account(body: DeleteAccount, caller: Caller) -> Reply[DeletedAccount]:
    """Delete the caller's account.

    Always needs a token, of a user who has signed in within the last five minutes. Subscriptions in
    Stripe are canceled first. From then on nothing can be spent or bought; open background requests
    are canceled, running ones waited for. Then images, prompts, photos and devices are deleted, and
    the history of payments moves to a name that says nothing of the user, who is deleted from
    Firebase Authentication last. Safe to repeat.
    """
    return deleted(delete.delete(auth.require_recent_sign_in(caller)))


class ExportAccount(WireModel):
    """Nothing: the token says whose account it is."""


@endpoint(
    methods=("POST",),
    example={},
    success=EXPORTED,
    errors=(UserNotFound,),
)
def export_account(body: ExportAccount, caller: Caller) -> Reply[AccountExport]:
    """Export everything that is stored about the caller.

    Always needs a token. The account, its history, its requests with the URLs of their images, its
    purchases and devices, as one JSON file. The first call begins to write it; repeat the call
    until it answers 200. Whoever has the URL can load the file, until it is deleted after a day.
    """
    user_id = auth.require_user(caller)
    export.require_storage()
    return exported(export.export(user_id))


class MergeAccount(WireModel):
    """The anonymous account that is given up."""

    anonymous_id_token: str = Field(
        min_length=1,
        max_length=10_000,
        description="An ID token of the anonymous user, taken before signing in as the caller.",
    )


class MergedAccount(WireModel):
    """What has moved."""

    transferred_credits: int = Field(
        description="Credits that have moved; the same when the call is repeated."
    )
    current_credits: int = Field(description="The caller's balance.")


@endpoint(
    methods=("POST",),
    example={"anonymousIdToken": "eyJhbGciOiJSUzI1NiIs…"},
    success=Success("Merged.", {"merged": {"transferredCredits": 80, "currentCredits": 97}}),
    errors=(
        TokenInvalid,
        NotAnonymous,
        UserNotFound,
        AccountClosing,
        AccountDisabled,
        AccountUnusable,
    ),
)
def merge_account(body: MergeAccount, caller: Caller) -> MergedAccount:
    """Bring what an anonymous user has bought into the caller's account.

    For somebody who used the app anonymously and signs in to an account that exists already. Both
    tokens are verified. Credits that were bought move, with their purchases, subscriptions and
    debts; free ones do not. The anonymous account is closed and deleted, with its images. Safe to
    repeat.
    """
    user_id = auth.require_user(caller)
    anonymous = auth.proven(body.anonymous_id_token)
    if not anonymous.is_anonymous or caller.is_anonymous or anonymous.uid == user_id:
        raise NotAnonymous
    try:
        merged = merge.merge(str(anonymous.uid), user_id)
    except ValueError as error:
        raise InvalidField(
            fieldViolations=[{"field": "anonymousIdToken", "description": str(error)}]
        ) from error
    return MergedAccount(transferred_credits=merged.transferred, current_credits=merged.balance)
