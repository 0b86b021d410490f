"""Calls with a deadline: their results, their errors, and a limit on those that run on."""

import threading
import time
from collections.abc import Callable

import pytest

from imagegen.deadline import NoThread, Threads


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_call_gives_its_result_or_its_error() -> None:
    threads = Threads(lambda: 1)
    assert threads.call(lambda: 5, seconds=10, name="five") == 5
    with pytest.raises(ZeroDivisionError):
        threads.call(lambda: 1 // 0, seconds=10, name="error")
    assert not threads.is_full


def test_abandoned_calls_count_until_they_end() -> None:
    threads, released = Threads(lambda: 3), threading.Event()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            threads.call(released.wait, seconds=0.05, name="hangs")
    assert threads.is_full
    with pytest.raises(NoThread):
        threads.call(lambda: pytest.fail("it was called"), seconds=10, name="one too many")
    released.set()
    wait_until(lambda: not threads.is_full)
    assert threads.call(lambda: 5, seconds=10, name="five") == 5


def test_of_forty_calls_at_once_no_more_begin_than_may_run() -> None:
    threads, released, outcomes = Threads(lambda: 7), threading.Event(), []

    def call() -> None:
        try:
            outcomes.append(threads.call(released.wait, seconds=10, name="waits"))
        except NoThread:
            outcomes.append(False)

    callers = [threading.Thread(target=call) for _ in range(40)]
    for caller in callers:
        caller.start()
    wait_until(lambda: outcomes.count(False) == 33)
    released.set()
    for caller in callers:
        caller.join()
    assert outcomes.count(True) == 7


def test_a_system_without_threads_is_full_and_the_next_call_may_succeed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    threads = Threads(lambda: 1)
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", refuse)
        with pytest.raises(NoThread):
            threads.call(lambda: 5, seconds=10, name="five")
    assert threads.call(lambda: 5, seconds=10, name="five") == 5
