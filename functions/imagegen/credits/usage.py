"""What a user spent lately, kept in the user's own document for limits and for the report.

It rides on a write that happens anyway, so it costs nothing.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from imagegen import clock
from imagegen.firestore.store import Document

DAYS = 14
WEEKS = 9


def after(user: Document, day: date, credits: int) -> dict[str, Any]:
    """The user's `usage` after `credits` more (or fewer) were spent on `day`.

    Net credits of the last 14 days and 9 ISO weeks that saw any; what is older falls away.
    """
    recorded: Mapping[str, Any] = user.get("usage") or {}
    days: dict[str, int] = dict(recorded.get("days", {}))
    weeks: dict[str, Mapping[str, int]] = dict(recorded.get("weeks", {}))
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
