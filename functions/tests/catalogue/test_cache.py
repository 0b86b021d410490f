"""A value that one thread loads for all, and that outlives a failure to load it again."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from imagegen.catalogue import cache
from imagegen.catalogue.cache import RETRY_SECONDS, STALE_SECONDS, Cache
from imagegen.errors import BackendUnavailable


class Source:
    """Loads numbers, or fails while it is `down`."""

    def __init__(self) -> None:
        self.loads = 0
        self.down = False

    def load(self) -> int:
        self.loads += 1
        if self.down:
            raise BackendUnavailable
        return self.loads


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr(cache, "time", SimpleNamespace(monotonic=lambda: clock.seconds))
    return clock


def test_a_value_is_loaded_again_when_it_is_too_old(clock: SimpleNamespace) -> None:
    numbers = Cache(Source().load)
    assert [numbers.get(60), numbers.get(60)] == [1, 1]
    clock.seconds += 60
    assert numbers.get(60) == 2


def test_waiting_threads_share_one_failure() -> None:
    gate, source = threading.Event(), Source()
    source.down = True

    def slow() -> int:
        gate.wait(5)
        return source.load()

    numbers = Cache(slow)

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(numbers.get, 60) for _ in range(8)]
        time.sleep(0.2)  # all of them have come
        gate.set()
        errors = [answer.exception() for answer in answers]
    assert {type(error) for error in errors} == {BackendUnavailable}
    assert len({id(error) for error in errors}) == 8  # each is told of its own request
    assert source.loads == 1


def test_a_value_outlives_an_outage_for_a_while(clock: SimpleNamespace) -> None:
    source = Source()
    numbers = Cache(source.load)
    numbers.get(60)
    source.down = True
    clock.seconds += 61
    assert numbers.get(60) == 1
    assert source.loads == 2
    assert numbers.get(60) == 1  # without another try at once
    assert source.loads == 2
    clock.seconds += RETRY_SECONDS
    assert numbers.get(60) == 1
    assert source.loads == 3
    clock.seconds += STALE_SECONDS
    with pytest.raises(BackendUnavailable):
        numbers.get(60)
    source.down = False
    assert numbers.get(60) == 5


def test_a_defect_while_loading_leaves_no_thread_waiting() -> None:
    outcomes = iter([ZeroDivisionError()])

    def load() -> int:
        for outcome in outcomes:
            raise outcome
        return 7

    numbers = Cache(load)
    with pytest.raises(ZeroDivisionError):
        numbers.get(60)
    assert numbers.get(60) == 7


def test_what_was_being_loaded_when_it_was_forgotten_is_not_kept() -> None:
    """It may be older than the change for which the value was to be loaded again."""
    begun, gate, source = threading.Event(), threading.Event(), Source()

    def slow() -> int:
        value = source.load()
        begun.set()
        gate.wait(5)
        return value

    numbers = Cache(slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(numbers.get, 60)
        begun.wait(5)
        numbers.clear()
        gate.set()
        assert first.result() == 1
    assert numbers.get(60) == 2
