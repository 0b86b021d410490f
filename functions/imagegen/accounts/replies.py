"""What users and operators are shown of accounts that leave."""

from pydantic import Field

from imagegen.accounts.delete import Deletion
from imagegen.accounts.export import Export
from imagegen.api import headers
from imagegen.api.endpoint import Success
from imagegen.api.schema import Reply, Timestamp, WireModel
from imagegen.credits.closures import ClosureStatus


class StoreSubscription(WireModel):
    """A subscription in an app store, which only the user can end."""

    store: str = Field(description="The store, as RevenueCat names it, e.g. `APP_STORE`.")
    product_id: str = Field(description="The product; empty if it is not known.")
    period_end: Timestamp = Field(description="Until when it is paid.")


class DeletedAccount(WireModel):
    """How far the deletion is."""

    status: ClosureStatus = Field(
        description="`closing`: it goes on by itself. `closed`: it is complete."
    )
    store_subscriptions: list[StoreSubscription] = Field(
        description="Subscriptions in app stores that the user has to end there."
    )


def deleted(deletion: Deletion) -> Reply[DeletedAccount]:
    """The answer to a call that deletes an account."""
    found = [
        StoreSubscription(store=each.store, product_id=each.product_id, period_end=each.period_end)
        for each in deletion.store_subscriptions
    ]
    return Reply(DeletedAccount(status=deletion.status, store_subscriptions=found), code=202)


class AccountExport(WireModel):
    """Where the export is."""

    url: str | None = Field(description="The JSON file; null while it is being written.")
    expires_at: Timestamp | None = Field(description="When it is deleted, a day after it was made.")


EXPORTED = (
    Success(
        "The file is there.",
        {
            "ready": {
                "url": "https://firebasestorage.googleapis.com/v0/b/my-app/o/exports%2F2026…",
                "expiresAt": "2026-11-22T12:30:00.000000Z",
            }
        },
    ),
    Success(
        "The file is being written: call again.",
        {"running": {"url": None, "expiresAt": None}},
        code=202,
        headers=(headers.RETRY_AFTER,),
    ),
)


def exported(found: Export) -> Reply[AccountExport]:
    """The answer to a call for an export."""
    answer = AccountExport(url=found.url, expires_at=found.expires_at)
    if found.url is None:
        return Reply(answer, code=202, headers={"Retry-After": "2"})
    return Reply(answer)
