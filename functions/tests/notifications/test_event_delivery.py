"""Deliveries: the schedule, what counts as delivered, and what becomes of the others."""

from __future__ import annotations

import itertools
import math
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from support.events import Outbox, verified
from support.receiver import Receiver

from imagegen import tasks
from imagegen.api.schema import rfc3339
from imagegen.errors import BackendUnavailable
from imagegen.notifications import delivery, outbox, recovery, registration, sender, webhooks
from imagegen.notifications.event import KEPT, LEASE, SCHEDULE, DeliveryStatus, Result

Consumer = Callable[[], Receiver]


def test_a_delivery_carries_what_the_event_says_under_its_id(
    in_outbox: Outbox, consumer: Consumer
) -> None:
    in_outbox.moment = datetime.now(UTC)  # the reference implementation looks at the clock
    server = consumer()
    endpoint_id, secret = registration.register(server.url)
    event_id = in_outbox.write(endpoint_id)
    assert in_outbox.queued == [event_id]
    in_outbox.deliver(event_id)
    assert verified(server, secret) == {
        "id": event_id,
        "type": "test",
        "timestamp": rfc3339(in_outbox.moment),
        "data": {},
    }
    assert server.headers[0]["webhook-id"] == event_id
    assert server.headers[0]["Content-Type"] == "application/json"


def test_a_delivered_event_is_delivered_once_and_expires_after_thirty_days(
    in_outbox: Outbox, consumer: Consumer
) -> None:
    server = consumer()
    endpoint_id, _ = registration.register(server.url)
    event_id = in_outbox.write(endpoint_id)
    for _ in range(3):  # a queue delivers its tasks more than once
        in_outbox.deliver(event_id)
    assert len(server.messages) == 1
    event = in_outbox.event(event_id)
    assert event.deliveries[endpoint_id].status is DeliveryStatus.DELIVERED
    assert (event.next_attempt_at, event.expire_at) == (None, in_outbox.moment + KEPT)


def test_an_endpoint_that_always_fails_is_called_on_schedule_ten_times(
    in_outbox: Outbox, consumer: Consumer
) -> None:
    server = consumer()
    server.answers = [500] * 99
    endpoint_id, _ = registration.register(server.url)
    event_id = in_outbox.write(endpoint_id)
    times = []
    while (due := in_outbox.event(event_id).next_attempt_at) is not None:
        in_outbox.moment, seen = due, len(server.messages)
        in_outbox.deliver(event_id)
        times += [in_outbox.moment] * (len(server.messages) - seen)
    assert len(server.messages) == len(SCHEDULE) == 10
    gaps = [later - earlier for earlier, later in itertools.pairwise(times[1:])]
    for gap, wanted in zip(gaps, SCHEDULE[2:], strict=True):
        assert wanted <= gap <= wanted * 1.1
    final = in_outbox.delivery(event_id, endpoint_id)
    assert (final.status, final.result) == (DeliveryStatus.FAILED, "HTTP 500")


def test_the_first_two_attempts_are_made_by_one_task_five_seconds_apart(
    in_outbox: Outbox, consumer: Consumer
) -> None:
    server, began = consumer(), in_outbox.moment
    server.answers = [500, 200]
    endpoint_id, _ = registration.register(server.url)
    in_outbox.deliver(in_outbox.write(endpoint_id))
    assert len(server.messages) == 2
    assert timedelta(seconds=5) <= in_outbox.moment - began <= timedelta(seconds=6)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 429, 500, 503])
def test_every_answer_but_2xx_and_410_is_tried_again(
    in_outbox: Outbox, consumer: Consumer, status: int
) -> None:
    server = consumer()
    server.answers = [status, status]
    endpoint_id, _ = registration.register(server.url)
    event_id = in_outbox.write(endpoint_id)
    in_outbox.deliver(event_id)
    assert len(server.messages) == 2, "a redirect is not followed"
    found = in_outbox.delivery(event_id, endpoint_id)
    assert (found.status, found.result) == (DeliveryStatus.PENDING, f"HTTP {status}")


def test_retry_after_is_waited_for(in_outbox: Outbox, consumer: Consumer) -> None:
    server = consumer()
    server.answers, server.sends_headers = [503], {"Retry-After": "3600"}
    endpoint_id, _ = registration.register(server.url)
    event_id = in_outbox.write(endpoint_id)
    in_outbox.deliver(event_id)
    wait = in_outbox.event(event_id).next_attempt_at
    assert wait == in_outbox.moment + timedelta(hours=1)


def test_an_endpoint_that_is_gone_is_disabled_and_gets_nothing_more(
    in_outbox: Outbox, consumer: Consumer, capsys: pytest.CaptureFixture[str]
) -> None:
    server = consumer()
    server.answers = [410]
    endpoint_id, _ = registration.register(server.url)
    first, second = in_outbox.write(endpoint_id), in_outbox.write(endpoint_id)
    in_outbox.deliver(first)
    in_outbox.deliver(second)
    assert len(server.messages) == 1
    assert in_outbox.endpoint(endpoint_id).disabled_reason == "it answered 410 Gone"
    assert in_outbox.delivery(first, endpoint_id).status is DeliveryStatus.DROPPED
    assert in_outbox.delivery(second, endpoint_id).result == "the endpoint is disabled"
    assert endpoint_id not in outbox.subscriptions()
    assert "webhook endpoint disabled" in capsys.readouterr().err


def test_five_days_without_a_success_disable_an_endpoint(
    in_outbox: Outbox, consumer: Consumer
) -> None:
    server = consumer()
    server.answers = [500] * 99
    endpoint_id, _ = registration.register(server.url)
    began = in_outbox.moment
    while in_outbox.endpoint(endpoint_id).disabled_at is None:
        in_outbox.deliver(in_outbox.write(endpoint_id))
        in_outbox.moment += timedelta(hours=12)
    assert timedelta(days=5) <= in_outbox.moment - began <= timedelta(days=6)


def test_one_success_makes_the_five_days_begin_again(in_outbox: Outbox, consumer: Consumer) -> None:
    server = consumer()
    endpoint_id, _ = registration.register(server.url)
    for _ in range(6):
        server.answers = [500, 500]
        in_outbox.deliver(in_outbox.write(endpoint_id))
        assert in_outbox.endpoint(endpoint_id).failing_since is not None
        in_outbox.moment += timedelta(days=1)
        in_outbox.deliver(in_outbox.write(endpoint_id))
        assert in_outbox.endpoint(endpoint_id).failing_since is None
        in_outbox.moment += timedelta(days=1)
    assert in_outbox.endpoint(endpoint_id).disabled_at is None


def test_an_endpoint_that_hangs_is_given_up_and_holds_up_no_other(
    in_outbox: Outbox, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "TIMEOUT_SECONDS", 0.3)
    slow, fast = consumer(), consumer()
    slow.hangs_for = 1.5
    slow_id, _ = registration.register(slow.url)
    fast_id, _ = registration.register(fast.url)
    event_id = in_outbox.write(slow_id, fast_id)
    in_outbox.deliver(event_id)
    assert len(fast.messages) == 1
    assert in_outbox.delivery(event_id, fast_id).status is DeliveryStatus.DELIVERED
    assert in_outbox.delivery(event_id, slow_id).result == "no answer: TimeoutError"


def test_a_name_that_leads_inside_at_delivery_is_not_called(
    in_outbox: Outbox, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: public when the endpoint was registered, loopback afterwards."""
    server = consumer()
    monkeypatch.delenv("FUNCTIONS_EMULATOR")
    resolve_to(monkeypatch, "93.184.215.14")
    endpoint_id, _ = registration.register(f"https://hooks.example.com:{server.port}/")
    event_id = in_outbox.write(endpoint_id)
    for address in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "64:ff9b::a00:1"):
        resolve_to(monkeypatch, address)
        in_outbox.moment = in_outbox.event(event_id).next_attempt_at or in_outbox.moment
        in_outbox.deliver(event_id)
        found = in_outbox.delivery(event_id, endpoint_id)
        assert found.result == "the host has an address that is not public"
    assert server.messages == []


def resolve_to(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


@pytest.mark.parametrize("mended_by", ["a delivery", "an operator"])
def test_an_endpoint_that_is_well_again_is_not_disabled_by_an_attempt_that_began_before(
    in_outbox: Outbox, consumer: Consumer, mended_by: str
) -> None:
    endpoint_id, _ = registration.register(consumer().url)
    webhooks.note(
        in_outbox.endpoint(endpoint_id), succeeded=False, is_gone=False, moment=in_outbox.moment
    )
    in_outbox.moment += webhooks.PATIENCE
    as_the_attempt_read_it = in_outbox.endpoint(endpoint_id)
    if mended_by == "a delivery":
        in_outbox.deliver(in_outbox.write(endpoint_id))
    else:
        registration.enable(endpoint_id)
    webhooks.note(as_the_attempt_read_it, succeeded=False, is_gone=False, moment=in_outbox.moment)
    assert in_outbox.endpoint(endpoint_id).disabled_at is None


def test_a_round_of_attempts_ends_within_its_lease() -> None:
    attempts = webhooks.MAX_ENDPOINTS + 1  # and the push messages
    rounds = math.ceil(attempts / delivery.THREADS)
    assert rounds * sender.TIMEOUT_SECONDS < LEASE.total_seconds()


def test_what_an_attempt_claims_and_never_writes_down_is_due_again_after_its_lease(
    in_outbox: Outbox, consumer: Consumer
) -> None:
    server = consumer()
    endpoint_id, _ = registration.register(server.url)
    event_id = in_outbox.write(endpoint_id)
    delivery._claim(event_id, "an attempt that dies")
    in_outbox.deliver(event_id)
    assert server.messages == [], "another attempt holds it"
    in_outbox.moment += LEASE
    in_outbox.deliver(event_id)
    assert len(server.messages) == 1
    assert in_outbox.delivery(event_id, endpoint_id).attempts == 2


def test_attempts_that_all_die_come_to_an_end(in_outbox: Outbox, consumer: Consumer) -> None:
    endpoint_id, _ = registration.register(consumer().url)
    event_id = in_outbox.write(endpoint_id)
    for number in range(len(SCHEDULE)):
        delivery._claim(event_id, f"attempt {number}")
        in_outbox.moment += LEASE
    in_outbox.deliver(event_id)
    found = in_outbox.delivery(event_id, endpoint_id)
    assert (found.status, found.attempts) == (DeliveryStatus.FAILED, len(SCHEDULE))
    assert in_outbox.event(event_id).next_attempt_at is None


def test_an_attempt_that_lost_its_lease_overwrites_nothing_but_by_having_arrived(
    in_outbox: Outbox, consumer: Consumer
) -> None:
    endpoint_id, _ = registration.register(consumer().url)
    event_id = in_outbox.write(endpoint_id)
    event, _ = delivery._claim(event_id, "slow")
    in_outbox.moment += LEASE
    delivery._claim(event_id, "next")
    failed = Result(DeliveryStatus.PENDING, "HTTP 500")
    delivery._write_down(event, "slow", {endpoint_id: failed})
    assert in_outbox.delivery(event_id, endpoint_id).claim == "next"
    arrived = Result(DeliveryStatus.DELIVERED, "HTTP 200")
    delivery._write_down(event, "slow", {endpoint_id: arrived})
    assert in_outbox.delivery(event_id, endpoint_id).status is DeliveryStatus.DELIVERED


def test_an_event_about_something_that_is_gone_is_dropped(
    in_outbox: Outbox, consumer: Consumer
) -> None:
    server = consumer()
    endpoint_id, _ = registration.register(server.url)
    event_id = in_outbox.write(
        endpoint_id, event_type="generation.completed", about="generationRequests/gone"
    )
    in_outbox.deliver(event_id)
    assert server.messages == []
    assert in_outbox.delivery(event_id, endpoint_id).status is DeliveryStatus.DROPPED


def test_a_malformed_document_fails_one_delivery_and_is_logged(
    in_outbox: Outbox, consumer: Consumer, capsys: pytest.CaptureFixture[str]
) -> None:
    server = consumer()
    endpoint_id, _ = registration.register(server.url)
    in_outbox.memory.put("generationRequests/bad", {"userId": "ann"})
    event_id = in_outbox.write(
        endpoint_id,
        event_type="generation.completed",
        about="generationRequests/bad",
        user_id="ann",
    )
    in_outbox.deliver(event_id)
    assert server.messages == []
    assert in_outbox.delivery(event_id, endpoint_id).status is DeliveryStatus.PENDING
    assert "defect" in capsys.readouterr().err


def test_an_endpoint_that_was_deleted_by_hand_gets_nothing(
    in_outbox: Outbox, consumer: Consumer
) -> None:
    server = consumer()
    endpoint_id, _ = registration.register(server.url)
    event_id = in_outbox.write(endpoint_id)
    in_outbox.memory.put(webhooks.path(endpoint_id), None)
    in_outbox.deliver(event_id)
    assert server.messages == []
    assert in_outbox.delivery(event_id, endpoint_id).status is DeliveryStatus.DROPPED


@pytest.mark.parametrize("data", [None, {}, {"eventId": ""}, {"eventId": "a/b"}, "x"])
def test_a_task_that_names_no_event_is_logged_and_not_tried_again(
    in_outbox: Outbox, data: object, capsys: pytest.CaptureFixture[str]
) -> None:
    delivery.deliver(data, lambda event: None)
    assert "task without an event" in capsys.readouterr().err


def test_a_task_whose_event_has_expired_does_nothing(in_outbox: Outbox) -> None:
    in_outbox.deliver("gone")
    assert in_outbox.events() == []


# --- recovery ----------------------------------------------------------------------------------


def test_recovery_enqueues_what_is_due_page_by_page_and_nothing_else(
    in_outbox: Outbox, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "PAGE_SIZE", 2)
    endpoint_id, _ = registration.register(consumer().url)
    due = [in_outbox.write(endpoint_id) for _ in range(5)]
    delivered = in_outbox.write(endpoint_id)
    in_outbox.deliver(delivered)
    claimed = in_outbox.write(endpoint_id)
    delivery._claim(claimed, "at work")
    in_outbox.queued.clear()
    assert recovery.recover() == 5
    assert sorted(in_outbox.queued) == sorted(due)


def test_recovery_ends_in_time_where_the_queue_is_slow(
    in_outbox: Outbox, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint_id, _ = registration.register(consumer().url)
    for _ in range(10):
        in_outbox.write(endpoint_id)
    seconds = 0.0

    def slow(event_id: str) -> None:
        nonlocal seconds
        seconds += recovery.RUN_SECONDS / 4

    monkeypatch.setattr(recovery, "time", SimpleNamespace(monotonic=lambda: seconds))
    monkeypatch.setattr(tasks, "enqueue_event", slow)
    assert recovery.recover() == 5
    assert seconds < recovery.RUN_SECONDS * 1.5


def test_a_run_of_recovery_is_bounded_and_the_next_goes_on(
    in_outbox: Outbox, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "PAGE_SIZE", 2)
    monkeypatch.setattr(recovery, "MAX_PAGES", 2)
    endpoint_id, _ = registration.register(consumer().url)
    for _ in range(5):
        in_outbox.write(endpoint_id)
    assert recovery.recover() == 4


def test_an_event_that_the_queue_refuses_stays_in_the_outbox(
    in_outbox: Outbox, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BackendUnavailable

    monkeypatch.setattr(tasks, "enqueue_event", refuse)
    endpoint_id, _ = registration.register(consumer().url)
    event_id = in_outbox.write(endpoint_id)
    assert in_outbox.event(event_id).next_attempt_at == in_outbox.moment
    with pytest.raises(BackendUnavailable):
        recovery.recover()
