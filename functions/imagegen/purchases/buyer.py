"""Whether a payment's user is one of ours."""

from firebase_admin import auth
from firebase_admin.exceptions import FirebaseError
from pydantic import TypeAdapter, ValidationError

from imagegen import db, firebase
from imagegen.api.schema import DEFERRED, DocumentId
from imagegen.errors import BackendUnavailable

_ID = TypeAdapter(DocumentId, config=DEFERRED)


def may_be_id(text: str) -> bool:
    """Whether Firestore could hold a document of that id: metadata may say anything."""
    try:
        _ID.validate_python(text)
    except ValidationError:
        return False
    return True


def is_known(user_id: str) -> bool:
    """Whether there is such a user: with a user document, or at least in Firebase Authentication.

    Money may come before the first call of a user has opened an account.

    Raises BackendUnavailable.
    """
    if not may_be_id(user_id):
        return False
    (document,) = db.read(db.user(user_id))
    if document.exists:
        return True
    try:
        auth.get_user(user_id, app=firebase.app())
    except (auth.UserNotFoundError, ValueError):  # ValueError: no uid looks like that
        return False
    except FirebaseError as error:
        raise BackendUnavailable from error
    return True
