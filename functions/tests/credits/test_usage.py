"""What a user spent lately: net credits of fourteen days and nine weeks."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from imagegen import clock
from imagegen.credits import usage
from imagegen.credits.user import UserDocument
from imagegen.firestore.store import Document

MONDAY = date(2026, 11, 16)

spendings = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 50)), min_size=1, max_size=40)


@given(spendings)
def test_usage_is_the_net_spending_of_the_last_days_and_weeks(
    spent: list[tuple[int, int]],
) -> None:
    days = sorted((MONDAY + timedelta(days=offset), amount) for offset, amount in spent)
    user = Document("users/u", {"credits": 0})
    for day, amount in days:
        user = Document(
            "users/u", {"usage": usage.after(UserDocument(user), day, amount, today=day)}
        )
    newest = days[-1][0]
    by_day: dict[str, int] = {}
    by_week: dict[str, int] = {}
    for day, amount in days:
        if newest - day < timedelta(days=14):
            by_day[day.isoformat()] = by_day.get(day.isoformat(), 0) + amount
        if clock.iso_week(day) >= clock.iso_week(newest - timedelta(weeks=8)):
            by_week[clock.iso_week(day)] = by_week.get(clock.iso_week(day), 0) + amount
    assert user["usage"]["days"] == by_day
    assert {week: n["credits"] for week, n in user["usage"]["weeks"].items()} == by_week
    this_week = [
        n for day, n in by_day.items() if day >= (newest - timedelta(newest.weekday())).isoformat()
    ]
    assert user["usage"]["weeks"][clock.iso_week(newest)]["busiestDay"] == max(this_week)
