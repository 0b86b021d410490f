"""What an operation costs at Firestore, counted at the gRPC layer."""

from collections.abc import Callable

import pytest
from support.orders import ANYBODY, order
from support.proxy import FirestoreProxy

from imagegen import tasks
from imagegen.credits.endpoints import GetUserCredits, get_user_credits
from imagegen.errors import GenerationFailed, InsufficientCredits
from imagegen.generation import create as generation
from imagegen.notifications import outbox


def test_a_success_is_three_rpcs_one_read_and_four_writes(
    proxy: FirestoreProxy, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    generation.create(order(user_id), ANYBODY)
    assert proxy.traffic.rpcs == {"BatchGetDocuments": 1, "Commit": 2}
    assert (proxy.traffic.documents_read, proxy.traffic.documents_written) == (1, 4)


def test_a_failure_with_its_refund_is_four_rpcs(
    proxy: FirestoreProxy, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    with pytest.raises(GenerationFailed):
        generation.create(order(user_id, model="Doomed Model"), ANYBODY)
    assert proxy.traffic.rpcs == {"BatchGetDocuments": 2, "Commit": 2}
    assert (proxy.traffic.documents_read, proxy.traffic.documents_written) == (2, 6)


def test_a_refusal_for_lack_of_credits_is_one_rpc(
    proxy: FirestoreProxy, new_user: Callable[..., str]
) -> None:
    user_id = new_user(0)
    with pytest.raises(InsufficientCredits):
        generation.create(order(user_id), ANYBODY)
    assert proxy.traffic.rpcs == {"BatchGetDocuments": 1}


def test_reading_credits_is_two_rpcs(proxy: FirestoreProxy, new_user: Callable[..., str]) -> None:
    user_id = new_user(5)
    generation.create(order(user_id), ANYBODY)
    proxy.reset()
    get_user_credits(GetUserCredits(user_id=user_id), ANYBODY)
    assert proxy.traffic.rpcs == {"BatchGetDocuments": 1, "RunQuery": 1}
    assert proxy.traffic.documents_read == 2


def test_where_nobody_is_registered_events_cost_nothing(
    proxy: FirestoreProxy, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counts above, and no call of the queue: a balance that falls below the limit, too."""
    queued: list[str] = []
    monkeypatch.setattr(tasks, "enqueue_event", lambda event_id, **_: queued.append(event_id))
    monkeypatch.setenv("LOW_BALANCE", "5")
    user_id = new_user(5)
    generation.create(order(user_id), ANYBODY)
    assert proxy.traffic.rpcs == {"BatchGetDocuments": 1, "Commit": 2}
    assert (proxy.traffic.documents_read, proxy.traffic.documents_written) == (1, 4)
    assert queued == []


def test_an_event_is_one_more_write_and_one_task(
    proxy: FirestoreProxy, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    queued: list[str] = []
    monkeypatch.setattr(tasks, "enqueue_event", lambda event_id, **_: queued.append(event_id))
    asked = {"an-endpoint": ("generation.completed",)}
    monkeypatch.setattr(outbox, "subscriptions", lambda: asked)
    generation.create(order(new_user(5)), ANYBODY)
    assert proxy.traffic.rpcs == {"BatchGetDocuments": 1, "Commit": 2}
    assert (proxy.traffic.documents_read, proxy.traffic.documents_written) == (1, 5)
    assert len(queued) == 1


def test_devices_are_counted_without_a_read(
    proxy: FirestoreProxy, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "enqueue", lambda *_, **__: None)
    generation.create(order(new_user(5, devices=2), mode="async"), ANYBODY)
    assert proxy.traffic.rpcs == {"BatchGetDocuments": 1, "Commit": 1}
    assert (proxy.traffic.documents_read, proxy.traffic.documents_written) == (1, 3)
