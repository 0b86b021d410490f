"""Users: find one, and see what is known of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter

from imagegen import db
from imagegen.admin import identities
from imagegen.admin.identities import Identity
from imagegen.admin.wire import EXAMPLE_USER_ID, Page
from imagegen.api import paging
from imagegen.api.auth import Caller
from imagegen.api.endpoint import Success, endpoint
from imagegen.api.schema import (
    DEFERRED,
    DocumentId,
    NextPageToken,
    Timestamp,
    UserId,
    WireModel,
    is_none,
    printable,
)
from imagegen.credits import ledger, repair
from imagegen.credits.replies import CreditLot, CreditTotals, NextExpiry, UserCredits
from imagegen.credits.user import AccountStatus, UserDocument
from imagegen.errors import UserNotFound
from imagegen.firestore.store import PATH, Document, Query, is_document_id
from imagegen.generation.request import OPEN
from imagegen.notifications import devices

MAX_COUNTED = 100  # open requests of one user
ID = TypeAdapter(DocumentId, config=DEFERRED)


class UserSummary(WireModel):
    """A user in a list."""

    user_id: str = Field(description="The user, by the uid of Firebase Authentication.")
    email: str | None = Field(
        default=None, exclude_if=is_none, description="The e-mail address, where there is one."
    )
    status: AccountStatus = Field(
        description="`disabled`: nothing can be spent or bought; `closing`: being deleted."
    )
    credits: int | None = Field(
        description="The balance as it is stored; null where it is malformed, or where the user "
        "has no account yet."
    )
    debt: int | None = Field(description="Credits that are owed; null as for `credits`.")
    created_at: Timestamp | None = Field(description="When the account was opened, if known.")


class UserPage(WireModel):
    """A page of users."""

    users: list[UserSummary] = Field(description="The users.")
    next_page_token: NextPageToken = None


class ListUsers(Page):
    """Which users to list."""

    query: Annotated[str, StringConstraints(max_length=320), AfterValidator(printable)] = Field(
        default="",
        description="A uid, the beginning of one, or an exact e-mail address. Empty: the newest "
        "accounts.",
    )


EXAMPLE_SUMMARY = {
    "userId": EXAMPLE_USER_ID,
    "email": "ann@example.com",
    "status": "active",
    "credits": 97,
    "debt": 0,
    "createdAt": "2026-11-21T12:30:00.000000Z",
}


@endpoint(
    methods=("GET",),
    example={"query": "testUser", "pageSize": 20},
    success=Success("A page of users.", {"found": {"users": [EXAMPLE_SUMMARY]}}),
)
def list_users(body: ListUsers, caller: Caller) -> UserPage:
    """Find users.

    The newest accounts, or those that a query finds: by the beginning of the uid, in the order of
    uids, or by the exact e-mail address. A page holds `pageSize` of them, 20 by default and 100 at
    most.
    """
    query, bound_to = body.query.strip(), ("users", body.query)
    size = body.size()
    if not query:
        found = db.query(newest_query(size + 1, body.after(bound_to)))
        token = paging.next_token(found, size, bound_to)
        return UserPage(users=list(_summaries(found[:size])), next_page_token=token)
    after = paging.position(body.page_token, bound_to, ID) if body.page_token else None
    found = _beginning_with(query, size + 1, after)
    token = paging.token(found[size - 1].id, bound_to) if len(found) > size else None
    listed = found[:size]
    if after is None and "@" in query and (owner := identities.by_email(query)) is not None:
        others = [document for document in listed if document.id != owner.user_id]
        listed = [*db.read(db.user(owner.user_id)), *others]
    return UserPage(users=list(_summaries(listed)), next_page_token=token)


def newest_query(limit: int, after: tuple[datetime, str] | None = None) -> Query:
    """A page of the accounts, the newest first."""
    return Query("users", order_by=("createdAt", "DESCENDING"), limit=limit, start_after=after)


def _beginning_with(query: str, limit: int, after: str | None) -> list[Document]:
    """The users whose ids begin with `query`, in the order of ids, from the one after `after`."""
    if not is_document_id(query):
        return []
    exact = [each for each in db.read(db.user(query)) if each.exists] if after is None else []
    following = Query(
        "users",
        order_by=(PATH, "ASCENDING"),
        start_after=(db.user(after or query), after or query),
        limit=limit - len(exact),
    )
    found = [*exact, *db.query(following)]
    return [document for document in found if document.id.startswith(query)]


def _summaries(documents: Iterable[Document]) -> Iterator[UserSummary]:
    users = [UserDocument(document) for document in documents]
    known = identities.of(user.id for user in users)
    for user in users:
        identity = known.get(user.id)
        usable = user.exists and not repair.malformed_fields(user.document)
        yield UserSummary(
            user_id=user.id,
            email=identity.email if identity else None,
            status=_status(user),
            credits=user.credits if usable else None,
            debt=user.debt if usable else None,
            created_at=_created_at(user, identity),
        )


def _status(user: UserDocument) -> AccountStatus:
    return user.status if user.exists else AccountStatus.ACTIVE


def _created_at(user: UserDocument, identity: Identity | None) -> datetime | None:
    opened = user.created_at if user.exists else None
    return opened or (identity.created_at if identity else None)


class UserDevice(WireModel):
    """A phone or browser that push messages are sent to."""

    device_id: str = Field(description="The device.")
    registered_at: Timestamp | None = Field(description="When it registered last.")


class UserProfile(WireModel):
    """What is known of a user, except for the credits."""

    user_id: str = Field(description="The user, by the uid of Firebase Authentication.")
    email: str | None = Field(
        default=None, exclude_if=is_none, description="The e-mail address, where there is one."
    )
    email_verified: bool = Field(description="Whether the address is known to be the user's.")
    is_anonymous: bool = Field(
        description="Whether nothing is known by which the user could sign in again."
    )
    sign_in_providers: list[str] = Field(description="How the user signs in.")
    created_at: Timestamp | None = Field(description="When the account was opened, if known.")
    last_sign_in_at: Timestamp | None = Field(description="When the user signed in last.")
    status: AccountStatus = Field(
        description="`disabled`: nothing can be spent or bought; `closing`: being deleted."
    )
    usable: bool = Field(
        description="False: a field of the account is malformed, and every call for the user is "
        "refused until it is repaired."
    )
    malformed: dict[str, str] = Field(description="The fields that are, and what they hold.")
    devices: list[UserDevice] = Field(description="Who push messages are sent to.")
    open_requests: int = Field(
        description=f"Generation requests that have not ended; {MAX_COUNTED} also stands for more."
    )
    has_auth_user: bool = Field(description="Whether Firebase Authentication knows the user.")


class UserBalance(WireModel):
    """What a user has, and what it consists of."""

    current_credits: int = Field(description="The balance.")
    lots: list[CreditLot] = Field(description="What it consists of, in the order of spending.")
    totals: CreditTotals = Field(description="The balance by kind.")
    next_expiry: NextExpiry | None = Field(description="What expires next, if anything does.")
    debt: int = Field(description="Credits that are owed.")


class UserView(WireModel):
    """A user."""

    user: UserProfile = Field(description="Who it is.")
    balance: UserBalance | None = Field(
        description="The balance; null where the account is malformed or not opened yet."
    )


class GetUser(WireModel):
    """Which user to look at."""

    user_id: UserId


EXAMPLE_VIEW: dict[str, Any] = {
    "user": {
        "userId": EXAMPLE_USER_ID,
        "email": "ann@example.com",
        "emailVerified": True,
        "isAnonymous": False,
        "signInProviders": ["password"],
        "createdAt": "2026-11-21T12:30:00.000000Z",
        "lastSignInAt": "2026-11-27T08:00:00.000000Z",
        "status": "active",
        "usable": True,
        "malformed": {},
        "devices": [{"deviceId": "5f0e6a7d", "registeredAt": "2026-11-27T08:00:00.000000Z"}],
        "openRequests": 0,
        "hasAuthUser": True,
    },
    "balance": {
        "currentCredits": 17,
        "lots": [
            {
                "id": "signup-grant",
                "kind": "trial",
                "remaining": 17,
                "expiresAt": "2026-12-18T08:00:00.000000Z",
            }
        ],
        "totals": {
            "allowance": 0,
            "trial": 17,
            "promotional": 0,
            "subscription": 0,
            "purchased": 0,
            "granted": 0,
            "opening": 0,
        },
        "nextExpiry": {"credits": 17, "expiresAt": "2026-12-18T08:00:00.000000Z"},
        "debt": 0,
    },
}


@endpoint(
    methods=("GET",),
    example={"userId": EXAMPLE_USER_ID},
    success=Success("The user.", {"user": EXAMPLE_VIEW}),
    errors=(UserNotFound,),
)
def get_user(body: GetUser, caller: Caller) -> UserView:
    """Look at a user.

    Who it is, and the balance with what it consists of. The history, the generation requests and
    the purchases come from getUserCredits, listGenerationRequests and listPurchases, which take an
    operator's token for any user.
    """
    user_id = body.user_id
    identity = identities.of([user_id]).get(user_id)
    (document,) = db.read(db.user(user_id))
    if not document.exists and identity is None:
        raise UserNotFound(userId=user_id)
    malformed = repair.malformed_fields(document) if document.exists else {}
    user = UserDocument(document)
    return UserView(
        user=UserProfile(
            user_id=user_id,
            email=identity.email if identity else None,
            email_verified=identity is not None and identity.email_verified,
            is_anonymous=identity is not None and identity.is_anonymous,
            sign_in_providers=list(identity.providers) if identity else [],
            created_at=_created_at(user, identity),
            last_sign_in_at=identity.last_sign_in_at if identity else None,
            status=_status(user),
            usable=not malformed,
            malformed=dict(malformed),
            devices=[
                UserDevice(device_id=each.id, registered_at=each.updated_at)
                for each in devices.of(user_id)
            ],
            open_requests=len(db.query(open_requests_query(user_id))),
            has_auth_user=identity is not None,
        ),
        balance=_balance(user_id, caller) if document.exists and not malformed else None,
    )


def open_requests_query(user_id: str) -> Query:
    """The requests of a user that have not ended."""
    return Query(
        "generationRequests",
        where=[("userId", "==", user_id), ("status", "in", list(OPEN))],
        order_by=("createdAt", "DESCENDING"),
        limit=MAX_COUNTED,
        select=["status"],
    )


def _balance(user_id: str, caller: Caller) -> UserBalance:
    user = ledger.read_account(user_id, caller)
    full = UserCredits(current_credits=user.credits, transactions=[]).with_lots_of(user)
    return UserBalance.model_validate(
        full.model_dump(include={"current_credits", "lots", "totals", "next_expiry", "debt"})
        | {"next_expiry": full.next_expiry}
    )
