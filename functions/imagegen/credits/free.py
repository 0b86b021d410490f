"""Free credits: who may have them, and how long they last."""

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from imagegen import clock, config, db
from imagegen.api.auth import Caller


@dataclass(frozen=True, slots=True)
class Claim:
    """What a call may do about the free credits of an account.

    `hint` says why its owner may have none: ANONYMOUS or EMAIL_NOT_VERIFIED. `email` is the
    owner's verified address, where it is known.
    """

    opens_account: bool = False
    is_allowed: bool = False
    hint: str | None = None
    email: str | None = None


def claim(caller: Caller | None, user_id: str) -> Claim:
    """The claim of a call about `user_id`; without a `caller` the call is our own.

    Only the owner's token opens an account. Where free credits depend on who the owner is, no
    other call books them, as it cannot know.
    """
    needs_email = config.REQUIRE_VERIFIED_EMAIL.value
    allows_anonymous = config.ALLOW_ANONYMOUS.value
    if caller is None or caller.uid != user_id:
        return Claim(is_allowed=allows_anonymous and not needs_email)
    if caller.is_anonymous and not allows_anonymous:
        return Claim(opens_account=True, hint="ANONYMOUS")
    if needs_email and not caller.has_verified_email:
        return Claim(opens_account=True, hint="EMAIL_NOT_VERIFIED")
    email = caller.email if caller.has_verified_email else None
    return Claim(opens_account=True, is_allowed=True, email=email)


def admit_trial(transaction: db.Transaction, email: str | None, moment: datetime) -> bool:
    """Whether an opening grant may be booked for that address; the transaction notes that it is.

    Always, unless TRIAL_ONCE_PER_EMAIL is on: then once for each address, whichever account it
    belongs to. What is kept is the month, in a document whose id is a keyed hash of the address: it
    names no account, and without the key nobody can try addresses.

    Raises LookupError when the key is missing.
    """
    if not config.TRIAL_ONCE_PER_EMAIL.value:
        return True
    if email is None:
        return False
    path = f"trialEmails/{_email_hash(email)}"
    if transaction[path].exists:
        return False
    transaction.create(path, {"month": month(moment)})
    return True


def _email_hash(email: str) -> str:
    secret = config.trial_email_secret()
    if not secret:
        raise LookupError("the secret TRIAL_EMAIL_SECRET has no value")
    return hmac.new(secret.encode(), normalized(email).encode(), hashlib.sha256).hexdigest()


def normalized(email: str) -> str:
    """The address without what its owner can vary: case, a tag after `+`, dots at Gmail."""
    user, _, domain = unicodedata.normalize("NFKC", email.strip()).casefold().rpartition("@")
    user = user.partition("+")[0] or user
    if domain in {"gmail.com", "googlemail.com"}:
        user, domain = user.replace(".", ""), "gmail.com"
    return f"{user}@{domain}"


def trial_end(moment: datetime) -> datetime | None:
    """When an opening grant of `moment` expires; None if it never does."""
    days = config.SIGNUP_CREDITS_DAYS.value
    return moment + timedelta(days=days) if days > 0 else None


def month(moment: datetime) -> str:
    """The month of `moment` in REPORT_TIME_ZONE, e.g. ``2026-11``."""
    return f"{clock.local_date(moment):%Y-%m}"


def month_end(moment: datetime) -> datetime:
    """The first instant of the month after that of `moment`."""
    in_next_month = clock.local_date(moment).replace(day=28) + timedelta(days=4)
    first = in_next_month.replace(day=1)
    return datetime(first.year, first.month, 1, tzinfo=clock.time_zone()).astimezone(UTC)
