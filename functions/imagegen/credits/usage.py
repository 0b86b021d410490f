"""What a user has spent lately, kept in the user document for the limits and the report.

A charge or a refund writes that document anyway, so keeping it costs nothing.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from imagegen import clock
from imagegen.credits.user import UserDocument

DAYS = 14
WEEKS = 9


def after(user: UserDocument, day: date, credits: int) -> dict[str, Any]:
    """The user's `usage` after `credits` more (or fewer) were spent on `day`.

    It holds the net credits of the last 14 days and 9 ISO weeks in which there were any.
    """
    days: dict[str, int] = dict(user.usage.get("days", {}))
    weeks: dict[str, Mapping[str, int]] = dict(user.usage.get("weeks", {}))
    days[day.isoformat()] = days.get(day.isoformat(), 0) + credits
    newest = date.fromisoformat(max(days))
    oldest_day = (newest - timedelta(days=DAYS - 1)).isoformat()
    oldest_week = clock.iso_week(newest - timedelta(weeks=WEEKS - 1))
    days = {each: spent for each, spent in days.items() if each >= oldest_day and spent}
    week = clock.iso_week(day)
    spent_before = weeks.get(week, {}).get("credits", 0)
    weeks[week] = {
        "credits": spent_before + credits,
        "busiestDay": max(
            (
                spent
                for each, spent in days.items()
                if clock.iso_week(date.fromisoformat(each)) == week
            ),
            default=0,
        ),
    }
    return {
        "days": days,
        "weeks": {
            each: spent for each, spent in weeks.items() if each >= oldest_week and spent["credits"]
        },
    }
