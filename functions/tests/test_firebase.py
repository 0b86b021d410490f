from collections.abc import Callable

import pytest
from firebase_admin import auth, exceptions
from google.auth.exceptions import DefaultCredentialsError, RefreshError

from imagegen import firebase
from imagegen.errors import BackendUnavailable


@pytest.mark.parametrize("error", [auth.UserNotFoundError("none"), ValueError("too long")])
def test_a_user_that_authentication_does_not_have_is_none(error: Exception) -> None:
    assert firebase.asked(raising(error)) is None


@pytest.mark.parametrize(
    "error",
    [
        exceptions.UnavailableError("down"),
        exceptions.PermissionDeniedError("no role"),
        DefaultCredentialsError("no credentials"),
        RefreshError("revoked"),
    ],
)
def test_whatever_keeps_authentication_from_answering_is_a_backend_out_of_reach(
    error: Exception,
) -> None:
    with pytest.raises(BackendUnavailable) as caught:
        firebase.asked(raising(error))
    assert caught.value.__cause__ is error


def raising(error: Exception) -> Callable[[], object]:
    """What takes the place of a call of the SDK."""

    def call() -> object:
        raise error

    return call
