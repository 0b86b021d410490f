"""Limits of one user: requests a minute, credits a day, background requests at once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud import firestore
from hypothesis import given
from hypothesis import strategies as st
from support.books import check_books
from support.orders import ANYBODY, order, order_body
from support.proxy import FirestoreProxy

from imagegen import clock, db
from imagegen.credits import limits
from imagegen.credits.user import UserDocument
from imagegen.errors import InsufficientCredits, RateLimited
from imagegen.firestore.store import Document
from imagegen.generation import create as generation

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)


def test_a_burst_up_to_the_limit_passes_and_then_tokens_come_back_evenly(
    client: firestore.Client,
    new_user: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    stopped_clock: Callable[[datetime], None],
) -> None:
    monkeypatch.setenv("RATE_LIMIT_PER_MINUTE", "3")
    user_id = new_user(50)
    for _ in range(3):
        generation.create(order(user_id), ANYBODY)
    with pytest.raises(RateLimited) as limited:
        generation.create(order(user_id), ANYBODY)
    assert limited.value.headers["Retry-After"] == "20"
    stopped_clock(NOON + timedelta(seconds=20))
    generation.create(order(user_id), ANYBODY)
    with pytest.raises(RateLimited):
        generation.create(order(user_id), ANYBODY)
    assert check_books(client, user_id, opening=50) == 46


def test_the_answer_is_429_with_the_headers_of_the_limit(
    call: Callable[..., Any], new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATE_LIMIT_PER_MINUTE", "1")
    user_id = new_user(5)
    assert call("createGenerationRequest", json=order_body(user_id)).status_code == 200
    limited = call("createGenerationRequest", json=order_body(user_id))
    assert limited.status_code == 429
    error = limited.get_json()["error"]
    assert (error["status"], error["details"]["reason"]) == ("RESOURCE_EXHAUSTED", "RATE_LIMITED")
    assert 0 < int(limited.headers["Retry-After"]) <= 60
    assert limited.headers["RateLimit-Policy"] == '"requestsPerMinute";q=1;w=60'
    assert limited.headers["RateLimit"].startswith('"requestsPerMinute";r=0;t=')


def test_a_call_that_began_earlier_and_is_counted_later_gives_no_tokens_back() -> None:
    """A conflict delays the commit of a call, whose moment is that of its beginning."""
    path, rate = db.user("ann"), {"tokens": 2.0, "at": NOON}
    for seconds in (-9, 0):  # the second call finds what the first has left
        moment = NOON + timedelta(seconds=seconds)
        transaction = db.Transaction([Document(path, {"rate": rate}, NOON)])
        limits.admit(transaction, "ann", moment)
        rate = transaction[path]["rate"]
    assert rate == {"tokens": 0.0, "at": NOON}


def test_the_limit_costs_no_rpc(
    proxy: FirestoreProxy, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATE_LIMIT_PER_MINUTE", "1")
    monkeypatch.setenv("DAILY_CREDIT_LIMIT", "10")
    user_id = new_user(5)
    generation.create(order(user_id), ANYBODY)
    assert proxy.reset().rpcs == {"BatchGetDocuments": 1, "Commit": 2}
    with pytest.raises(RateLimited):
        generation.create(order(user_id), ANYBODY)
    assert proxy.reset().rpcs == {"BatchGetDocuments": 1}


def test_what_is_refused_for_other_reasons_takes_no_token(
    client: firestore.Client, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATE_LIMIT_PER_MINUTE", "1")
    user_id = new_user(0)
    for _ in range(3):
        with pytest.raises(InsufficientCredits):
            generation.create(order(user_id), ANYBODY)
    client.document(db.user(user_id)).update({"credits": 1})
    generation.create(order(user_id), ANYBODY)


def test_no_limit_where_the_parameter_is_zero(
    new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATE_LIMIT_PER_MINUTE", "0")
    user_id = new_user(70)
    for _ in range(65):
        generation.create(order(user_id), ANYBODY)


def test_a_day_has_a_limit_of_credits_and_refunds_do_not_count(
    client: firestore.Client,
    new_user: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    stopped_clock: Callable[[datetime], None],
) -> None:
    monkeypatch.setenv("DAILY_CREDIT_LIMIT", "4")
    user_id = new_user(50)
    generation.create(order(user_id, size="1024x1024"), ANYBODY)
    for _ in range(3):
        with pytest.raises(Exception, match="credits refunded"):
            generation.create(order(user_id, model="Doomed Model"), ANYBODY)
    with pytest.raises(RateLimited) as limited:
        generation.create(order(user_id, size="1024x1024"), ANYBODY)
    wait = 12 * 3600
    assert limited.value.details == {
        "limit": "creditsPerDay",
        "quota": 4,
        "retryAfterSeconds": wait,
    }
    assert limited.value.headers["Retry-After"] == str(wait)
    generation.create(order(user_id), ANYBODY)
    stopped_clock(NOON + timedelta(hours=12))
    generation.create(order(user_id, size="1024x1024"), ANYBODY)
    assert check_books(client, user_id, opening=50) == 43


def test_places_in_flight_are_counted_and_come_back(
    new_user: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    stopped_clock: Callable[[datetime], None],
) -> None:
    monkeypatch.setenv("MAX_IN_FLIGHT", "2")
    user_id = new_user(50)
    path = db.user(user_id)

    def occupy(request_id: str) -> None:
        moment = clock.now()
        until = moment + timedelta(seconds=600)
        db.transact(lambda t: limits.occupy(t, user_id, request_id, moment, until), path)

    occupy("r1")
    occupy("r2")
    with pytest.raises(RateLimited) as limited:
        occupy("r3")
    assert limited.value.headers["RateLimit-Policy"] == '"inFlight";q=2'
    db.transact(lambda t: limits.release(t, user_id, "r1"), path)
    occupy("r3")
    stopped_clock(NOON + timedelta(seconds=601))  # r2 never came back: its place is free again
    occupy("r4")
    occupy("r5")


@given(
    st.lists(st.integers(-600, 600), min_size=1, max_size=60),
    st.integers(1, 30),
)
def test_no_clock_lets_more_through_than_a_bucketful_and_its_refill(
    steps: list[int], per_minute: int
) -> None:
    moment, user, passed, wrong_clocks = NOON, Document("users/u", {}), 0, 0
    filled_at = earliest = latest = moment
    for step in steps:
        moment += timedelta(seconds=step)
        latest = max(latest, moment)
        earliest = min(earliest, moment)
        tokens, until = limits._bucket(UserDocument(user), per_minute, moment)
        assert 0 <= tokens <= per_minute
        if tokens >= 1:
            passed += 1
            # A bucket filled by a clock more than a minute ahead counts as full once.
            wrong_clocks += filled_at - moment > timedelta(seconds=60)
            filled_at = until
            user = Document("users/u", {"rate": {"tokens": tokens - 1, "at": until}})
    if wrong_clocks:
        forward = float(sum(step for step in steps if step > 0))
    else:  # no moment is counted twice
        forward = (latest - earliest).total_seconds()
    assert passed <= (1 + wrong_clocks) * per_minute + forward * per_minute / 60 + 1


def test_a_clock_an_hour_ahead_empties_no_bucket_for_an_hour() -> None:
    emptied = {"rate": {"tokens": 0.0, "at": NOON + timedelta(hours=1)}}
    assert limits._bucket(UserDocument(Document("users/u", emptied)), 60, NOON)[0] == 60


@pytest.mark.parametrize(
    "rate", ["x", [], {"tokens": "many", "at": NOON}, {"tokens": 3, "at": "noon"}, {"tokens": 3}]
)
def test_a_malformed_bucket_is_a_full_one(rate: object) -> None:
    user = UserDocument(Document("users/u", {"rate": rate}))
    assert limits._bucket(user, 7, NOON) == (7, NOON)
