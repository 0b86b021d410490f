"""Closing an account: it ends at once for its owner, and moves to its tombstone in the background.

    closing ── open requests end ──▶ moved ── page by page ──▶ closed
        │                               │
     nothing more is charged      the user document is the tombstone's: money that comes now,
                                  comes there; the rest follows

The steps are done by tasks (`worker`), each for as long as it may run. Every page is one
transaction of copies and deletions that each depend on what was read, so a task may come twice, at
the same time, or die anywhere. The next one goes on where the documents are.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from google.cloud.firestore import DELETE_FIELD

from imagegen import clock, db, logger, tasks
from imagegen.accounts import money
from imagegen.credits import closures
from imagegen.credits.account import open_account
from imagegen.credits.closures import ClosureDocument, ClosureStatus
from imagegen.credits.lots import LONG_AGO
from imagegen.credits.user import AccountStatus, UserDocument
from imagegen.errors import BackendUnavailable
from imagegen.firestore.store import Query
from imagegen.generation.request import OPEN, Mode, RequestDocument, Status
from imagegen.generation.settle import Outcome, settle

# Longer than a task runs: what is due again then has been lost.
DUE_AGAIN_AFTER = timedelta(minutes=10)
# Longer than a commit or an upload may be late, and clocks be wrong.
QUIET = timedelta(minutes=20)
PAGE_SIZE = 100
# Of the user document; whatever else an app has stored there goes.
KEPT = ("credits", "lots", "ledgerSequence", "debt", "createdAt")


def begin(transaction: db.Transaction, user_id: str, moment: datetime) -> bool:
    """Have the account close, and say so; no-op if it does already, or is closed.

    One that is back from a backup closes anew, under another tombstone. A user without an account
    gets one that closes, so that a late call which is about to open one finds it taken: else money
    would come to it and to the tombstone. The transaction has read the user and the closure.
    Afterwards `enqueue` starts the work.
    """
    closure = ClosureDocument(transaction[closures.path(user_id)])
    has_user = transaction[db.user(user_id)].exists
    is_back = closure.exists and closure.status is ClosureStatus.CLOSED and has_user
    if closure.exists and not is_back:
        return False
    fields: dict[str, Any] = ClosureDocument.fields(
        tombstone=closures.new_tombstone(),
        status=ClosureStatus.CLOSING,
        user_id=user_id,
        began_at=moment,
        due_at=moment + DUE_AGAIN_AFTER,
    )
    if is_back:
        known = ("merged_into", "merged_credits", "moved_at", "closed_at")
        gone = dict.fromkeys(known, DELETE_FIELD)
        transaction.update(closure.path, ClosureDocument.fields(**gone) | fields)
    else:
        transaction.create(closure.path, fields)
    if not has_user:
        open_account(transaction, user_id, moment)
    _refuse_charges(transaction, user_id, moment)
    return True


def enqueue(user_id: str) -> None:
    """Start the work, or go on with it; if the queue does not take it, `recovery` does."""
    try:
        tasks.enqueue_account("closureId", closures.closure_id(user_id))
    except BackendUnavailable as error:
        logger.warn("closure not enqueued", error=repr(error.__cause__))


def end_requests(user_id: str) -> bool:
    """Cancel the background requests that nobody works on; whether none is open any more.

    The others are waited for: their images are paid for, or their refunds are on the way.
    """
    _refuse_charges_of(user_id)
    for document in db.query(open_query(user_id)):
        request = RequestDocument(document)
        if request.mode is Mode.ASYNC and request.status is Status.PENDING:
            settle(
                request,
                Outcome.canceled(),
                only_if=lambda current: current.status is Status.PENDING,
            )
    return not db.query(open_query(user_id))


def open_query(user_id: str) -> Query:
    """Open requests of the user."""
    return Query(
        "generationRequests",
        where=[("userId", "==", user_id), ("status", "in", list(OPEN))],
        limit=PAGE_SIZE,
    )


def move(closure: ClosureDocument, emails: Sequence[str]) -> ClosureDocument:
    """Make the user document that of the tombstone; no-op if it is.

    From then on, money that comes for the user is the tombstone's. For an account that was merged,
    what refunds have brought back meanwhile goes to the other account first. The e-mail addresses
    are kept until the closing ends: texts that name the user are looked for by them, too.
    """
    user_id, tombstone = str(closure.user_id), closure.tombstone

    def decide(transaction: db.Transaction) -> None:
        current, moment = ClosureDocument(transaction[closure.path]), clock.now()
        user = transaction[db.user(user_id)]
        if current.moved_at is not None:
            return
        if user.exists and current.merged_into is not None:
            into = closures.holder(transaction, current.merged_into)
            money.move(transaction, user_id, into, moment, key=money.key_of(closure.id))
            user = transaction[db.user(user_id)]
        stands = transaction[db.user(tombstone)]
        fields = UserDocument.fields(status=AccountStatus.CLOSED, updated_at=moment)
        if stands.exists:  # money came when somebody had deleted the user document
            transaction.update(stands.path, fields)
        else:
            held = user.fields or {"credits": 0}
            kept = {name: held[name] for name in KEPT if name in held}
            transaction.create(stands.path, kept | fields)
        if user.exists:
            transaction.delete(user.path)
        fields = ClosureDocument.fields(moved_at=moment, emails=list(emails))
        transaction.update(closure.path, fields)

    paths = (closure.path, db.user(user_id), db.user(tombstone))
    return ClosureDocument(db.transact(decide, *paths)[closure.path])


def postpone(closure: ClosureDocument) -> ClosureDocument:
    """Note that a task is on the queue or at work, so that recovery enqueues none for a while."""
    return _write(closure, due_at=clock.now() + DUE_AGAIN_AFTER)


def quiet_end(closure: ClosureDocument) -> datetime:
    """From when on the user document may move.

    A call that has found no document may still be about to open an account: its commit is late. So
    one that is new stays where a late commit finds it taken.
    """
    user = UserDocument(db.read(db.user(str(closure.user_id)))[0])
    opened_at = user.created_at if user.exists else closure.began_at
    return (opened_at or LONG_AGO) + QUIET


def last_pass_from(closure: ClosureDocument) -> datetime:
    """From when on nothing can come any more that names the user, or that only the user had.

    Until then, a call that had found the account may store something: its commit or its upload is
    late. So what was deleted at once is gone through again.
    """
    return (closure.moved_at or clock.now()) + QUIET


def wait(closure: ClosureDocument, until: datetime | None = None) -> None:
    """Leave the work to recovery, which runs every five minutes."""
    _write(closure, due_at=until or clock.now())


def finish(closure: ClosureDocument) -> None:
    """End the closing; what is left of it does not name the user."""
    gone = dict.fromkeys(("user_id", "emails", "due_at"), DELETE_FIELD)
    _write(closure, status=ClosureStatus.CLOSED, closed_at=clock.now(), **gone)
    logger.info("account closed", tombstone=closure.tombstone)


def _write(closure: ClosureDocument, **values: Any) -> ClosureDocument:
    def decide(transaction: db.Transaction) -> None:
        if ClosureDocument(transaction[closure.path]).status is ClosureStatus.CLOSING:
            transaction.update(closure.path, ClosureDocument.fields(**values))

    return ClosureDocument(db.transact(decide, closure.document)[closure.path])


def _refuse_charges_of(user_id: str) -> None:
    """The same as `begin` does, for an account that was opened at the same moment."""
    path = db.user(user_id)
    db.transact(lambda transaction: _refuse_charges(transaction, user_id, clock.now()), path)


def _refuse_charges(transaction: db.Transaction, user_id: str, moment: datetime) -> None:
    user = UserDocument(transaction[db.user(user_id)])
    if user.exists and user.status is not AccountStatus.CLOSING:
        fields = UserDocument.fields(status=AccountStatus.CLOSING, updated_at=moment)
        transaction.update(user.path, fields)
