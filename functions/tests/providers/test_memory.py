"""Places for images: a bound that holds, is given back, and makes nobody wait for ever."""

import threading
import time

import pytest
from studio.server import Studio
from support.bucket import FakeBucket
from support.models import job, settings_at

from imagegen.providers import memory
from imagegen.providers.base import GeneratorError
from imagegen.providers.memory import Places
from imagegen.providers.run import run_provider


def test_a_thread_takes_one_place_and_gives_it_back() -> None:
    places = Places(1)
    for _ in range(3):
        places.take(time.monotonic() + 1)
        places.take(time.monotonic() + 1)
        places.give_back()
        places.give_back()


def test_who_finds_no_place_waits_until_the_deadline() -> None:
    places, outcomes = Places(1), []
    places.take(time.monotonic() + 1)

    def wait(seconds: float) -> None:
        try:
            places.take(time.monotonic() + seconds)
        except GeneratorError as error:
            outcomes.append(error.reason)
        else:
            outcomes.append("taken")

    for seconds in (0.05, 10.0):
        thread = threading.Thread(target=wait, args=(seconds,))
        thread.start()
        if seconds > 1:
            places.give_back()
        thread.join()
    assert outcomes == ["GENERATION_TIMEOUT", "taken"]


@pytest.mark.parametrize("prompt", ["a lighthouse", "a lighthouse [fault:html]"])
def test_every_run_gives_its_place_back_however_it_ends(
    studio: Studio, bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch, prompt: str
) -> None:
    monkeypatch.setattr(memory, "images", Places(1))
    monkeypatch.setattr("imagegen.providers.http.LONG_BYTES", 10)
    for number in range(3):
        for generator in ("openai", "fal"):
            fields = settings_at(studio, generator, secret=None)
            order = job(fields, prompt, attempt_id=str(number))
            if "fault" in prompt:
                with pytest.raises(GeneratorError, match="answered without an image"):
                    run_provider(generator, order, timeout_seconds=10)
            else:
                run_provider(generator, order, timeout_seconds=10)


def test_forty_orders_at_once_are_all_delivered_in_the_places_there_are(
    studio: Studio, bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "images", Places(2))
    monkeypatch.setattr("imagegen.providers.http.LONG_BYTES", 10)
    fields, paths = settings_at(studio, "openai", secret=None), []

    def order(number: int) -> None:
        answer = run_provider("openai", job(fields, attempt_id=str(number)), timeout_seconds=60)
        paths.append(answer.path)

    threads = [threading.Thread(target=order, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(paths)) == 40
    assert studio.billed == 40
