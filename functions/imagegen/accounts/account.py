"""Whether an account may be used: what operators can switch off and on again."""

from imagegen import clock, db, logger
from imagegen.credits.user import AccountStatus, UserDocument
from imagegen.errors import AccountClosing, UserNotFound


def set_status(user_id: str, status: AccountStatus, *, reason: str) -> None:
    """Disable an account, or make it active again; no-op if it is so already.

    A disabled account can be read, and nothing can be spent, granted or bought. Generations that
    run end as they would, refunds of money are booked, and payments on their way come in.

    Raises UserNotFound; AccountClosing, as what is being deleted stays so; ValueError for another
    status or an empty reason; BackendUnavailable and OutcomeUnknown, after which the same call may
    be repeated.
    """
    if status not in (AccountStatus.ACTIVE, AccountStatus.DISABLED):
        raise ValueError(f"an operator cannot make an account {status}")
    if not reason.strip():
        raise ValueError("a change of status needs a reason")
    path = db.user(user_id)

    def decide(transaction: db.Transaction) -> None:
        user = UserDocument(transaction[path])
        if not user.exists:
            raise UserNotFound(userId=user_id)
        if user.status in (AccountStatus.CLOSING, AccountStatus.CLOSED):
            raise AccountClosing
        if user.status is not status:
            transaction.update(path, UserDocument.fields(status=status, updated_at=clock.now()))

    db.transact(decide, path)
    logger.warn("account status set", userId=user_id, status=status, reason=reason)
