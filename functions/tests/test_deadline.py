"""Calls with a deadline: their results, their errors, and a limit on those that run on."""

import gc
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from support.waiting import wait_until

from imagegen import deadline
from imagegen.deadline import NoThread, Threads


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


def test_a_thread_that_is_free_runs_the_next_call_under_its_name() -> None:
    threads, names = Threads(lambda: 1), [str(number) for number in range(10)]
    seen: list[tuple[int | None, str]] = []

    def see() -> None:
        thread = threading.current_thread()
        seen.append((thread.ident, thread.name))

    for name in names:
        threads.call(see, seconds=10, name=name)
        time.sleep(0.01)  # it says that it is free when it has given its result
    assert [name for _, name in seen] == names
    assert len({ident for ident, _ in seen}) < len(names)


def test_a_free_thread_keeps_nothing_of_its_last_call() -> None:
    class Image:
        """Something large."""

    threads, image = Threads(lambda: 1), Image()
    kept = weakref.ref(image)
    threads.call(partial(id, image), seconds=10, name="holds")
    del image
    wait_until(lambda: gc.collect() >= 0 and kept() is None)


def test_threads_that_end_for_want_of_work_lose_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "IDLE_SECONDS", 0.001)
    before, threads = threading.active_count(), Threads(lambda: 100)

    def caller(number: int) -> list[int]:
        results = []
        for each in range(300):
            threading.Event().wait(0.001 * (each % 3))
            results.append(threads.call(partial(int, each), seconds=10, name=str(number)))
        return results

    with ThreadPoolExecutor(8) as callers:
        assert list(callers.map(caller, range(8))) == [list(range(300))] * 8
    wait_until(lambda: threading.active_count() <= before)
