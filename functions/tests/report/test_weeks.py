"""Week boundaries: ISO years, clock changes both ways, and the last microsecond."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.report import weeks

ZONES = (
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",  # half an hour of summer time
    "America/Santiago",  # clocks change at midnight
    "America/Havana",
    "Asia/Beirut",
    "Pacific/Apia",  # skipped a whole day in 2011
    "Asia/Kathmandu",
)


def test_at_monday_midnight_the_week_has_just_ended() -> None:
    week = weeks.ended_by(datetime(2026, 11, 16, tzinfo=UTC), ZoneInfo("UTC"))
    assert week.name == "2026-W46"
    assert week.start == datetime(2026, 11, 9, tzinfo=UTC)
    assert week.end == datetime(2026, 11, 16, tzinfo=UTC)


def test_a_microsecond_before_midnight_it_has_not() -> None:
    moment = datetime(2026, 11, 16, tzinfo=UTC) - timedelta(microseconds=1)
    assert weeks.ended_by(moment, ZoneInfo("UTC")).name == "2026-W45"


def test_a_late_run_on_sunday_is_still_about_the_week_that_has_ended() -> None:
    moment = datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)
    assert weeks.ended_by(moment, ZoneInfo("UTC")).name == "2026-W46"


def test_the_zone_decides_which_week_has_ended() -> None:
    moment = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)  # Sunday evening in New York
    assert weeks.ended_by(moment, ZoneInfo("America/New_York")).name == "2026-W45"
    assert weeks.ended_by(moment, ZoneInfo("Europe/Berlin")).name == "2026-W46"


@pytest.mark.parametrize(
    ("zone", "name", "hours"),
    [
        ("America/New_York", "2026-W10", 167),  # March 8
        ("America/New_York", "2026-W44", 169),  # November 1
        ("Europe/Berlin", "2026-W13", 167),
        ("Europe/Berlin", "2026-W43", 169),
        ("Australia/Lord_Howe", "2026-W40", 167.5),
        ("Australia/Lord_Howe", "2026-W14", 168.5),
        ("America/Santiago", "2026-W36", 167),  # September 6, at midnight
        ("UTC", "2026-W13", 168),
    ],
)
def test_a_week_in_which_the_clocks_change_has_other_hours(
    zone: str, name: str, hours: float
) -> None:
    week = weeks.named(name, ZoneInfo(zone))
    assert (week.end - week.start) / timedelta(hours=1) == hours


@pytest.mark.parametrize(
    ("moment", "name", "first", "last"),
    [
        (datetime(2021, 1, 4, 1, tzinfo=UTC), "2020-W53", "2020-12-28", "2021-01-03"),
        (datetime(2026, 1, 5, 1, tzinfo=UTC), "2026-W01", "2025-12-29", "2026-01-04"),
        (datetime(2027, 1, 4, 1, tzinfo=UTC), "2026-W53", "2026-12-28", "2027-01-03"),
    ],
)
def test_iso_years_end_where_iso_says(moment: datetime, name: str, first: str, last: str) -> None:
    week = weeks.ended_by(moment, ZoneInfo("UTC"))
    assert (week.name, week.days[0].date, week.days[-1].date) == (name, first, last)
    assert week == weeks.named(name, ZoneInfo("UTC"))


@pytest.mark.parametrize(
    "name", ["", "2026", "2026-46", "2026-W00", "2026-W54", "2025-W53", "2026-W1", "2026-W1a"]
)
def test_what_names_no_week_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not an ISO week"):
        weeks.named(name, ZoneInfo("UTC"))


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        weeks.ended_by(datetime(2026, 11, 16), ZoneInfo("UTC"))  # noqa: DTZ001


def test_the_weeks_before_cross_the_year() -> None:
    week = weeks.named("2021-W01", ZoneInfo("UTC"))
    assert weeks.before(week, 3) == ["2020-W51", "2020-W52", "2020-W53"]


@given(
    day=st.dates(date(1975, 1, 1), date(2100, 1, 1)),
    zone=st.sampled_from(ZONES),
    into=st.timedeltas(timedelta(0), timedelta(days=1)),
)
def test_weeks_follow_each_other_without_gap_and_hold_every_moment_once(
    day: date, zone: str, into: timedelta
) -> None:
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) + into
    week = weeks.ended_by(moment, ZoneInfo(zone))
    assert week.end <= moment
    following = weeks.ended_by(moment + timedelta(days=8), ZoneInfo(zone))
    assert following.start >= week.end
    edges = [edge for each in week.days for edge in (each.start, each.end)]
    assert edges == sorted(edges)
    assert all(
        left.end == right.start for left, right in zip(week.days, week.days[1:], strict=False)
    )
    for each in week.days:
        if each.start < each.end:  # not the day that Samoa left out
            assert each.start.astimezone(ZoneInfo(zone)).date().isoformat() == each.date
            last = each.end - timedelta(microseconds=1)
            assert last.astimezone(ZoneInfo(zone)).date().isoformat() == each.date


@pytest.mark.parametrize("moment", ["2011-12-31", "2024-03-31", "2026-11-01", "2027-01-04"])
def test_in_every_zone_there_is_a_last_week_and_its_name_leads_back_to_it(moment: str) -> None:
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        week = weeks.ended_by(at, zone)
        assert weeks.named(week.name, zone) == week
        assert week.start < week.end <= at < week.end + timedelta(days=8)
        year, number, _ = (week.start + timedelta(hours=36)).astimezone(zone).isocalendar()
        assert week.name == f"{year}-W{number:02d}"
