"""Single users: beyond their own record, and beyond what ordinary weeks' users do."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from support.made_weeks import DEFAULTS, lived, made_week, steady, stored

from imagegen.report.anomalies import severity
from imagegen.report.anomalies.find import find
from imagegen.report.anomalies.record import AnomalyRecord
from imagegen.report.numbers import UserNumbers, UserWeek

Users = dict[str, UserNumbers]
RECORD = (UserWeek(20, 8), UserWeek(25, 9), UserWeek(22, 8))


def crowd(w: int, **special: UserNumbers) -> Users:
    """Thirty users who spend about as much as ever."""
    usual = {
        f"u{i}": UserNumbers(9, 18 + (i + w) % 9, 7 + (i + w) % 3, "2026-01-06", RECORD)
        for i in range(30)
    }
    return usual | special


def named(anomaly: AnomalyRecord) -> str:
    assert anomaly.dimension is not None
    return anomaly.dimension.value


def said_of(users: Users, weeks: int = 6) -> list[tuple[str, str]]:
    everyone = [crowd(w) for w in range(weeks - 1)] + [users]
    said = lived(steady(weeks), everyone)[-1].anomalies
    return [(named(a), a.severity) for a in said if a.metric == "userCredits"]


def test_an_ordinary_week_names_nobody() -> None:
    assert said_of(crowd(5)) == []


def test_a_user_far_beyond_the_own_record_is_named() -> None:
    assert said_of(crowd(5, loud=UserNumbers(150, 300, 60, "2026-02-10", RECORD))) == [
        ("loud", "high")
    ]


def test_a_new_user_who_spends_like_no_new_user_before_is_named() -> None:
    assert said_of(crowd(5, fresh=UserNumbers(150, 300, 300, "2026-02-10"))) == [("fresh", "high")]


def test_a_heavy_user_who_always_was_one_is_not() -> None:
    always = (UserWeek(300, 60),) * 8
    assert said_of(crowd(5, heavy=UserNumbers(150, 310, 61, "2026-02-10", always))) == []


def test_nobody_is_named_before_four_reports_exist() -> None:
    loud = UserNumbers(150, 300, 40, "2026-02-10", RECORD)
    assert said_of(crowd(2, loud=loud), weeks=4) == []
    assert said_of(crowd(2, loud=loud), weeks=5) == [("loud", "high")]


def test_a_named_user_does_not_raise_the_bar_for_others() -> None:
    loud = UserNumbers(150, 300, 60, "2026-02-10", RECORD)
    everyone = [*(crowd(w) for w in range(5)), crowd(5, loud=loud), crowd(6, other=loud)]
    said = lived(steady(7), everyone)[-1].anomalies
    assert [named(each) for each in said] == ["other"]


def test_earlier_weeks_are_asked_of_the_top_spenders_only() -> None:
    asked: list[str] = []

    def earlier(user_ids: Sequence[str]) -> dict[str, tuple[UserWeek, ...]]:
        asked.extend(user_ids)
        return dict.fromkeys(asked, RECORD)

    weeks = steady(6)
    history = [
        stored(week, said)
        for week, said in zip(weeks, lived(weeks, [crowd(w) for w in range(6)]), strict=True)
    ]
    loud = UserNumbers(150, 300, 60, "2026-02-10")
    found = find(made_week(6), history, crowd(6, loud=loud), DEFAULTS, earlier)
    assert [named(each) for each in found.anomalies] == ["loud"]
    assert "loud" in asked
    assert len(asked) <= 2 * DEFAULTS.user_candidates


@pytest.mark.parametrize(
    ("share", "times", "grade"),
    [
        (0.5, 2, "critical"),
        (0.2, 2, "high"),
        (0.1, 10, "high"),
        (0.1, 3, "medium"),
        (0.1, 2, "low"),
    ],
)
def test_severity_of_users(share: float, times: float, grade: str) -> None:
    assert severity.of_user(share, times) == grade
