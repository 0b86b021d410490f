"""Servers that tests start as processes of their own."""

import time

import httpx
import psutil
import pytest
from emulators import ports


def free_port() -> int:
    """A port for a server that may be started again.

    The system gives it to no outgoing connection while nothing listens on it.
    """
    return ports.free_ports(1)[0]


def wait_for(url: str) -> None:
    for _ in range(600):
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"nobody answers at {url}")


def kill(process: psutil.Popen) -> None:
    """SIGKILL for the server and whatever it has started.

    It is stopped first. A server that is left for a moment replaces a worker that was killed, and
    the new one would live on and keep the port.
    """
    if process.is_running():
        process.suspend()
        for each in [*process.children(recursive=True), process]:
            each.kill()
        process.wait()
