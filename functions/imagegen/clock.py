"""What time it is, which of the days and weeks a moment belongs to, how long a call has run."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from imagegen import config

_call_began: ContextVar[float | None] = ContextVar("call_began", default=None)


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


@contextmanager
def call() -> Iterator[None]:
    """Measure the call that this thread serves; the platform ends it at the function's time-out."""
    token = _call_began.set(time.monotonic())
    try:
        yield
    finally:
        _call_began.reset(token)


def seconds_into_call() -> float:
    """How long the call has run that this thread serves; 0 outside of calls."""
    began = _call_began.get()
    return 0.0 if began is None else time.monotonic() - began
