"""Photos behind URLs of users: how long one is waited for."""

import socket
import threading
import time

import pytest
from support.models import job

from imagegen.providers import memory, photos
from imagegen.providers.base import GeneratorError


def test_a_photo_that_drips_is_given_up_long_before_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FUNCTIONS_EMULATOR", "true")
    monkeypatch.setattr(photos, "FETCH_SECONDS", 0.3)

    def drip() -> None:
        with listener, listener.accept()[0] as connection:
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                for _ in range(50):
                    connection.sendall(b"x")
                    time.sleep(0.1)
            except OSError:
                return  # given up

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=drip)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/photo.jpg"
    began = time.monotonic()
    try:
        with pytest.raises(GeneratorError) as failed:
            photos.load(job({}, source={"type": "photo", "url": url}), deadline=began + 30)
    finally:
        memory.photos.give_back()
        thread.join()
    assert failed.value.reason == "SOURCE_NOT_USABLE"
    assert time.monotonic() - began < 3
