"""Whose a payment is: the first user of those it names who is one of ours."""

from collections.abc import Callable, Sequence

from pydantic import TypeAdapter, ValidationError

from imagegen import db, firebase
from imagegen.api.schema import DEFERRED, DocumentId
from imagegen.credits import closures

_ID = TypeAdapter(DocumentId, config=DEFERRED)


def may_be_id(text: str) -> bool:
    """Whether Firestore could hold a document of that id: metadata may say anything."""
    try:
        _ID.validate_python(text)
    except ValidationError:
        return False
    return True


def of(
    transaction: db.Transaction, named: Sequence[str], is_signed_up: Callable[[str], bool]
) -> str:
    """The account of the first of `named` who is known; empty if nobody is.

    A user is known who has an account, had one that was closed (then its holder is meant), or is at
    least in Firebase Authentication, as `is_signed_up` says: money may come before the first call
    of a user has opened an account.

    Raises what `is_signed_up` raises.
    """
    for user_id in filter(may_be_id, named):
        account = closures.holder(transaction, user_id)
        if account != user_id or transaction[db.user(account)].exists or is_signed_up(account):
            return account
    return ""


def is_known(user_id: str) -> bool:
    """Whether there is such a user: with a user document, or at least in Firebase Authentication.

    Raises BackendUnavailable.
    """
    if not may_be_id(user_id):
        return False
    return db.read(db.user(user_id))[0].exists or firebase.is_signed_up(user_id)
