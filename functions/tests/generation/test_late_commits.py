"""A commit that is late and not lost, and a clock that jumps back before the next attempt."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from google.api_core import exceptions
from google.cloud import firestore
from support.accounts import lot, with_lots
from support.books import requests_of
from support.orders import ANYBODY, now, order

from imagegen import clock, db, tasks
from imagegen.catalogue import catalogue
from imagegen.errors import InsufficientCredits, ModelUnavailable, RateLimited
from imagegen.firestore.store import Create, Document, Query, Store, Update
from imagegen.generation import create as generation
from imagegen.generation import worker


class LateFirstCommit:
    """A store whose first commit fails for its caller, and arrives when `arrive` is called."""

    def __init__(self, store: Store, meanwhile: Callable[[], None]) -> None:
        self._store = store
        self._meanwhile = meanwhile
        self._late: Sequence[Create | Update] | None = None

    def read(self, paths: Sequence[str], timeout_seconds: float) -> list[Document]:
        return self._store.read(paths, timeout_seconds)

    def query(self, query: Query, timeout_seconds: float) -> list[Document]:
        return self._store.query(query, timeout_seconds)

    def commit(self, writes: Sequence[Create | Update], timeout_seconds: float) -> list[datetime]:
        if self._late is None:
            self._late = writes
            self._meanwhile()
            raise exceptions.DeadlineExceeded("by schedule")
        return self._store.commit(writes, timeout_seconds)

    def arrive(self) -> None:
        assert self._late is not None
        with contextlib.suppress(*db.CONFLICT):
            self._store.commit(self._late, 5)


def test_a_clock_that_jumps_back_refuses_nothing_that_may_already_be_charged(
    client: firestore.Client, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATE_LIMIT_PER_MINUTE", "1")
    full_again = now() + timedelta(seconds=60)
    monkeypatch.setattr(clock, "now", lambda: full_again)
    late = LateFirstCommit(
        db.connection(),
        lambda: monkeypatch.setattr(clock, "now", lambda: full_again - timedelta(seconds=30)),
    )
    monkeypatch.setattr(db, "connection", lambda: late)
    user_id = new_user(5, rate={"tokens": 0.0, "at": full_again - timedelta(seconds=60)})
    try:
        generation.create(order(user_id), ANYBODY)
    except RateLimited:
        late.arrive()
        assert requests_of(client, user_id) == []
    else:
        late.arrive()
        assert len(requests_of(client, user_id)) == 1


def test_a_lot_that_expires_before_the_next_attempt_refuses_nothing_that_may_be_charged(
    client: firestore.Client, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    came = now()
    monkeypatch.setattr(clock, "now", lambda: came)
    late = LateFirstCommit(
        db.connection(),
        lambda: monkeypatch.setattr(clock, "now", lambda: came + timedelta(hours=2)),
    )
    monkeypatch.setattr(db, "connection", lambda: late)
    user_id = new_user(1, **with_lots(lot("trial", 1, expires_at=came + timedelta(hours=1))))
    try:
        generation.create(order(user_id), ANYBODY)
    except InsufficientCredits:
        late.arrive()
        assert requests_of(client, user_id) == []
    else:
        late.arrive()
        assert len(requests_of(client, user_id)) == 1


def test_a_suspension_before_the_next_attempt_refuses_nothing_that_may_be_charged(
    client: firestore.Client, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The catalogue has the model on probation; its probe has succeeded since."""
    offer = replace(catalogue.current(), suspended={"Sure Model": now() - timedelta(seconds=9)})
    monkeypatch.setattr(catalogue, "current", lambda: offer)
    suspension = client.document("modelSuspensions/Sure Model")
    suspension.set({"suspendedUntil": None})
    later = now() + timedelta(minutes=9)

    def suspend() -> None:
        suspension.set({"suspendedUntil": later})

    late = LateFirstCommit(db.connection(), suspend)
    monkeypatch.setattr(db, "connection", lambda: late)
    user_id = new_user(5)
    try:
        generation.create(order(user_id), ANYBODY)
    except ModelUnavailable:
        late.arrive()
        assert requests_of(client, user_id) == []
    else:
        late.arrive()
        assert len(requests_of(client, user_id)) == 1
    finally:
        suspension.delete()


def test_a_clock_that_jumps_back_gives_up_no_lease_that_may_already_be_taken(
    client: firestore.Client, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "enqueue", lambda request_id: None)
    generation.create(order(user_id := new_user(5), mode="async"), ANYBODY)
    (request,) = requests_of(client, user_id)
    assert (
        worker._take_lease(request["id"], catalogue.current()) is not None
    )  # and then the process is gone
    run_out = now() + timedelta(seconds=200)
    monkeypatch.setattr(clock, "now", lambda: run_out)
    late = LateFirstCommit(
        db.connection(),
        lambda: monkeypatch.setattr(clock, "now", lambda: run_out - timedelta(seconds=190)),
    )
    monkeypatch.setattr(db, "connection", lambda: late)
    lease = worker._take_lease(request["id"], catalogue.current())
    assert lease is not None
    assert lease.attempts == 2
