"""The log of what operators did, and the undoing of what can be undone."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from imagegen import actions, db
from imagegen.actions import ActionDocument
from imagegen.admin.catalogue import EXAMPLE_ACTION_ID, EXAMPLES, CatalogueChange
from imagegen.admin.wire import Page, Reason, told, uid_of
from imagegen.api import paging
from imagegen.api.auth import Caller
from imagegen.api.endpoint import Success, endpoint
from imagegen.api.schema import DocumentId, NextPageToken, Timestamp, WireModel, is_none
from imagegen.catalogue import editing
from imagegen.errors import ActionNotFound, ChangedSince, NotUndoable
from imagegen.firestore.stored import readable


class ListAdminActions(Page):
    """Which part of the log to list."""


class AdminAction(WireModel):
    """Something that an operator did."""

    action_id: str = Field(description="The action.")
    at: Timestamp = Field(description="When.")
    by: str = Field(
        description="The uid of the operator, or `cli:` and the name of who ran imagegen-admin."
    )
    action: str = Field(description="What.")
    subject: str = Field(description="The path of the document; empty where it is about none.")
    user_id: str | None = Field(
        default=None, exclude_if=is_none, description="Whom it concerns, if anybody."
    )
    reason: str = Field(description="Why.")
    before: dict[str, Any] | None = Field(description="What changed, as it was before.")
    after: dict[str, Any] | None = Field(description="What changed, as it was afterwards.")
    undoable: bool = Field(description="Whether it can be undone, unless it has changed since.")


class AdminActionPage(WireModel):
    """A page of the log."""

    admin_actions: list[AdminAction] = Field(description="Actions, newest first.")
    next_page_token: NextPageToken = None


@endpoint(
    methods=("GET",),
    example={"pageSize": 20},
    success=Success(
        "A page of the log.",
        {
            "firstPage": {
                "adminActions": [
                    {
                        "actionId": EXAMPLE_ACTION_ID,
                        "at": "2026-11-21T12:30:00.000000Z",
                        "by": "operator1",
                        "action": "catalogue.put",
                        "subject": "styles/woodcut",
                        "reason": "Asked for by users.",
                        "before": None,
                        "after": EXAMPLES["styles"],
                        "undoable": True,
                    }
                ]
            }
        },
    ),
)
def list_admin_actions(body: ListAdminActions, caller: Caller) -> AdminActionPage:
    """List what operators did.

    Newest first. A page holds `pageSize` of them, 20 by default and 100 at most.
    """
    size, bound_to = body.size(), (actions.COLLECTION,)
    found = db.query(actions.newest_query(size + 1, body.after(bound_to)))
    return AdminActionPage(
        admin_actions=readable(found[:size], ActionDocument, _shown),
        next_page_token=paging.next_token(found, size, bound_to, by="at"),
    )


def _shown(action: ActionDocument) -> AdminAction:
    return AdminAction(
        action_id=action.id,
        at=action.at,
        by=action.by,
        action=action.action,
        subject=action.subject,
        user_id=action.user_id,
        reason=action.reason,
        before=told(action.before),
        after=told(action.after),
        undoable=action.action in editing.UNDOABLE,
    )


class UndoAdminAction(WireModel):
    """Which action to undo, and why."""

    action_id: DocumentId = Field(description="The action.")
    reason: Reason


@endpoint(
    methods=("POST",),
    example={"actionId": EXAMPLE_ACTION_ID, "reason": "It was the wrong style."},
    success=Success(
        "What has changed.",
        {
            "undone": {
                "before": EXAMPLES["styles"],
                "after": None,
                "changes": [],
                "actionId": "6512bd43d9caa6e02c990b0a82652dca",
            }
        },
    ),
    errors=(ActionNotFound, NotUndoable, ChangedSince),
)
def undo_admin_action(body: UndoAdminAction, caller: Caller) -> CatalogueChange:
    """Undo a change of the catalogue.

    Puts the document back as it was before the action, if it still is as the action has left it.
    That is an action too, and can be undone. Repeating it changes nothing.
    """
    return CatalogueChange.from_edit(
        editing.undo(body.action_id, by=uid_of(caller), reason=body.reason)
    )
