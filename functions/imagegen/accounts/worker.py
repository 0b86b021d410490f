"""The worker of accounts that leave: what a task does of closing one, or of exporting it."""

import time
from collections.abc import Sequence

from firebase_admin import auth
from pydantic import ValidationError

from imagegen import clock, db, firebase, logger
from imagegen.accounts import closing, export, images, moving
from imagegen.api.schema import DocumentId, UserId, WireModel
from imagegen.credits import closures
from imagegen.credits.closures import ClosureDocument, ClosureStatus
from imagegen.generation import uploads
from imagegen.providers import bucket
from imagegen.purchases import subscriptions

RUN_SECONDS = 200.0  # after which the next page is the next task's


class AccountTask(WireModel):
    """What a task says: which closure to work on, or whose export to write."""

    closure_id: DocumentId | None = None
    export_of: UserId | None = None


def process(data: object) -> None:
    """Do one delivery of a task, whose `data` names the closure or the user.

    Raises BackendUnavailable and GeneratorError when Firestore, Stripe, the storage or Firebase
    Authentication cannot be reached. Cloud Tasks then delivers the task again, or recovery does.
    """
    try:
        task = AccountTask.model_validate(data, by_alias=True, by_name=False)
    except ValidationError:
        logger.error("task without an account")  # delivering it again would not help
        return
    if task.closure_id is not None:
        close(task.closure_id)
    if task.export_of is not None:
        export.write(task.export_of)


def close(closure_id: str) -> None:
    """Go on with closing an account for a while; a later task goes on from there."""
    (document,) = db.read(f"accountClosures/{closure_id}")
    closure, end = ClosureDocument(document), time.monotonic() + RUN_SECONDS
    if not closure.exists or closure.status is ClosureStatus.CLOSED:
        return
    closure = closing.postpone(closure)
    user_id = closure.user_id
    if user_id is None:  # another task has ended it meanwhile
        return
    if closure.moved_at is None:
        if not _may_move(closure, user_id):
            return
        closure = closing.move(closure, _emails(user_id))
    last_pass_from = closing.last_pass_from(closure)
    is_last = clock.now() >= last_pass_from
    if not _move_all(closure, end):
        closing.enqueue(user_id)
        return
    moving.rename_in_texts(closure)
    if bucket.is_configured():
        uploads.delete_all(user_id)
        export.delete_all(user_id)
    _delete_sign_in(user_id)
    if is_last:
        _finish(closure)
    else:
        closing.wait(closure, last_pass_from)


def _may_move(closure: ClosureDocument, user_id: str) -> bool:
    """Whether the user document may move now, as nothing is open; else recovery asks again."""
    if not closing.end_requests(user_id):
        closing.wait(closure)
        return False
    if (quiet_end := closing.quiet_end(closure)) > clock.now():
        closing.wait(closure, quiet_end)
        return False
    if closure.merged_into is None:  # else they go on, as the other account's
        subscriptions.cancel_in_stripe(user_id)  # one may have begun meanwhile
    return True


def _finish(closure: ClosureDocument) -> None:
    """What came late has followed; the rest of it ends, and then the closing."""
    holder = ""

    def decide(transaction: db.Transaction) -> None:
        nonlocal holder
        holder = moving.holder_of(transaction, closure)

    db.transact(decide)
    if closures.is_tombstone(holder):  # else what was bought goes on, as another account's
        subscriptions.cancel_in_stripe(holder)  # of a checkout that was still open
    images.delete_late(closure)
    closing.finish(closure)


def _move_all(closure: ClosureDocument, end: float) -> bool:
    """Move and delete page by page; whether all is done, or the time was over before.

    Only a pass that finds nothing is the last: what was on its way may have come behind it.
    """
    is_clean = False
    while not is_clean:
        is_clean = True
        for step in moving.STEPS:
            for _ in step(closure):
                is_clean = False
                if time.monotonic() > end:
                    return False
    return True


def _emails(user_id: str) -> Sequence[str]:
    """The user's addresses in Firebase Authentication. Raises BackendUnavailable."""
    user = firebase.asked(lambda: auth.get_user(user_id, app=firebase.app()))
    if user is None:
        return []
    found = (user.email, *(each.email for each in user.provider_data))
    return sorted({email for email in found if email})


def _delete_sign_in(user_id: str) -> None:
    """Delete the user in Firebase Authentication, if there is one. Raises BackendUnavailable."""
    firebase.asked(lambda: auth.delete_user(user_id, app=firebase.app()))
