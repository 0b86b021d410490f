"""The HTTP client of the instance, whose calls end at their deadline.

httpx's time-outs start again with every byte, so a vendor that sends one byte a second could hold a
call for hours. Here each read and write is given what is left until the deadline of its thread.
"""

import functools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ssl import SSLContext
from typing import Any

import httpcore
import httpx

CHUNK_BYTES = 64 * 1024


@functools.cache
def client() -> httpx.Client:
    """The client of the instance, shared by its threads; as many connections as there are calls.

    A connection that has been idle for long may be closed by the vendor at the moment of the next
    request, whose outcome would then be unknown: httpx drops it after five seconds.
    """
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=5)
    transport = httpx.HTTPTransport(limits=limits)
    transport._pool._network_backend = _Backend()  # httpx has no parameter for it
    return httpx.Client(transport=transport, timeout=None)  # noqa: S113 - see _Stream


_thread = threading.local()  # .deadline: that of the call which the thread is making


@contextmanager
def deadline(moment: float) -> Iterator[None]:
    """The calls of this thread end at `moment` of ``time.monotonic()``, whatever arrives."""
    _thread.deadline = moment
    try:
        yield
    finally:
        del _thread.deadline


def _left_for(timeout: type[httpcore.TimeoutException]) -> float:
    seconds: float = _thread.deadline - time.monotonic()
    if seconds <= 0:
        raise timeout("the time is up")
    return seconds


class _Stream(httpcore.NetworkStream):
    """A connection whose every operation ends at the deadline of its thread."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left_for(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), CHUNK_BYTES):
            part = buffer[start : start + CHUNK_BYTES]
            self._stream.write(part, _left_for(httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = _left_for(httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    def connect_tcp(self, host: str, port: int, *args: Any, **options: Any) -> _Stream:
        options["timeout"] = _left_for(httpcore.ConnectTimeout)
        return _Stream(super().connect_tcp(host, port, *args, **options))
