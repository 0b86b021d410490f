"""The access token of the functions' own service account."""

import functools
import threading
from typing import Any

from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError

from imagegen.providers.failures import Reason, failure

SCOPE = "https://www.googleapis.com/auth/cloud-platform"

_lock = threading.Lock()


def access_token() -> str:
    """A token that is valid for minutes still. Raises GeneratorError."""
    try:
        with _lock:
            credentials, request = _credentials()
            if not credentials.valid:
                credentials.refresh(request)
            return str(credentials.token)
    except DefaultCredentialsError as error:
        raise failure(Reason.PROVIDER_AUTH, "no service account") from error
    except GoogleAuthError as error:
        raise failure(Reason.PROVIDER_UNREACHABLE, type(error).__name__) from error


@functools.cache
def _credentials() -> tuple[Any, Any]:
    import google.auth  # noqa: PLC0415
    from google.auth.transport.requests import Request  # noqa: PLC0415

    return google.auth.default(scopes=[SCOPE])[0], Request()
