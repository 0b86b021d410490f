"""What time it is, and which of the app's days and weeks a moment belongs to."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from imagegen import config


def now() -> datetime:
    """The current moment, in UTC."""
    return datetime.now(UTC)


def time_zone() -> ZoneInfo:
    """The zone whose midnights divide days and weeks: reports and daily limits share it."""
    return ZoneInfo(config.REPORT_TIME_ZONE.value)


def local_date(moment: datetime) -> date:
    """The calendar date of `moment` in the app's time zone."""
    return moment.astimezone(time_zone()).date()


def iso_week(day: date) -> str:
    """The ISO 8601 week of `day`, e.g. ``2026-W47``."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"
