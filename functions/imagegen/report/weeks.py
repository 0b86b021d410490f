"""ISO weeks of the app's time zone, as half-open intervals of UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from imagegen import clock


@dataclass(frozen=True)
class Day:
    """A local calendar day: from its first instant up to, not including, the next day's."""

    date: str  # ISO
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Week:
    """An ISO 8601 week, Monday to Sunday; 167 or 169 hours where the clocks change."""

    name: str  # "2026-W47"
    zone: str  # IANA
    days: tuple[Day, ...]

    @property
    def start(self) -> datetime:
        return self.days[0].start

    @property
    def end(self) -> datetime:
        return self.days[-1].end


def named(name: str, zone: ZoneInfo) -> Week:
    """The week called `name`. Raises ValueError when there is none."""
    try:
        monday = date.fromisocalendar(int(name[:4]), int(name[6:]), 1)
    except ValueError:
        monday = None
    if monday is None or clock.iso_week(monday) != name:
        raise ValueError(f"{name!r} is not an ISO week; write it like 2026-W47")
    return _starting(monday, zone)


def ended_by(moment: datetime, zone: ZoneInfo) -> Week:
    """The last week whose closing midnight is at or before `moment`."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    today = moment.astimezone(zone).date()
    return _starting(today - timedelta(days=today.weekday() + 7), zone)


def before(week: Week, number: int) -> list[str]:
    """The names of the `number` weeks before `week`, oldest first."""
    monday = date.fromisoformat(week.days[0].date)
    return [clock.iso_week(monday - timedelta(weeks=back)) for back in range(number, 0, -1)]


def _starting(monday: date, zone: ZoneInfo) -> Week:
    dates = [monday + timedelta(days=each) for each in range(8)]
    # This is the first instant of a day even where the clocks skip midnight (PEP 495: fold=0 reads
    # a skipped time with the offset before the change) or repeat it (fold=0 is the first one).
    starts = [datetime.combine(each, time.min, zone).astimezone(UTC) for each in dates]
    return Week(
        clock.iso_week(monday),
        zone.key,
        tuple(Day(dates[i].isoformat(), starts[i], starts[i + 1]) for i in range(7)),
    )
