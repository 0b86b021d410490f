"""Servers that tests start as processes of their own."""

import socket
import time

import httpx
import psutil
import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
    """SIGKILL for the server and whatever it has started."""
    if process.is_running():
        for each in [*process.children(recursive=True), process]:
            each.kill()
        process.wait()
