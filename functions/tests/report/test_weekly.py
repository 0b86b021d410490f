"""The weekly report on the Firestore emulator: what it holds, what it notices, what it repeats."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import firestore
from support.past_app import MONDAY, SUNDAY_NIGHT, AppWithHistory, empty_client
from support.proxy import FirestoreProxy

from imagegen import clock, db
from imagegen.errors import BackendUnavailable
from imagegen.firestore import client as firestore_client
from imagegen.firestore.client import FirestoreStore
from imagegen.notifications import outbox
from imagegen.report import aggregations, requests, source, weekly
from imagegen.report.anomalies.find import find
from imagegen.report.source import Source

WEEK = "2026-W10"
MICROSECOND = timedelta(microseconds=1)
UNREPEATED = ("generatedAt", "revision")


@pytest.fixture
def app(emulator: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppWithHistory]:
    """An app without a past, which the code under test works on."""
    client = empty_client()
    monkeypatch.setattr(firestore_client, "_client", client)
    monkeypatch.setenv("REPORT_TIME_ZONE", "UTC")
    monkeypatch.setenv("REPORT_THRESHOLDS", "{}")
    yield AppWithHistory(client)
    client.close()


def made(*args: Any, **kwargs: Any) -> dict[str, Any]:
    """The report as it is stored."""
    return weekly.run(*args, **kwargs).to_firestore()


def problems(report: dict[str, Any]) -> dict[str, str]:
    """check -> problem, but for what every young app's report says."""
    return {
        each["check"]: each["problem"]
        for each in report["dataQuality"]
        if each["problem"] != "insufficient_history"
    }


def without(report: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in report.items() if name not in names}


def test_an_empty_week_has_a_report_of_zeros(app: AppWithHistory) -> None:
    report = made(week=WEEK)
    assert report["totals"] == {
        "requests": 0,
        "completed": 0,
        "failed": 0,
        "canceled": 0,
        "inFlight": 0,
        "successRate": None,
        "successRateInterval": None,
        "creditsCharged": 0,
        "creditsRefunded": 0,
        "creditsNet": 0,
        "activeUsers": 0,
        "newUsers": 0,
    }
    assert list(report["byDay"]) == [f"2026-03-0{day}" for day in range(2, 9)]
    assert (report["byModel"], report["topUsers"], report["anomalies"]) == ({}, [], [])
    assert problems(report) == {}
    assert report["dataAsOf"] == SUNDAY_NIGHT
    assert app.stored(WEEK) == report


def test_the_numbers_are_those_of_the_week(app: AppWithHistory) -> None:
    tuesday = MONDAY + timedelta(days=1, hours=9)
    app.user("ada", createdAt=MONDAY - timedelta(days=9))
    app.user("bob", createdAt=tuesday)
    app.user("nobody knows when")
    app.request(MONDAY, credits=3, size="1024x1024")
    app.request(tuesday, "failed", credits=4, size="1024x1792", style="oil painting")
    app.request(tuesday, "canceled", userId="bob")
    app.request(tuesday, "pending", userId="bob")
    app.request(tuesday, "processing", userId="bob", model="Model B")
    app.request(tuesday, userId="bob", credits=4, size="1024x1792")
    report = made(week=WEEK)
    assert without(report["totals"], "successRateInterval") == {
        "requests": 6,
        "completed": 2,
        "failed": 1,
        "canceled": 1,
        "inFlight": 2,
        "successRate": 2 / 3,
        "creditsCharged": 14,
        "creditsRefunded": 5,
        "creditsNet": 9,
        "activeUsers": 2,
        "newUsers": 1,
    }
    low, high = report["totals"]["successRateInterval"]
    assert (round(low, 3), round(high, 3)) == (0.208, 0.939)  # Wilson, 2 of 3
    by_day = report["byDay"]
    assert [day["requests"] for day in by_day.values()] == [1, 5, 0, 0, 0, 0, 0]
    assert [day["newUsers"] for day in by_day.values()] == [0, 1, 0, 0, 0, 0, 0]
    assert [day["activeUsers"] for day in by_day.values()] == [1, 2, 0, 0, 0, 0, 0]
    assert report["byStyle"]["oil painting"] == {
        "requests": 1,
        "completed": 0,
        "failed": 1,
        "canceled": 0,
        "inFlight": 0,
        "successRate": 0.0,
        "creditsCharged": 4,
        "creditsRefunded": 4,
        "creditsNet": 0,
    }
    assert {name: row["requests"] for name, row in report["byModel"].items()} == {
        "Model A": 5,
        "Model B": 1,
    }
    assert {name: row["creditsNet"] for name, row in report["bySize"].items()} == {
        "512x512": 2,
        "1024x1024": 3,
        "1024x1792": 4,
    }
    assert report["topUsers"] == [
        {"userId": "bob", "requests": 4, "credits": 6},
        {"userId": "ada", "requests": 2, "credits": 3},
    ]
    assert problems(report) == {}


def test_the_week_is_half_open_to_the_microsecond(app: AppWithHistory) -> None:
    app.request(MONDAY - MICROSECOND, userId="too early")
    app.request(MONDAY, userId="first")
    app.request(SUNDAY_NIGHT - MICROSECOND, userId="last")
    app.request(SUNDAY_NIGHT, userId="too late")
    report = made(SUNDAY_NIGHT)
    assert report["isoWeek"] == WEEK
    assert {each["userId"] for each in report["topUsers"]} == {"first", "last"}
    assert problems(report) == {"lateSettlements": "late"}  # "too early" ended on Monday


@pytest.mark.parametrize(
    ("zone", "week", "start", "end"),
    [
        ("America/New_York", "2026-W10", (2026, 3, 2, 5), (2026, 3, 9, 4)),
        ("Europe/Berlin", "2025-W43", (2025, 10, 19, 22), (2025, 10, 26, 23)),
        ("Australia/Lord_Howe", "2026-W14", (2026, 3, 29, 13), (2026, 4, 5, 13, 30)),
    ],
)
def test_weeks_in_which_the_clocks_change_are_counted_whole(
    app: AppWithHistory,
    monkeypatch: pytest.MonkeyPatch,
    zone: str,
    week: str,
    start: tuple[int, ...],
    end: tuple[int, ...],
) -> None:
    monkeypatch.setenv("REPORT_TIME_ZONE", zone)
    first, after = datetime(*start, tzinfo=UTC), datetime(*end, tzinfo=UTC)  # type: ignore[misc, arg-type]
    for moment in (first - MICROSECOND, first, after - MICROSECOND, after):
        app.request(moment, completedAt=moment)
    report = made(after)
    assert report["isoWeek"] == week
    assert (report["periodStart"], report["periodEnd"]) == (first, after)
    assert report["timeZone"] == zone
    assert [day["requests"] for day in report["byDay"].values()] == [1, 0, 0, 0, 0, 0, 1]
    assert problems(report) == {}


def test_a_report_run_again_is_the_same_but_for_time_and_revision(app: AppWithHistory) -> None:
    for hour in range(0, 160, 3):
        app.request(MONDAY + timedelta(hours=hour), "failed" if hour % 4 == 0 else "completed")
    app.user("ada", usage={"weeks": {"2026-W09": {"credits": 7, "busiestDay": 2}}})
    first = made(SUNDAY_NIGHT + timedelta(hours=1))
    app.user("ada", usage={"weeks": {}})  # forgotten meanwhile
    second = made(week=WEEK)
    assert (first["revision"], second["revision"]) == (1, 2)
    assert without(first, *UNREPEATED) == without(second, *UNREPEATED)
    assert app.stored(WEEK) == second


def test_a_run_replaces_everything_that_was_stored(app: AppWithHistory) -> None:
    app.request(MONDAY, style="gone tomorrow", userId="a.b")
    made(week=WEEK)
    app.client.document(f"reports/{WEEK}").update({"leftOver": True})
    app.client.document("generationRequests/request00001").update({"style": "here. to `stay`"})
    report = made(week=WEEK)
    assert list(app.stored(WEEK)["byStyle"]) == ["here. to `stay`"]
    assert app.stored(WEEK) == report


def test_runs_at_the_same_time_each_get_a_revision(app: AppWithHistory) -> None:
    app.request(MONDAY)
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: made(week=WEEK), range(4)))
    assert sorted(each["revision"] for each in reports) == [1, 2, 3, 4]
    assert app.stored(WEEK)["revision"] == 4


def test_a_week_that_is_not_over_has_no_report(app: AppWithHistory) -> None:
    this_week = clock.iso_week(clock.local_date(clock.now()))
    with pytest.raises(ValueError, match="is not over"):
        made(week=this_week)
    assert app.stored(this_week) == {}


def test_open_requests_move_when_they_settle_and_the_next_week_says_so(
    app: AppWithHistory,
) -> None:
    saturday = MONDAY + timedelta(days=5)
    late = [app.request(saturday, "pending", credits=3) for _ in range(3)]
    assert made(week=WEEK)["totals"]["inFlight"] == 3
    app.settle(late[0], "completed", SUNDAY_NIGHT + timedelta(minutes=5))
    app.settle(late[1], "failed", SUNDAY_NIGHT + timedelta(minutes=5))
    app.settle(late[2], "failed", SUNDAY_NIGHT - timedelta(minutes=5))
    again = made(week=WEEK)
    assert (again["totals"]["inFlight"], again["totals"]["creditsRefunded"]) == (0, 6)
    assert problems(again) == {}  # one refund is the next week's, in the ledger too
    app.request(SUNDAY_NIGHT, "failed")
    following = made(week="2026-W11")
    assert problems(following) == {"lateSettlements": "late"}
    (finding,) = [each for each in following["dataQuality"] if each["problem"] == "late"]
    assert finding["actual"] == {"count": 2, "credits": 6, "refunds": 1, "creditsRefunded": 3}
    assert finding["severity"] == "info"


def test_a_request_without_ledger_entries_is_noticed(app: AppWithHistory) -> None:
    app.request(MONDAY)
    app.request(MONDAY, "failed", in_ledger=False, credits=3)
    report = made(week=WEEK)
    assert problems(report) == {"ledgerDeductions": "mismatch", "ledgerRefunds": "mismatch"}
    charges = next(e for e in report["dataQuality"] if e["check"] == "ledgerDeductions")
    assert charges["expected"] == {"count": 2, "credits": 4}
    assert charges["actual"] == {"count": 1, "credits": 1}
    assert charges["message"] == (
        "2 requests in the report (4 credits), but 1 deductions in the ledger (1 credits)."
    )
    assert report["totals"]["requests"] == 2


@pytest.mark.parametrize(
    ("status", "noticed"),
    [
        ("failed", {"requests", "ledgerDeductions", "ledgerRefunds"}),
        ("completed", {"requests", "completed", "ledgerDeductions"}),
        ("pending", {"requests", "ledgerDeductions"}),
    ],
)
def test_a_fold_that_loses_requests_is_noticed(
    app: AppWithHistory, monkeypatch: pytest.MonkeyPatch, status: str, noticed: set[str]
) -> None:
    app.request(MONDAY, status)
    app.request(MONDAY + timedelta(days=1))
    whole = Source.stream
    monkeypatch.setattr(Source, "stream", lambda *args: islice(whole(*args), 1, None))
    report = made(week=WEEK)
    assert report["totals"]["requests"] == 1
    assert set(problems(report)) == noticed


@pytest.mark.parametrize(
    "error", [exceptions.FailedPrecondition("no index"), exceptions.DeadlineExceeded("slow")]
)
def test_a_check_that_cannot_be_made_is_a_finding_and_never_a_zero(
    app: AppWithHistory, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise error

    app.request(MONDAY)
    app.user("new", createdAt=MONDAY)
    monkeypatch.setattr(FirestoreStore, "aggregate", refuse)
    monkeypatch.setattr(source, "AGGREGATE_DEADLINE_SECONDS", 0.05)
    report = made(week=WEEK)
    assert set(problems(report).values()) == {"unavailable"}
    assert set(problems(report)) == {
        "requests", "completed", "ledgerDeductions", "ledgerRefunds", "lateSettlements", "newUsers",
        "purchases", "balances",
    }  # fmt: skip
    assert report["totals"]["newUsers"] is None
    assert report["byDay"]["2026-03-02"]["newUsers"] is None
    assert report["totals"]["requests"] == 1
    assert app.stored(WEEK) == report
    # What is not known is no part of the next week's history.
    made(week="2026-W11")


@pytest.mark.parametrize("method", ["snapshot", "aggregate"])
def test_a_read_that_fails_in_passing_is_made_again(
    app: AppWithHistory, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    whole = getattr(FirestoreStore, method)
    failures: list[Any] = list(db.RETRYABLE_READ)

    def fail_first(*args: Any, **kwargs: Any) -> Any:
        if failures:
            raise failures.pop()("later")
        return whole(*args, **kwargs)

    app.request(MONDAY)
    monkeypatch.setattr(FirestoreStore, method, fail_first)
    assert problems(made(week=WEEK)) == {}
    assert failures == []


def test_without_the_earlier_reports_there_is_no_report(
    app: AppWithHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise exceptions.ServiceUnavailable("away")

    app.request(MONDAY)
    monkeypatch.setattr(FirestoreStore, "snapshot", refuse)
    monkeypatch.setattr(source, "READ_DEADLINE_SECONDS", 0.05)
    with pytest.raises(BackendUnavailable):
        made(week=WEEK)
    assert app.stored(WEEK) == {}


def test_users_are_not_judged_when_their_past_cannot_be_read(
    app: AppWithHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.request(MONDAY)
    whole = FirestoreStore.snapshot

    def only_reports(store: FirestoreStore, paths: list[str], *args: Any, **kwargs: Any) -> Any:
        if paths[0].startswith("users/"):
            raise exceptions.ServiceUnavailable("away")
        return whole(store, paths, *args, **kwargs)

    monkeypatch.setattr(FirestoreStore, "snapshot", only_reports)
    monkeypatch.setattr(source, "READ_DEADLINE_SECONDS", 2)
    assert problems(made(week=WEEK)) == {"userHistory": "unavailable"}


class Interrupted:
    """A `Source.stream` that breaks off after every second document, so many times."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.whole = Source.stream

    def __call__(self, source: Source, query: Any) -> Any:
        for number, document in enumerate(self.whole(source, query)):
            if number == 2 and self.left:
                self.left -= 1
                raise exceptions.ServiceUnavailable("connection lost")
            yield document


def test_a_stream_that_breaks_off_goes_on_where_it_was(
    app: AppWithHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(7):  # some at one and the same moment
        app.request(MONDAY + timedelta(seconds=i // 3), userId=f"user{i}")
    monkeypatch.setattr(requests, "FIRST_BACKOFF_SECONDS", 0.001)
    broken = Interrupted(3)
    monkeypatch.setattr(Source, "stream", lambda *args: broken(*args))  # noqa: PLW0108 - binds
    report = made(week=WEEK)
    assert broken.left == 0
    assert (report["totals"]["requests"], report["totals"]["activeUsers"]) == (7, 7)
    assert problems(report) == {}


def test_a_day_that_cannot_be_read_fails_the_run_and_stores_nothing(
    app: AppWithHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Any:
        raise exceptions.ServiceUnavailable("away")
        yield

    app.request(MONDAY)
    monkeypatch.setattr(requests, "FIRST_BACKOFF_SECONDS", 0.001)
    monkeypatch.setattr(source, "READ_DEADLINE_SECONDS", 1)  # of the checks that have begun
    monkeypatch.setattr(Source, "stream", refuse)
    with pytest.raises(BackendUnavailable):
        made(week=WEEK)
    assert app.stored(WEEK) == {}


def test_requests_that_make_no_sense_are_counted_and_reported(app: AppWithHistory) -> None:
    app.request(MONDAY, style=None, in_ledger=False)
    app.request(MONDAY, credits="3", in_ledger=False)
    app.request(MONDAY, "vanished", userId=7, model="__secret__", in_ledger=False)
    app.client.document("generationRequests/bare").set({"createdAt": MONDAY})
    report = made(week=WEEK)
    assert report["totals"]["requests"] == 4
    (finding,) = [each for each in report["dataQuality"] if each["problem"] == "unreadable"]
    assert finding["actual"] == {"count": 4}
    assert finding["paths"] == [
        f"generationRequests/{each}"
        for each in ("bare", "request00001", "request00002", "request00003")
    ]
    assert set(report["byModel"]) == {"Model A", "(none)", "(__secret__)"}
    assert report["totals"]["inFlight"] == 2
    assert app.stored(WEEK) == report


NAN = float("nan")


@pytest.mark.parametrize(
    "junk",
    [
        {"credits": NAN},
        {"credits": float("inf")},
        {"credits": 1.5},
        {"credits": -3},
        {"credits": 2**62},
        {"credits": "3"},
        {"credits": None},
        {"credits": {"a": 1}},
        {"credits": firestore.DELETE_FIELD},
        {"status": "vanished"},
        {"status": firestore.DELETE_FIELD},
        {"userId": b"\xff"},
        {"userId": "x" * 500_000},
        {"model": ["Model A"]},
    ],
    ids=lambda junk: str(junk)[:40],
)
def test_one_malformed_request_is_named_and_the_report_is_made(
    app: AppWithHistory, junk: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    app.request(MONDAY, "failed", credits=3)
    app.request(MONDAY)
    app.client.document("generationRequests/request00002").update(junk)
    report = made(week=WEEK)
    assert report["totals"]["requests"] == 2
    assert report["totals"]["creditsRefunded"] == 3
    named = {
        (each["check"], each["actual"]["count"], *each["paths"])
        for each in report["dataQuality"]
        if each["problem"] == "unreadable"
    }
    assert named == {("requests", 1, "generationRequests/request00002")}
    assert app.stored(WEEK) == report
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert ["generationRequests/request00002"] in [each.get("paths") for each in logged]


def test_sums_beyond_64_bits_are_a_check_that_cannot_be_made(app: AppWithHistory) -> None:
    for _ in range(3):
        app.request(MONDAY, credits=2**62)
    report = made(week=WEEK)
    assert problems(report)["ledgerDeductions"] == "unavailable"
    assert app.stored(WEEK) == report


def test_credits_that_are_no_number_in_an_entry_leave_its_check_open(app: AppWithHistory) -> None:
    app.request(MONDAY)
    entry = {"type": "deduction", "credits": NAN, "timestamp": MONDAY}
    app.client.document("users/ada/transactions/odd").set(entry)
    report = made(week=WEEK)
    assert problems(report) == {"ledgerDeductions": "unavailable"}
    assert report["totals"]["creditsCharged"] == 1


def test_whole_credits_may_be_stored_as_doubles(app: AppWithHistory) -> None:
    app.request(MONDAY, "failed", credits=3.0)
    usage = {"weeks": {"2026-W09": {"credits": 7.0, "busiestDay": 2.0}}}
    app.user("ada", credits=10.0, usage=usage)
    report = made(week=WEEK)
    assert (report["totals"]["creditsCharged"], problems(report)) == (3, {})
    assert report["userHistory"] == [{"userId": "ada", "weeks": {"2026-W09": [7, 2]}}]


def test_requests_whose_creation_is_no_timestamp_are_named(app: AppWithHistory) -> None:
    app.request(MONDAY)
    moments = ("2026-03-02T09:00:00Z", b"9", {"seconds": 9}, [MONDAY], True, None, 1772441, NAN)
    for number, moment in enumerate(moments):
        app.client.document(f"generationRequests/odd{number}").set(
            {"createdAt": moment, "userId": "ada", "credits": 1, "status": "pending"}
        )
    report = made(week=WEEK)
    (finding,) = [each for each in report["dataQuality"] if each["check"] == "createdAt"]
    assert (finding["problem"], finding["severity"]) == ("unreadable", "warning")
    assert finding["actual"] == {"count": len(moments)}
    assert finding["paths"] == [f"generationRequests/odd{number}" for number in range(5)]
    assert report["totals"]["requests"] == 1
    assert app.stored(WEEK) == report


@pytest.mark.parametrize("user_id", ["__x__", ".", "..", "slash/ed", "é" * 751])
def test_an_id_that_no_document_can_have_leaves_only_that_user_out(
    app: AppWithHistory, user_id: str
) -> None:
    app.user("ada", usage={"weeks": {"2026-W09": {"credits": 7, "busiestDay": 2}}})
    app.request(MONDAY)
    app.request(MONDAY, userId=user_id, credits=50, in_ledger=False)
    report = made(week=WEEK)
    (finding,) = [each for each in report["dataQuality"] if each["check"] == "userHistory"]
    assert (finding["problem"], finding["paths"]) == ("unreadable", [f"users/{user_id}"])
    remembered = {"2026-W09": [7, 2], WEEK: [1, 1]}
    assert report["userHistory"] == [{"userId": "ada", "weeks": remembered}]
    assert report["memory"]["userScores"]["new"]["week"] < 1  # ada's; the other's would be 1.6
    assert app.stored(WEEK) == report


@pytest.mark.parametrize(
    "usage",
    [
        "x",
        7,
        ["x"],
        {"weeks": "x"},
        {"weeks": {"2026-W09": 3}},
        {"weeks": {"2026-W09": {"credits": "x"}}},
        {"weeks": {"2026-W09": {"credits": NAN}}},
        {"weeks": {"2026-W09": {"credits": 1, "busiestDay": None}}},
        {"weeks": {"2026-W09": {"credits": 2**62}}},
    ],
    ids=str,
)
def test_a_user_whose_usage_is_malformed_is_left_out_alone(
    app: AppWithHistory, usage: object
) -> None:
    app.user("bob", usage=usage)
    app.user("ada", usage={"weeks": {"2026-W09": {"credits": 7, "busiestDay": 2}}})
    app.request(MONDAY)
    app.request(MONDAY, userId="bob")
    report = made(week=WEEK)
    (finding,) = [each for each in report["dataQuality"] if each["check"] == "userHistory"]
    assert (finding["problem"], finding["paths"]) == ("unreadable", ["users/bob"])
    assert [each["userId"] for each in report["userHistory"]] == ["ada"]
    assert app.stored(WEEK) == report


def test_a_stored_report_with_a_malformed_revision_is_replaced(app: AppWithHistory) -> None:
    app.client.document(f"reports/{WEEK}").set({"revision": "two"})
    assert made(week=WEEK)["revision"] == 1


def test_ids_and_values_may_hold_anything(app: AppWithHistory) -> None:
    strange = "a.b `c` [d]*~ ü/€ __x__"
    app.request(MONDAY, style=strange, model="." * 100, userId="dots.and spaces")
    app.client.document("generationRequests/other").set(
        {"createdAt": MONDAY, "userId": "slash/ed", "credits": 50, "status": "completed"}
    )
    report = made(week=WEEK)
    assert strange in report["byStyle"]
    assert [each["userId"] for each in report["topUsers"]] == ["slash/ed", "dots.and spaces"]
    assert app.stored(WEEK) == report


def test_too_many_values_are_merged_and_the_report_stays_small(app: AppWithHistory) -> None:
    batch = app.client.batch()
    for i in range(420):
        request = {
            "userId": f"{i:028}",
            "credits": 20,
            "status": "completed",
            "createdAt": MONDAY + timedelta(hours=i * 167 / 420),
        }
        names = {name: f"{name} {i % 60:02} " + "x" * 30 for name in ("style", "color", "size")}
        reference = app.client.document(f"generationRequests/request{i}")
        batch.set(reference, {**request, **names, "model": f"model {i % 5}"})
    batch.commit()
    report = made(week=WEEK)
    assert len(report["byStyle"]) == 40
    assert report["byStyle"]["(other)"]["requests"] == 21 * 7
    assert problems(report)["style"] == "values_merged"
    assert sum(row["requests"] for row in report["bySize"].values()) == 420
    assert len(json.dumps(report, default=str)) < 200_000


def test_the_report_compares_with_the_weeks_before(app: AppWithHistory) -> None:
    for week, number in enumerate((4, 1, 6, 3), start=6):
        for i in range(number):
            app.request(MONDAY - timedelta(weeks=10 - week, hours=-i))
        made(week=f"2026-W{week:02}")
    for i in range(6):
        app.request(MONDAY + timedelta(hours=i), "failed" if i == 0 else "completed")
    deltas = made(week=WEEK)["deltas"]
    assert deltas["requests"] == {
        "lastWeek": 3,
        "lastWeekChange": 1.0,
        "fourWeekMedian": 3.5,
        "fourWeekMedianChange": 0.714286,
    }
    assert deltas["successRate"]["lastWeekChange"] == pytest.approx(-1 / 6, abs=1e-6)
    assert deltas["failed"]["lastWeekChange"] is None  # none failed last week


def test_the_rules_get_the_history_and_what_earlier_reports_remember(
    app: AppWithHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.request(MONDAY - timedelta(days=7), "failed")
    made(week="2026-W09")
    seen: list[Any] = []

    def spy(*args: Any) -> Any:
        seen.append(args)
        return find(*args)

    monkeypatch.setattr("imagegen.report.weekly.find", spy)
    app.request(MONDAY)
    made(week=WEEK)
    (week, (before,), *_) = seen[0]
    assert (week.week, before.week) == (WEEK, "2026-W09")
    assert before.daily["2026-02-23"].failed == 1
    assert before.values["style"]["anime"]["2026-02-23"].credits_refunded == 1
    assert list(before.daily) == [f"2026-02-{d}" for d in range(23, 29)] + ["2026-03-01"]
    assert before.memory.to_firestore() == app.stored("2026-W09")["memory"]


def test_with_history_a_spike_is_found_and_every_run_finds_the_same(app: AppWithHistory) -> None:
    for day in range(-28, 7):
        for i in range(40 if day == 3 else 12 + day % 3):
            moment = MONDAY + timedelta(days=day, minutes=30 * i)
            app.request(moment, completedAt=moment, userId=f"user{i % 12}")
    for week in range(6, 10):
        made(week=f"2026-W{week:02}")
    first, second = made(week=WEEK), made(week=WEEK)
    spikes = [each for each in first["anomalies"] if each["metric"] == "requests"]
    assert [(each["direction"], each["date"]) for each in spikes] == [("up", "2026-03-05")]
    low, high = (first["bands"]["requests"]["2026-03-05"][name] for name in ("low", "high"))
    assert low < 13 < high < 40
    assert without(first, *UNREPEATED) == without(second, *UNREPEATED)
    assert problems(first) == {}


def test_a_users_past_is_read_once_and_then_remembered(app: AppWithHistory) -> None:
    usage = {"weeks": {"2026-W08": {"credits": 9, "busiestDay": 4}, "2025-W01": {"credits": 1}}}
    app.user("ada", usage=usage)
    app.request(MONDAY)
    report = made(week=WEEK)
    remembered = {"2026-W08": [9, 4], WEEK: [1, 1]}
    assert report["userHistory"] == [{"userId": "ada", "weeks": remembered}]
    app.user("ada")  # what the document says now does not matter any more
    app.request(SUNDAY_NIGHT)
    following = made(week="2026-W11")
    assert following["userHistory"] == [
        {"userId": "ada", "weeks": {**remembered, "2026-W11": [1, 1]}}
    ]


def test_a_stored_report_of_another_schema_is_no_history(app: AppWithHistory) -> None:
    app.client.document("reports/2026-W09").set({"isoWeek": "2026-W09", "schemaVersion": 0})
    app.client.document(f"reports/{WEEK}").set({"old": "report"})
    report = made(week=WEEK)
    assert report["deltas"]["requests"]["lastWeek"] is None
    assert app.stored(WEEK) == report


def test_a_report_costs_the_weeks_documents_and_a_few(
    app: AppWithHistory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for i in range(60):
        app.request(MONDAY + timedelta(hours=2 * i), userId=f"user{i % 3}")
    monkeypatch.setenv("CATALOGUE_TTL_SECONDS", "3600")
    outbox.forget()
    outbox.subscriptions()  # who is told of the report is cached, and not what is counted
    between = FirestoreProxy(os.environ["FIRESTORE_EMULATOR_HOST"])
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", between.address)
    monkeypatch.setattr(firestore_client, "_client", firestore.Client(project=app.client.project))
    made(week=WEEK)
    assert between.traffic.rpcs == {
        # The requests; those without a time, before and after all others; purchases, entries that
        # are for no request, users, entries since the end of the week.
        "RunQuery": 2 + 2 + 4,
        "RunAggregationQuery": 5 + 7 + 2,  # the checks; new users by day; purchases and balances
        "BatchGetDocuments": 3,  # reports, users, the report about to be replaced
        "Commit": 1,
    }
    assert between.traffic.documents_read == 60 + 13 + 3 + 1
    between.stop()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    days = [line for line in lines if line["message"] == "report day read"]
    assert sorted(line["date"] for line in days) == [f"2026-03-0{day}" for day in range(2, 9)]
    assert [line["requests"] for line in lines if line["message"] == "report stored"] == [60]


def test_what_settles_during_the_run_does_not_tear_the_numbers(
    app: AppWithHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending = app.request(MONDAY, "pending")
    whole = aggregations.start

    def settle_first(*args: Any) -> Any:
        app.settle(pending, "failed", MONDAY + timedelta(days=2))
        return whole(*args)

    monkeypatch.setattr(aggregations, "start", settle_first)
    report = made(week=WEEK)
    assert report["totals"]["inFlight"] == 1
    assert problems(report) == {}


def test_a_report_can_be_stored_through_lost_replies(
    app: AppWithHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = db.connection()
    commit = type(connection).commit
    lost = [True]

    def lose_the_first_reply(*args: Any) -> Any:
        answer = commit(*args)
        if lost.pop() if lost else False:
            raise exceptions.ServiceUnavailable("reply lost")
        return answer

    monkeypatch.setattr(type(connection), "commit", lose_the_first_reply)
    assert made(week=WEEK)["revision"] == 1
    assert app.stored(WEEK)["revision"] == 1
