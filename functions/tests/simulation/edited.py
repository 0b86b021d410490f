"""Answers about documents that somebody has deleted or made malformed by hand.

Nobody can object to "not found" and "unusable" then. What must hold all the same: a call that had
charged before names its request.
"""

from __future__ import annotations

from typing import Any

from simulation.books import Books
from simulation.orders import Named, Wanted
from simulation.world import Task, Violation


def is_due_to_an_edit(task: Task, reason: str, books: Books) -> bool:
    """Whether the usual rules do not apply to an answer; raises Violation if these do not hold."""
    if not books.deleted.isdisjoint(task.charges):
        return True  # when its reply was lost, there is nothing left to know the charge by
    request_id, account = request_of(task), books.accounts.get(_user_of(task) or "")
    if task.kind == "statement" and account is not None and account.deleted:
        return True  # it may show what is left of two accounts
    excused = {
        "GENERATION_REQUEST_NOT_FOUND": request_id in books.deleted,
        "USER_NOT_FOUND": account is not None and account.deleted,
        # Opened again, it gets no second opening grant.
        "INSUFFICIENT_CREDITS": account is not None and account.deleted,
        "ACCOUNT_UNUSABLE": account is not None and account.was_broken,
    }
    if books.is_broken(request_id) or excused.get(reason, False):
        named = details_of(task).get("generationRequestId")
        if task.kind == "create" and task.error is not None and task.charges not in ([], [named]):
            raise Violation(f"{task} was charged for {task.charges} and told of {named}")
        return True
    return False


def is_of_one_who_leaves(task: Task, books: Books) -> bool:
    """Whether its account is closing, or has closed: what was there is refused, or not found."""
    charge = books.charged_by.get(request_of(task) or "")
    owner = charge.asked.user_id if charge is not None else _user_of(task)
    return owner in books.tombstones


def request_of(task: Task) -> str | None:
    """The request that the call was about, as far as its question or its answer names one."""
    match task.asked:
        case Named(request_id=request_id):
            return request_id
        case str(request_id) if task.kind == "worker":
            return request_id
    body = getattr(task.reply, "body", None)
    named = details_of(task).get("generationRequestId")
    charged = task.charges[0] if task.charges else None
    return getattr(body, "generation_request_id", None) or named or charged


def _user_of(task: Task) -> str | None:
    match task.asked:
        case Wanted(user_id=user_id):
            return user_id
        case str(path) if task.kind == "grant":
            return path.split("/")[1]
        case str(user_id) if task.kind == "statement":
            return user_id
        case _:
            return None


def details_of(task: Task) -> dict[str, Any]:
    return dict(getattr(task.error, "details", None) or {})
