"""Free credits: who may have them, and how long they last."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from imagegen import clock, config
from imagegen.api.auth import Caller


@dataclass(frozen=True, slots=True)
class Claim:
    """What a call may do about the free credits of an account.

    `hint` says why its owner may have none: ANONYMOUS or EMAIL_NOT_VERIFIED.
    """

    opens_account: bool = False
    is_allowed: bool = False
    hint: str | None = None


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
    return Claim(opens_account=True, is_allowed=True)


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
