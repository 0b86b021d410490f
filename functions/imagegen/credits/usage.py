"""What a user has spent lately, kept in the user document for the limits and the report.

A charge or a refund writes that document anyway, so keeping it costs nothing. It is a summary:
what is malformed in it is dropped, and never stands in the way of a charge or a refund.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from imagegen import clock
from imagegen.credits.user import UserDocument

DAYS = 14
WEEKS = 9


def after(user: UserDocument, day: date, credits: int, *, today: date) -> dict[str, Any]:
    """The user's `usage` after `credits` more (or fewer) were spent on `day`.

    It holds the net credits of the 14 days and 9 ISO weeks up to `today` in which there were any.
    """
    days, weeks = _days(user), _weeks(user)
    days[day] = days.get(day, 0) + credits
    days = {each: spent for each, spent in days.items() if spent and _is_recent(each, today)}
    week = clock.iso_week(day)
    weeks[week] = {
        "credits": weeks.get(week, {}).get("credits", 0) + credits,
        "busiestDay": max(
            (spent for each, spent in days.items() if clock.iso_week(each) == week), default=0
        ),
    }
    oldest = clock.iso_week(today - timedelta(weeks=WEEKS - 1))
    newest = clock.iso_week(today + timedelta(days=1))
    return {
        "days": {each.isoformat(): spent for each, spent in days.items()},
        "weeks": {
            each: spent
            for each, spent in weeks.items()
            if oldest <= each <= newest and spent["credits"]
        },
    }


def spent_on(user: UserDocument, day: date) -> int:
    """Net credits that the user spent on `day`."""
    return _days(user).get(day, 0)


def _is_recent(day: date, today: date) -> bool:
    """Within 14 days. One day ahead is the clock of another instance; more is nobody's day."""
    return today - timedelta(days=DAYS - 1) <= day <= today + timedelta(days=1)


def _days(user: UserDocument) -> dict[date, int]:
    recorded = user.usage.get("days")
    if not isinstance(recorded, Mapping):
        return {}
    days = {_date(day): spent for day, spent in recorded.items() if type(spent) is int}
    return {day: spent for day, spent in days.items() if day is not None}


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _weeks(user: UserDocument) -> dict[str, Mapping[str, int]]:
    recorded = user.usage.get("weeks")
    if not isinstance(recorded, Mapping):
        return {}
    return {
        week: spent
        for week, spent in recorded.items()
        if isinstance(spent, Mapping) and type(spent.get("credits")) is int
    }
