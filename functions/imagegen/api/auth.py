"""Who is calling, and whose data they may touch."""

from dataclasses import dataclass

from firebase_admin import auth
from google.auth.exceptions import GoogleAuthError

from imagegen import clock, config, firebase
from imagegen.api.headers import distinct
from imagegen.errors import (
    BackendUnavailable,
    NotAdmin,
    NotOwner,
    RecentSignInRequired,
    TokenExpired,
    TokenInvalid,
    TokenMissing,
)

RECENT_SECONDS = 300
CLOCK_SKEW_SECONDS = 10  # how far Google's clocks may be ahead of ours


@dataclass(frozen=True, slots=True)
class Caller:
    """The signed-in user; without a uid, a call that AUTH_MODE=optional lets pass as anybody."""

    uid: str | None
    is_admin: bool = False
    is_anonymous: bool = False
    has_verified_email: bool = False
    signed_in_at: int = 0  # seconds since 1970: with a password or the like, not by a refresh
    email: str | None = None

    def may_access(self, user_id: str) -> bool:
        return self.uid is None or self.is_admin or self.uid == user_id

    def require_access_to(self, user_id: str) -> None:
        """Raises NotOwner when the data of `user_id` is not the caller's to touch."""
        if not self.may_access(user_id):
            raise NotOwner


def identify_admin(authorization: str | None) -> Caller:
    """The operator that an Authorization header proves, also where AUTH_MODE is `optional`.

    Raises NotAdmin without the claim `admin: true`, and else as `identify` does.
    """
    caller = identify(authorization)
    if caller.uid is None:
        raise TokenMissing
    if not caller.is_admin:
        raise NotAdmin
    return caller


def require_user(caller: Caller) -> str:
    """The uid of the caller, whom a token must prove, whatever AUTH_MODE. Raises TokenMissing."""
    if not caller.uid:
        raise TokenMissing
    return caller.uid


def require_recent_sign_in(caller: Caller) -> str:
    """The uid of a caller who signed in within the last RECENT_SECONDS.

    Raises TokenMissing, RecentSignInRequired.
    """
    user_id = require_user(caller)
    if clock.now().timestamp() - caller.signed_in_at > RECENT_SECONDS:
        raise RecentSignInRequired
    return user_id


def identify(authorization: str | None) -> Caller:
    """The caller that an Authorization header proves.

    A token that is sent is always checked. Without one the call passes only where AUTH_MODE is
    `optional`.

    Raises TokenMissing, TokenInvalid, TokenExpired, and BackendUnavailable when Google's public
    keys cannot be fetched.
    """
    if authorization is None:
        if config.AUTH_MODE.value == "optional":
            return Caller(uid=None)
        raise TokenMissing
    values = distinct(authorization)
    scheme, _, token = values[0].partition(" ")
    if scheme.lower() != "bearer" or len(values) > 1:
        raise TokenInvalid("Authorization must be: Bearer <Firebase ID token>.")
    return proven(token)


def proven(token: str) -> Caller:
    """The user whom an ID token proves. Raises as `identify` does."""
    try:
        claims = auth.verify_id_token(
            token.strip(), app=firebase.app(), clock_skew_seconds=CLOCK_SKEW_SECONDS
        )
    except auth.ExpiredIdTokenError as error:
        raise TokenExpired from error
    except auth.CertificateFetchError as error:
        raise BackendUnavailable from error
    except (auth.InvalidIdTokenError, auth.UserDisabledError, ValueError, RecursionError) as error:
        raise TokenInvalid from error
    except GoogleAuthError as error:
        raise BackendUnavailable from error
    return Caller(
        uid=claims["uid"],
        is_admin=claims.get("admin") is True,
        is_anonymous=claims.get("firebase", {}).get("sign_in_provider") == "anonymous",
        has_verified_email=claims.get("email_verified") is True,
        signed_in_at=int(claims.get("auth_time", 0)),
        email=claims.get("email"),
    )
