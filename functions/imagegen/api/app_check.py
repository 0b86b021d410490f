"""Whether a call comes from one of the project's own apps: the tokens of Firebase App Check.

Where APP_CHECK is `off`, no token is read. The SDK's module costs nothing more: firebase_functions
imports it for every function.
"""

from enum import StrEnum
from json import JSONDecodeError

import firebase_admin.app_check
from firebase_admin.exceptions import FirebaseError
from google.auth.exceptions import GoogleAuthError
from jwt import PyJWKClientError, PyJWKSetError
from jwt.exceptions import PyJWKClientConnectionError

from imagegen import config, firebase, logger
from imagegen.api.endpoint import AppCheck
from imagegen.api.headers import distinct
from imagegen.errors import AppCheckInvalid, AppCheckMissing, BackendUnavailable

HEADER = "X-Firebase-AppCheck"


class Verdict(StrEnum):
    """What is known of the token of a call, as the log line of the call has it."""

    VALID = "valid"
    MISSING = "missing"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"  # Google could not be asked


REFUSALS = {
    Verdict.MISSING: AppCheckMissing,
    Verdict.INVALID: AppCheckInvalid,
    Verdict.UNAVAILABLE: BackendUnavailable,
}


def judge(header: str | None, rule: AppCheck) -> Verdict | None:
    """The verdict on the App Check header of a call; None where nothing is to be checked.

    Google's public keys are fetched once in six hours. Where a token is good for one call only,
    Google is asked each time whether it was used before, which marks it as used.
    """
    if rule is AppCheck.EXEMPT or config.APP_CHECK.value == "off":
        return None
    if header is None:
        return Verdict.MISSING
    token, *others = distinct(header)
    if others:
        return Verdict.INVALID
    return _verify(token, once=rule is AppCheck.ONCE and config.APP_CHECK_REPLAY_PROTECTION.value)


def require(verdict: Verdict | None) -> None:
    """Refuse the call if its verdict is bad, unless APP_CHECK is `warn`.

    Raises AppCheckMissing, AppCheckInvalid, and BackendUnavailable when Google cannot be asked.
    """
    # Any other value counts as `required`: a misspelled one must not let strangers pass.
    if verdict in REFUSALS and config.APP_CHECK.value != "warn":
        raise REFUSALS[verdict]


def _verify(token: str, *, once: bool) -> Verdict:
    try:
        claims = firebase_admin.app_check.verify_token(token, app=firebase.app(), consume=once)
    except (
        PyJWKClientConnectionError,
        PyJWKSetError,
        JSONDecodeError,  # of the keys; one of the token is no more than a ValueError
        OSError,
        FirebaseError,
        GoogleAuthError,
    ) as error:
        logger.warn("App Check unavailable", error=str(error))
        return Verdict.UNAVAILABLE
    except (PyJWKClientError, ValueError):
        return Verdict.INVALID
    return Verdict.INVALID if claims.get("already_consumed") else Verdict.VALID
